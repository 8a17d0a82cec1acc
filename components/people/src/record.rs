//! The records of this part, where they stand in the store, and how a new user's are made.
//!
//! | key | value |
//! |---|---|
//! | `people/user/<sub>` | [`User`] |
//! | `people/login/<digest of the prepared username>` | [`Login`]: which user that is |
//! | `people/session/<expiry>/<digest of the cookie>` | [`crate::session`] |
//! | `people/consent/<digest of sub>/<digest of client id>` | [`crate::consent`] |
//! | `people/attempts/<window's end>/<digest of the prepared username>` | a counter, [`crate::throttle`] |
//!
//! Digests are SHA-256 in base64url: keys of one length, whatever characters a name has.

use crate::{
    password,
    secret::digest,
    store::{Store, Unavailable, Version, encode, read},
    username,
};
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// A person.
#[derive(Clone, Serialize, Deserialize)]
pub struct User {
    /// The record's version.
    pub version: Version<1>,
    /// The subject identifier, never reassigned.
    pub sub: String,
    /// As it is shown; [`username::prepare`] makes the form it is found by.
    pub username: String,
    /// An Argon2id hash as a PHC string.
    pub password: String,
    /// No longer admitted: not to sign in, not with an old session, not with an old token.
    #[serde(default)]
    pub disabled: bool,
    /// OIDC Core §5.1 claims, by name.
    #[serde(default)]
    pub claims: Map<String, Value>,
    /// OIDC Core §5.1 `updated_at`: seconds since the Unix epoch.
    pub updated_at: u64,
}

impl User {
    /// The user with this subject identifier, unless disabled.
    pub fn admitted(store: &impl Store, sub: &str) -> Result<Option<Self>, Unavailable> {
        Ok(read::<Self>(store, &user_key(sub))?.filter(|user| !user.disabled && user.sub == sub))
    }

    /// The user with this prepared username, unless disabled.
    pub fn by_username(store: &impl Store, prepared: &str) -> Result<Option<Self>, Unavailable> {
        Ok(Self::even_disabled(store, prepared)?.filter(|user| !user.disabled))
    }

    /// The user with this prepared username, for those who administer: also one who is disabled.
    pub fn even_disabled(store: &impl Store, prepared: &str) -> Result<Option<Self>, Unavailable> {
        match read::<Login>(store, &login_key(prepared))? {
            Some(login) => {
                Ok(read::<Self>(store, &user_key(&login.sub))?.filter(|user| user.sub == login.sub))
            }
            None => Ok(None),
        }
    }

    /// Gives the person a new password, under a new `salt` of random bytes. [`User::credential_stamp`] changes with the
    /// salt, so that every session ends even where the password is the old one again.
    pub fn set_password(&mut self, password: &str, salt: &[u8; 16]) -> Result<(), NewUserError> {
        self.password = new_password(password, salt)?;
        Ok(())
    }

    /// How to address the person: their name where it is known.
    pub fn display_name(&self) -> &str {
        self.claims
            .get("name")
            .and_then(Value::as_str)
            .filter(|name| !name.trim().is_empty())
            .unwrap_or(&self.username)
    }

    /// Changes when the password is set, so that sessions end then.
    pub fn credential_stamp(&self) -> String {
        digest(&self.password)
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("sub", &self.sub)
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}

/// Which user a username is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Login {
    /// The record's version.
    pub version: Version<1>,
    /// The user's subject identifier.
    pub sub: String,
}

/// Where the user with this subject identifier stands.
pub fn user_key(sub: &str) -> String {
    format!("people/user/{sub}")
}

/// Where the login with this prepared username stands.
pub fn login_key(prepared: &str) -> String {
    format!("people/login/{}", digest(prepared))
}

/// Starts the subject identifier of every person: the principal kind of persons is known by it.
pub const SUB_PREFIX: &str = "usr_";

/// What makes a new user.
pub struct NewUser<'a> {
    /// As typed; unique up to [`username::prepare`].
    pub username: &'a str,
    /// As typed.
    pub password: &'a str,
    /// OIDC Core §5.1 claims, by name.
    pub claims: Map<String, Value>,
}

