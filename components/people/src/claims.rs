//! What may be said of a person (OIDC Core §5).

use crate::record::User;
use serde_json::{Map, Value};

/// OIDC Core §5.4: the claims each scope value asks for.
const BY_SCOPE: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// The claims of `user` that `scope` asks for. OIDC Core §5.3.2: a claim that has no value is left out.
pub fn userinfo(user: &User, scope: &[String]) -> Map<String, Value> {
    let asked = BY_SCOPE.iter().filter(|(value, _)| scope.iter().any(|asked| asked == value));
    asked
        .flat_map(|(_, names)| names.iter())
        .filter_map(|name| Some(((*name).to_owned(), value(user, name)?)))
        .filter(|(_, value)| !is_empty(value))
        .collect()
}

fn value(user: &User, name: &str) -> Option<Value> {
    let known = user.claims.get(name).cloned();
    match name {
        "preferred_username" => known.or_else(|| Some(user.username.clone().into())),
        "updated_at" => Some(user.updated_at.into()),
        _ => known,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{record, store::memory::Memory};
    use serde_json::json;

    fn of(scope: &[&str]) -> Value {
        let memory = Memory::default();
        let about = json!({
            "name": "Alice Adams", "given_name": "Alice", "nickname": "", "picture": null,
            "email": "alice@example.com", "email_verified": true, "phone_number": "+1 555 0100",
            "address": {"country": "Wonderland"}, "employee_number": 7,
        });
        let sub = record::tests::add(&memory, "alice", "correct horse", about);
        let user = User::admitted(&memory, &sub).unwrap().unwrap();
        userinfo(&user, &scope.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>()).into()
    }

    #[test]
    fn each_scope_value_brings_its_own_claims_and_no_others() {
        assert_eq!(of(&["openid", "email"]), json!({"email": "alice@example.com", "email_verified": true}));
        assert_eq!(of(&["phone"]), json!({"phone_number": "+1 555 0100"}));
        assert_eq!(of(&["address"]), json!({"address": {"country": "Wonderland"}}));
        assert_eq!(of(&["openid", "employee_number", "name"]), json!({}));
    }

    #[test]
    fn the_profile_leaves_out_what_has_no_value() {
        let expected = json!({
            "name": "Alice Adams", "given_name": "Alice", "preferred_username": "alice", "updated_at": 1_700_000_000,
        });
        assert_eq!(of(&["profile"]), expected);
    }
}
