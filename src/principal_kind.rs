//! Kinds of principals: whose tokens a server mints, told apart by the namespace of their `sub`.
//!
//! "The subject value MUST either be scoped to be locally unique in the context of the issuer or be globally unique"
//! (RFC 7519 §4.1.2), and a client whose `sub` could be a person's would be taken for that person (RFC 9700 §4.15,
//! RFC 9068 §5). So each kind has a prefix nobody else's `sub` can begin with, and a principal that does not fit its
//! kind is refused before a token is made.

use serde_json::{Map, Value};

/// One kind of principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalKind {
    name: String,
    sub_prefix: String,
    required_claims: Vec<String>,
}

/// The kinds a server knows; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalKinds(Vec<PrincipalKind>);

/// Why kinds are refused at start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrincipalKindError {
    /// There is no kind, so nobody could be given a token.
    #[error("there is no principal kind")]
    None,
    /// A kind without a name.
    #[error("a principal kind has no name")]
    NoName,
    /// Two kinds of one name.
    #[error("there are two principal kinds `{0}`")]
    SameName(String),
    /// A prefix that is empty, or not visible ASCII: "It MUST NOT exceed 255 ASCII characters" (OIDC Core §2).
    #[error("the `sub` prefix of `{0}` must be visible ASCII characters, 1 to 64 of them")]
    Prefix(String),
    /// A required claim without a name, or named twice.
    #[error("a required claim of `{0}` has no name or is named twice")]
    Claim(String),
    /// The prefix of one kind begins with that of another, so that a `sub` could be of both.
    #[error("the `sub` prefixes of `{0}` and `{1}` begin alike")]
    Overlap(String, String),
}

/// Why a principal is given no token. For the log: the kind and the claim are named, the person is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// `sub` begins with no kind's prefix.
    #[error("the principal's `sub` has the prefix of no principal kind")]
    UnknownKind,
    /// `sub` is a prefix and nothing more.
    #[error("the principal's `sub` is the prefix of `{0}` and nothing more")]
    NoSubject(String),
    /// A claim the kind requires is absent, null or the empty string.
    #[error("a principal of kind `{kind}` has no `{claim}`")]
    MissingClaim {
        /// The kind.
        kind: String,
        /// The claim.
        claim: String,
    },
}

impl PrincipalKind {
    /// A kind whose principals have a `sub` that begins with `sub_prefix`, and each of `required_claims`.
    pub fn new(
        name: impl Into<String>,
        sub_prefix: impl Into<String>,
        required_claims: Vec<String>,
    ) -> Result<Self, PrincipalKindError> {
        let (name, sub_prefix) = (name.into(), sub_prefix.into());
        if name.is_empty() {
            return Err(PrincipalKindError::NoName);
        }
        if !(1..=64).contains(&sub_prefix.len()) || !sub_prefix.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(PrincipalKindError::Prefix(name));
        }
        let repeated = |(i, claim): (usize, &String)| required_claims.iter().skip(i + 1).any(|c| c == claim);
        if required_claims.iter().any(String::is_empty) || required_claims.iter().enumerate().any(repeated) {
            return Err(PrincipalKindError::Claim(name));
        }
        Ok(Self { name, sub_prefix, required_claims })
    }

    /// What the operator calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What every `sub` of this kind begins with.
    pub fn sub_prefix(&self) -> &str {
        &self.sub_prefix
    }

    /// The claims every principal of this kind has.
    pub fn required_claims(&self) -> &[String] {
        &self.required_claims
    }

    fn check(&self, claims: &Map<String, Value>) -> Result<(), MintError> {
        let absent = |claim: &&String| match claims.get(*claim) {
            None | Some(Value::Null) => true,
            // It identifies nobody.
            Some(Value::String(text)) => text.is_empty(),
            Some(_) => false,
        };
        match self.required_claims.iter().find(absent) {
            Some(claim) => Err(MintError::MissingClaim { kind: self.name.clone(), claim: claim.clone() }),
            None => Ok(()),
        }
    }
}

impl PrincipalKinds {
    /// These kinds. No prefix is a prefix of another one, so no `sub` can be of two kinds.
    pub fn new(kinds: Vec<PrincipalKind>) -> Result<Self, PrincipalKindError> {
        if kinds.is_empty() {
            return Err(PrincipalKindError::None);
        }
        for (i, one) in kinds.iter().enumerate() {
            for other in kinds.iter().skip(i + 1) {
                if one.name == other.name {
                    return Err(PrincipalKindError::SameName(one.name.clone()));
                }
                if one.sub_prefix.starts_with(&other.sub_prefix)
                    || other.sub_prefix.starts_with(&one.sub_prefix)
                {
                    return Err(PrincipalKindError::Overlap(one.name.clone(), other.name.clone()));
                }
            }
        }
        Ok(Self(kinds))
    }