/// The records of a new user.
#[derive(Clone)]
pub struct NewRecords {
    /// The new user.
    pub user: User,
    /// What must not exist yet, or the username is taken.
    pub login_key: String,
    /// Key and value, to be written in this order: the login comes last, so that it never points at nothing.
    pub records: [(String, Vec<u8>); 2],
}

/// Why there is no such user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewUserError {
    /// Empty, over 255 bytes, or with control characters.
    Username,
    /// Under 8 characters or over 1024 bytes.
    Password,
    /// This claim is the protocol's own.
    Claim(String),
    /// The records could not be made.
    Fault(Unavailable),
}

impl fmt::Display for NewUserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Username => {
                write!(f, "a username has 1 to {} bytes and no control characters", username::LONGEST)
            }
            Self::Password => {
                write!(
                    f,
                    "a password has at least {} characters and at most {} bytes",
                    password::SHORTEST,
                    password::LONGEST
                )
            }
            Self::Claim(name) => write!(f, "the claim {name:?} belongs to the protocol"),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for NewUserError {}

/// Makes the records of a new user. `entropy` is 32 random bytes: 16 for the subject identifier, 16 for the salt. `now` is in seconds since
/// the Unix epoch. The caller looks whether the username is free and writes the records.
pub fn new_user(new: NewUser<'_>, entropy: [u8; 32], now: u64) -> Result<NewRecords, NewUserError> {
    let prepared = username::prepare(new.username).ok_or(NewUserError::Username)?;
    if let Some(name) = new.claims.keys().find(|name| is_protocol_claim(name)) {
        return Err(NewUserError::Claim(name.clone()));
    }
    let ([id, salt], _) = entropy.as_chunks::<16>() else { return Err(NewUserError::Password) };
    let sub = format!("{SUB_PREFIX}{}", Base64UrlUnpadded::encode_string(id));
    let user = User {
        version: Version,
        sub: sub.clone(),
        username: new.username.trim().to_owned(),
        password: new_password(new.password, salt)?,
        disabled: false,
        claims: new.claims,
        updated_at: now,
    };
    let login = Login { version: Version, sub: sub.clone() };
    let records = [
        (user_key(&sub), encode(&user).map_err(NewUserError::Fault)?),
        (login_key(&prepared), encode(&login).map_err(NewUserError::Fault)?),
    ];
    Ok(NewRecords { user, login_key: login_key(&prepared), records })
}

fn new_password(password: &str, salt: &[u8; 16]) -> Result<String, NewUserError> {
    if password.chars().count() < password::SHORTEST || password.len() > password::LONGEST {
        return Err(NewUserError::Password);
    }
    password::hash(password, salt).map_err(NewUserError::Fault)
}

