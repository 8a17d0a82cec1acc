//! The signing keys.

use std::fmt;

use attesto::jose::SigningKey;

/// The variable the keys are in: PKCS#8 PEM blocks (RFC 5958, RFC 7468 §10), one after the other, the preferred key of
/// each algorithm first.
pub const VARIABLE: &str = "signing_keys";

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// A private key and what others may see of it. `Debug` shows the `kid` only.
pub struct Key {
    /// The RFC 7638 thumbprint of the public key.
    pub kid: String,
    /// The public JWK.
    pub public_jwk: String,
    /// The private key.
    pub signing: SigningKey,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// Why the variable does not hold keys. No part of its text is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeysError {
    /// There is no PEM block in it.
    NoKey,
    /// There is text between the blocks, or a block does not end.
    Malformed,
    /// The block with this number, from 1, is no key this server can use.
    Unusable(usize, String),
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => write!(f, "the variable `{VARIABLE}` holds no PEM block `PRIVATE KEY`"),
            Self::Malformed => write!(f, "the variable `{VARIABLE}` is not PEM blocks one after the other"),
            Self::Unusable(number, cause) => write!(f, "key {number} of the variable `{VARIABLE}`: {cause}"),
        }
    }
}

/// Reads the keys.
pub fn parse(text: &str) -> Result<Vec<Key>, KeysError> {
    let mut keys = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if !rest.starts_with(BEGIN) {
            return Err(if keys.is_empty() { KeysError::NoKey } else { KeysError::Malformed });
        }
        let (block, after) = rest.split_once(END).ok_or(KeysError::Malformed)?;
        let signing = SigningKey::from_pkcs8_pem(&format!("{block}{END}\n"))
            .map_err(|error| KeysError::Unusable(keys.len() + 1, error.to_string()))?;
        let jwk = signing.public_jwk(None);
        let public_jwk = jwk.to_value().to_string();
        keys.push(Key { kid: jwk.kid().unwrap_or_default().to_owned(), public_jwk, signing });
        rest = after.trim_start();
    }
    if keys.is_empty() { Err(KeysError::NoKey) } else { Ok(keys) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attesto::jose::{Algorithm, Jwk};
    use rand::SeedableRng;
    use rand::rngs::ChaCha20Rng;

    fn pem(seed: u64) -> String {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let key = SigningKey::generate(Algorithm::Es256, &mut rng).expect("a key");
        key.to_pkcs8_pem().expect("PEM").to_string()
    }

    fn kids(text: &str) -> Result<Vec<String>, KeysError> {
        parse(text).map(|keys| keys.into_iter().map(|key| key.kid).collect())
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
    }

    #[test]
    fn the_public_jwk_has_no_private_member() {
        let key = parse(&pem(1)).expect("one").remove(0);
        assert!(!key.public_jwk.contains("\"d\""), "{}", key.public_jwk);
        assert!(!format!("{key:?}").contains("SigningKey"));
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
}
