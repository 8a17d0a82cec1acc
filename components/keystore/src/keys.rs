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