/// OIDC Core §2, RFC 7519 §4.1: not facts about a person.
fn is_protocol_claim(name: &str) -> bool {
    const PROTOCOL: [&str; 15] = [
        "sub",
        "iss",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "auth_time",
        "nonce",
        "acr",
        "amr",
        "azp",
        "at_hash",
        "c_hash",
        "sid",
    ];
    PROTOCOL.contains(&name)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::store::memory::Memory;
    use serde_json::json;

    pub(crate) fn claims(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    pub(crate) fn add(memory: &Memory, username: &str, password: &str, about: Value) -> String {
        let id = u8::try_from(memory.keys("people/user/").len()).expect("few users");
        let new = NewUser { username, password, claims: claims(about) };
        let made = new_user(new, [id; 32], 1_700_000_000).expect("a user");
        for (key, value) in &made.records {
            memory.set(key, value).expect("memory");
        }
        made.user.sub
    }

    fn refused(username: &str, password: &str, about: Value) -> NewUserError {
        new_user(NewUser { username, password, claims: claims(about) }, [0; 32], 0).err().expect("a refusal")
    }

    #[test]
    fn a_new_user_is_found_by_username_in_any_case_and_by_sub() {
        let memory = Memory::default();
        let sub = add(&memory, " Alice ", "correct horse", json!({"name": "Alice Adams"}));
        let user = User::by_username(&memory, &username::prepare("ALICE").unwrap()).unwrap().unwrap();
        assert_eq!(
            (user.sub.as_str(), user.username.as_str(), user.display_name()),
            (&*sub, "Alice", "Alice Adams")
        );
        assert!(password::verify("correct horse", Some(&user.password)).unwrap());
        assert!(User::admitted(&memory, &sub).unwrap().is_some());
        assert!(User::admitted(&memory, "usr_other").unwrap().is_none());
    }

    #[test]
    fn a_new_subject_has_the_prefix_of_persons_and_128_random_bits() {
        let sub = add(&Memory::default(), "alice", "correct horse", json!({}));
        let id = sub.strip_prefix("usr_").expect("the prefix of persons");
        assert_eq!(Base64UrlUnpadded::decode_vec(id).map(|bits| bits.len()), Ok(16));
    }

    #[test]
    fn a_disabled_user_is_not_admitted() {
        let memory = Memory::default();
        let sub = add(&memory, "alice", "correct horse", json!({}));
        let mut user = User::admitted(&memory, &sub).unwrap().unwrap();
        user.disabled = true;
        crate::store::write(&memory, &user_key(&sub), &user).unwrap();
        assert!(User::admitted(&memory, &sub).unwrap().is_none());
        assert!(User::by_username(&memory, "alice").unwrap().is_none());
        assert!(User::even_disabled(&memory, "alice").unwrap().is_some_and(|user| user.sub == sub));
        assert!(User::even_disabled(&memory, "bob").unwrap().is_none());
    }

    #[test]
    fn a_password_set_anew_verifies_alone_and_changes_the_stamp_even_when_it_is_the_same() {
        let memory = Memory::default();
        add(&memory, "alice", "correct horse", json!({}));
        let before = User::by_username(&memory, "alice").unwrap().unwrap();
        let mut user = before.clone();
        user.set_password("battery staple", &[9; 16]).unwrap();
        assert!(password::verify("battery staple", Some(&user.password)).unwrap());
        assert!(!password::verify("correct horse", Some(&user.password)).unwrap());
        user.set_password("correct horse", &[8; 16]).unwrap();
        assert_ne!(user.credential_stamp(), before.credential_stamp());
        let stamp = user.credential_stamp();
        assert_eq!(user.set_password("seven77", &[7; 16]), Err(NewUserError::Password));
        assert_eq!(user.credential_stamp(), stamp);
    }

    #[test]
    fn a_record_under_another_subs_key_is_not_that_user() {
        let memory = Memory::default();
        let sub = add(&memory, "alice", "correct horse", json!({}));
        let stray = memory.get(&user_key(&sub)).unwrap().unwrap();
        memory.set(&user_key("usr_other"), &stray).unwrap();
        assert!(User::admitted(&memory, "usr_other").unwrap().is_none());
    }

    #[test]
    fn weak_overlong_and_misnamed_users_are_refused() {
        assert_eq!(refused(" ", "correct horse", json!({})), NewUserError::Username);
        assert_eq!(refused("alice", "seven77", json!({})), NewUserError::Password);
        assert_eq!(refused("alice", &"a".repeat(1025), json!({})), NewUserError::Password);
        assert_eq!(refused("alice", "correct horse", json!({"sub": "x"})), NewUserError::Claim("sub".into()));
    }

    #[test]
    fn records_hold_no_password_in_the_clear_and_debug_output_no_hash() {
        let made =
            new_user(NewUser { username: "a", password: "correct horse", claims: Map::new() }, [1; 32], 0)
                .unwrap();
        assert!(
            made.records.iter().all(|(_, value)| !String::from_utf8_lossy(value).contains("correct horse"))
        );
        let user: User = serde_json::from_slice(&made.records[0].1).unwrap();
        assert!(!format!("{user:?}").contains("argon2"));
    }
}
