//! The server's keys: what the variable holds, and what they are at a given time.

use std::fmt;

use attesto::jose::{Algorithm, Jwk, KeyError, SigningKey, VerifyingKey, json};
use serde_json::{Map, Value};

/// The variable the keys are in. Either a private JWK Set (RFC 7517 §5), or PEM blocks one after the other: `PRIVATE KEY`
/// (PKCS#8, RFC 7468 §10) for keys that sign, `PUBLIC KEY` (RFC 7468 §13) for retired ones. The preferred key of each
/// algorithm comes first.
///
/// A JWK may have the members `nbf` and `exp`, in seconds since the Unix epoch: before `nbf` the key is published and
/// does not sign yet, from `exp` on it is not published any more. Of two keys for one algorithm the one with the later
/// `nbf` retires the other as soon as its time has come.
pub const VARIABLE: &str = "signing_keys";

/// A key and what others may see of it. `Debug` shows the `kid` only.
pub struct Key {
    /// The name tokens call it by; the RFC 7638 thumbprint where none is given.
    pub kid: String,
    /// What it signs or signed with.
    pub algorithm: Algorithm,
    /// The public JWK.
    pub public_jwk: String,
    /// The private key, unless the key is retired for good.
    pub signing: Option<SigningKey>,
    /// `nbf`: when it begins to sign.
    pub not_before: Option<u64>,
    /// `exp`: when it is published no more.
    pub expires: Option<u64>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Published, and not signing yet.
    Upcoming,
    /// Signing.
    Active,
    /// Published, and signing no more.
    Retired,
}

impl Key {
    fn has_expired(&self, now: u64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    fn begins(&self) -> u64 {
        self.not_before.unwrap_or(0)
    }

    /// Whether this key may sign at `now`, others aside.
    fn is_able(&self, now: u64) -> bool {
        self.signing.is_some() && self.begins() <= now && !self.has_expired(now)
    }
}

/// What `key`, one of `keys`, is at `now`; `None` once it has expired.
pub fn status(key: &Key, keys: &[Key], now: u64) -> Option<Status> {
    let successor =
        |other: &Key| other.algorithm == key.algorithm && other.is_able(now) && other.begins() > key.begins();
    if key.has_expired(now) {
        None
    } else if key.signing.is_none() {
        Some(Status::Retired)
    } else if key.begins() > now {
        Some(Status::Upcoming)
    } else if keys.iter().any(successor) {
        Some(Status::Retired)
    } else {
        Some(Status::Active)
    }
}

/// When the status of one of the keys changes next.
pub fn next_change(keys: &[Key], now: u64) -> Option<u64> {
    keys.iter().flat_map(|key| [key.not_before, key.expires]).flatten().filter(|time| *time > now).min()
}

/// Why the variable does not hold keys. No part of its text is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeysError {
    /// There is no key in it.
    NoKey,
    /// It is neither a JWK Set nor PEM blocks one after the other.
    Malformed,
    /// The key with this number, from 1, is none this server can use.
    Unusable(usize, KeyError),
    /// Two keys have this `kid`.
    SameKid(String),
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => {
                write!(f, "the variable `{VARIABLE}` holds no PEM block `PRIVATE KEY` and no JWK Set")
            }
            Self::Malformed => {
                write!(f, "the variable `{VARIABLE}` is neither PEM blocks one after the other nor a JWK Set")
            }
            Self::Unusable(number, cause) => write!(f, "key {number} of the variable `{VARIABLE}`: {cause}"),
            Self::SameKid(kid) => write!(f, "two keys of the variable `{VARIABLE}` are named `{kid}`"),
        }
    }
}

/// Reads the keys.
pub fn parse(text: &str) -> Result<Vec<Key>, KeysError> {
    let text = text.trim();
    let keys = if text.starts_with('{') { parse_set(text)? } else { parse_pem(text)? };
    if keys.is_empty() {
        return Err(KeysError::NoKey);
    }
    let repeated = |(at, key): (usize, &Key)| keys.iter().skip(at + 1).any(|later| later.kid == key.kid);
    match keys.iter().enumerate().find(|(at, key)| repeated((*at, key))) {
        Some((_, key)) => Err(KeysError::SameKid(key.kid.clone())),
        None => Ok(keys),
    }
}