    /// The kinds, in their order.
    pub fn kinds(&self) -> &[PrincipalKind] {
        &self.0
    }

    /// The kind of the principal a token is about to be minted for, which has all that the kind asks for. `claims` are
    /// those the token will carry.
    pub fn check(&self, sub: &str, claims: &Map<String, Value>) -> Result<&PrincipalKind, MintError> {
        let named = |kind: &&PrincipalKind| sub.starts_with(&kind.sub_prefix);
        let kind = self.0.iter().find(named).ok_or(MintError::UnknownKind)?;
        if sub.len() == kind.sub_prefix.len() {
            return Err(MintError::NoSubject(kind.name.clone()));
        }
        kind.check(claims).map(|()| kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(name: &str, prefix: &str, claims: &[&str]) -> PrincipalKind {
        PrincipalKind::new(name, prefix, claims.iter().map(|&claim| claim.to_owned()).collect())
            .expect("a kind")
    }

    fn kinds() -> PrincipalKinds {
        PrincipalKinds::new(vec![kind("user", "usr_", &["tenant"]), kind("service", "svc_", &[])])
            .expect("kinds")
    }

    fn check(sub: &str, claims: Value) -> Result<String, MintError> {
        let claims = claims.as_object().expect("an object").clone();
        kinds().check(sub, &claims).map(|kind| kind.name().to_owned())
    }

    #[test]
    fn a_principal_is_of_the_kind_its_sub_says() {
        assert_eq!(check("usr_1", json!({"tenant": "t"})), Ok("user".to_owned()));
        assert_eq!(check("svc_1", json!({})), Ok("service".to_owned()));
    }

    #[test]
    fn a_sub_outside_every_namespace_is_refused() {
        for sub in ["", "1", "usr", "USR_1", "xusr_1", " usr_1"] {
            assert_eq!(check(sub, json!({"tenant": "t"})), Err(MintError::UnknownKind), "{sub:?}");
        }
    }

    #[test]
    fn a_sub_that_is_only_a_prefix_is_refused() {
        assert_eq!(check("usr_", json!({"tenant": "t"})), Err(MintError::NoSubject("user".to_owned())));
    }

    #[test]
    fn a_principal_without_a_required_claim_is_refused_and_the_claim_is_named() {
        for claims in [json!({}), json!({"tenant": null}), json!({"tenant": ""}), json!({"Tenant": "t"})] {
            let error = check("usr_1", claims).expect_err("no tenant");
            assert_eq!(error.to_string(), "a principal of kind `user` has no `tenant`");
        }
        for value in [json!(false), json!(0), json!([]), json!({})] {
            assert!(check("usr_1", json!({ "tenant": value })).is_ok(), "{value}");
        }
    }

    #[test]
    fn kinds_whose_prefixes_begin_alike_are_refused() {
        for (one, other) in [("usr_", "usr_"), ("usr_", "usr_x_"), ("u", "usr_")] {
            let pair = vec![kind("a", one, &[]), kind("b", other, &[])];
            let error = PrincipalKindError::Overlap("a".to_owned(), "b".to_owned());
            assert_eq!(PrincipalKinds::new(pair), Err(error), "{one} {other}");
        }
    }

    #[test]
    fn a_kind_is_whole_and_named_once() {
        let new = |name: &str, prefix: &str, claims: &[&str]| {
            PrincipalKind::new(name, prefix, claims.iter().map(|&claim| claim.to_owned()).collect()).map(drop)
        };
        assert_eq!(new("", "u_", &[]), Err(PrincipalKindError::NoName));
        let long = "u".repeat(65);
        for prefix in ["", "u ", "ü_", "u\n", long.as_str()] {
            assert_eq!(
                new("user", prefix, &[]),
                Err(PrincipalKindError::Prefix("user".to_owned())),
                "{prefix:?}"
            );
        }
        for claims in [&[""][..], &["a", "b", "a"]] {
            assert_eq!(new("user", "u_", claims), Err(PrincipalKindError::Claim("user".to_owned())));
        }
        assert_eq!(PrincipalKinds::new(Vec::new()), Err(PrincipalKindError::None));
        let pair = vec![kind("a", "a_", &[]), kind("a", "b_", &[])];
        assert_eq!(PrincipalKinds::new(pair), Err(PrincipalKindError::SameName("a".to_owned())));
    }
}