fn parse_pem(text: &str) -> Result<Vec<Key>, KeysError> {
    const PRIVATE: [&str; 2] = ["-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"];
    const PUBLIC: [&str; 2] = ["-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"];
    let mut keys = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some([_, end]) = [PRIVATE, PUBLIC].into_iter().find(|[begin, _]| rest.starts_with(begin)) else {
            return Err(if keys.is_empty() { KeysError::NoKey } else { KeysError::Malformed });
        };
        let length = rest.find(end).ok_or(KeysError::Malformed)? + end.len();
        let (block, after) = rest.split_at_checked(length).ok_or(KeysError::Malformed)?;
        let key = if end == PRIVATE[1] {
            SigningKey::from_pkcs8_pem(&format!("{block}\n")).map(|key| private(key, None))
        } else {
            VerifyingKey::from_spki_pem(&format!("{block}\n")).map(|key| public(Jwk::new(key)))
        };
        keys.push(key.map_err(|error| KeysError::Unusable(keys.len() + 1, error))?);
        rest = after.trim_start();
    }
    Ok(keys)
}

fn parse_set(text: &str) -> Result<Vec<Key>, KeysError> {
    let mut set = json::object(text.as_bytes()).map_err(|_| KeysError::Malformed)?;
    let Some(Value::Array(members)) = set.remove("keys") else { return Err(KeysError::Malformed) };
    let key = |(at, value)| match value {
        Value::Object(members) => parse_jwk(members).map_err(|error| KeysError::Unusable(at + 1, error)),
        _ => Err(KeysError::Malformed),
    };
    members.into_iter().enumerate().map(key).collect()
}

fn parse_jwk(mut members: Map<String, Value>) -> Result<Key, KeyError> {
    let mut time = |name| match members.remove(name) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or(KeyError::Malformed),
    };
    let (not_before, expires) = (time("nbf")?, time("exp")?);
    let key = if members.contains_key("d") {
        let (signing, kid) = SigningKey::from_jwk_members(members)?;
        private(signing, kid.as_deref())
    } else {
        public(Jwk::from_members(&members)?)
    };
    Ok(Key { not_before, expires, ..key })
}

fn private(signing: SigningKey, kid: Option<&str>) -> Key {
    let jwk = signing.public_jwk(kid);
    key(&jwk, signing.algorithm(), Some(signing))
}

fn public(jwk: Jwk) -> Key {
    // As of a private key: RSA without `alg` is RS256, and Ed25519 goes without, for it has two names.
    let (algorithm, jwk) = match (jwk.key(), jwk.algorithm()) {
        (VerifyingKey::P256(_), _) => (Algorithm::Es256, jwk.with_algorithm(Algorithm::Es256)),
        (VerifyingKey::Ed25519(_), _) => (Algorithm::Ed25519, jwk),
        (VerifyingKey::Rsa(_), Some(algorithm)) => (algorithm, jwk),
        (VerifyingKey::Rsa(_), None) => (Algorithm::Rs256, jwk.with_algorithm(Algorithm::Rs256)),
    };
    let jwk = match jwk.kid() {
        Some(_) => jwk,
        None => {
            let kid = jwk.thumbprint().to_string();
            jwk.with_kid(kid)
        }
    };
    key(&jwk, algorithm, None)
}

fn key(jwk: &Jwk, algorithm: Algorithm, signing: Option<SigningKey>) -> Key {
    Key {
        kid: jwk.kid().unwrap_or_default().to_owned(),
        algorithm,
        public_jwk: jwk.to_value().to_string(),
        signing,
        not_before: None,
        expires: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::ChaCha20Rng;
    use serde_json::json;

    const END: &str = "-----END PRIVATE KEY-----";

    fn signing(algorithm: Algorithm, seed: u64) -> SigningKey {
        SigningKey::generate(algorithm, &mut ChaCha20Rng::seed_from_u64(seed)).expect("a key")
    }

    fn pem(seed: u64) -> String {
        signing(Algorithm::Es256, seed).to_pkcs8_pem().expect("PEM").to_string()
    }

    /// A private JWK with further members.
    fn jwk(algorithm: Algorithm, seed: u64, more: Value) -> Value {
        let key = signing(algorithm, seed);
        let mut jwk = key.public_jwk(None).to_value();
        for (name, value) in key.private_jwk_members() {
            jwk[name] = value.as_str().into();
        }
        for (name, value) in more.as_object().expect("members") {
            jwk[name] = value.clone();
        }
        jwk
    }

    fn set(keys: &[Value]) -> String {
        json!({ "keys": keys }).to_string()
    }

    fn kids(text: &str) -> Result<Vec<String>, KeysError> {
        parse(text).map(|keys| keys.into_iter().map(|key| key.kid).collect())
    }

    fn statuses(text: &str, now: u64) -> Vec<Option<Status>> {
        let keys = parse(text).expect("keys");
        keys.iter().map(|key| status(key, &keys, now)).collect()
    }

    #[test]
    fn blocks_are_read_in_their_order_under_their_thumbprints() {
        let (first, second) = (pem(1), pem(2));
        let kids = kids(&format!("\n{first}\n\n{second}")).expect("two keys");
        assert_eq!(
            kids,
            [parse(&first).expect("one").remove(0).kid, parse(&second).expect("one").remove(0).kid]
        );
        assert_ne!(kids[0], kids[1]);
        let key = parse(&first).expect("one").remove(0);
        let jwk = Jwk::from_json(key.public_jwk.as_bytes()).expect("a public JWK");
        assert_eq!(jwk.thumbprint().to_string(), key.kid);
        assert_eq!(statuses(&format!("{first}{second}"), 0), [Some(Status::Active); 2]);
    }

    #[test]
    fn a_public_block_is_a_retired_key_under_the_name_it_had() {
        for algorithm in [Algorithm::Es256, Algorithm::Ed25519] {
            let key = signing(algorithm, 3);
            let text = format!("{}{}", pem(1), key.verifying_key().to_spki_pem().expect("PEM"));
            let keys = parse(&text).expect("two keys");
            assert_eq!(keys[1].public_jwk, key.public_jwk(None).to_value().to_string());
            assert_eq!(keys[1].algorithm, algorithm);
            assert!(keys[1].signing.is_none());
            assert_eq!(statuses(&text, 0), [Some(Status::Active), Some(Status::Retired)]);
        }
    }

    #[test]
    fn a_jwk_set_holds_keys_of_every_kind_with_their_names() {
        let text = set(&[
            jwk(Algorithm::Es256, 1, json!({ "kid": "mine" })),
            jwk(Algorithm::Ed25519, 1, json!({ "alg": "EdDSA" })),
            signing(Algorithm::Es256, 2).public_jwk(Some("old")).to_value(),
        ]);
        let keys = parse(&text).expect("keys");
        assert_eq!((keys[0].kid.as_str(), keys[0].algorithm), ("mine", Algorithm::Es256));
        assert_eq!(keys[1].algorithm, Algorithm::Ed25519);
        assert!(!keys[1].public_jwk.contains("alg"), "{}", keys[1].public_jwk);
        assert_eq!(keys[2].kid, "old");
        assert_eq!(statuses(&text, 0), [Some(Status::Active), Some(Status::Active), Some(Status::Retired)]);
    }

    #[test]
    fn a_successor_is_published_first_and_then_retires_the_key_before_it() {
        let text = set(&[
            jwk(Algorithm::Es256, 1, json!({ "exp": 300 })),
            jwk(Algorithm::Es256, 2, json!({ "nbf": 200 })),
            jwk(Algorithm::Ed25519, 3, json!({})),
        ]);
        let active = Some(Status::Active);
        assert_eq!(statuses(&text, 199), [active, Some(Status::Upcoming), active]);
        assert_eq!(statuses(&text, 200), [Some(Status::Retired), active, active]);
        assert_eq!(statuses(&text, 299), [Some(Status::Retired), active, active]);
        assert_eq!(statuses(&text, 300), [None, active, active]);
        let keys = parse(&text).expect("keys");
        assert_eq!(
            [0, 199, 200, 300].map(|now| next_change(&keys, now)),
            [Some(200), Some(200), Some(300), None]
        );
    }

    #[test]
    fn an_expired_successor_retires_nobody() {
        let text = set(&[
            jwk(Algorithm::Es256, 1, json!({})),
            jwk(Algorithm::Es256, 2, json!({ "nbf": 1, "exp": 5 })),
        ]);
        assert_eq!(statuses(&text, 4), [Some(Status::Retired), Some(Status::Active)]);
        assert_eq!(statuses(&text, 5), [Some(Status::Active), None]);
    }

    #[test]
    fn the_public_jwk_has_no_private_member() {
        for text in [pem(1), set(&[jwk(Algorithm::Es256, 1, json!({}))])] {
            let key = parse(&text).expect("one").remove(0);
            assert!(!key.public_jwk.contains("\"d\""), "{}", key.public_jwk);
            assert!(!format!("{key:?}").contains("SigningKey"));
        }
    }

    #[test]
    fn what_is_not_blocks_one_after_the_other_is_refused_and_not_repeated() {
        let good = pem(1);
        assert_eq!(kids("").err(), Some(KeysError::NoKey));
        assert_eq!(kids("secret text").err(), Some(KeysError::NoKey));
        assert_eq!(kids(&format!("{good}secret text")).err(), Some(KeysError::Malformed));
        assert_eq!(kids(good.trim().strip_suffix(END).expect("a block")).err(), Some(KeysError::Malformed));
        let broken = good.replacen('M', "!", 1);
        let error = kids(&broken).expect_err("no key");
        assert!(matches!(error, KeysError::Unusable(1, _)));
        let line = broken.lines().nth(1).expect("a line");
        assert!(!error.to_string().contains(line));
    }

    #[test]
    fn what_is_not_a_jwk_set_is_refused() {
        for text in ["{", "{}", r#"{"keys":{}}"#, r#"{"keys":[1]}"#, r#"{"keys":[],"keys":[]}"#] {
            assert_eq!(kids(text).err(), Some(KeysError::Malformed), "{text}");
        }
        assert_eq!(kids(r#"{"keys":[]}"#).err(), Some(KeysError::NoKey));
        let good = jwk(Algorithm::Es256, 1, json!({}));
        let unusable = |changes: Value, error: KeyError| {
            let bad = jwk(Algorithm::Es256, 2, changes);
            assert_eq!(kids(&set(&[good.clone(), bad])).err(), Some(KeysError::Unusable(2, error)));
        };
        unusable(json!({ "alg": "RS256" }), KeyError::AlgorithmMismatch);
        unusable(json!({ "use": "enc" }), KeyError::NotForSignatures);
        unusable(json!({ "d": "AQAB" }), KeyError::InvalidPrivateKey);
        unusable(json!({ "nbf": "tomorrow" }), KeyError::Malformed);
        unusable(json!({ "exp": -1 }), KeyError::Malformed);
        unusable(json!({ "exp": 1.5 }), KeyError::Malformed);
        let symmetric = json!({ "kty": "oct", "k": "AQAB" });
        assert!(matches!(kids(&set(&[symmetric])), Err(KeysError::Unusable(1, KeyError::PrivateKey))));
    }

    #[test]
    fn two_keys_of_one_name_are_refused() {
        let twice = [
            jwk(Algorithm::Es256, 1, json!({ "kid": "a" })),
            jwk(Algorithm::Es256, 2, json!({ "kid": "a" })),
        ];
        assert_eq!(kids(&set(&twice)).err(), Some(KeysError::SameKid("a".to_owned())));
        assert!(matches!(kids(&pem(1).repeat(2)), Err(KeysError::SameKid(_))));
    }
}
