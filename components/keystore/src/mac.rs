//! Tags over what the server hands out and wants back unchanged: HMAC-SHA256 (RFC 2104), under a key for each purpose
//! that HKDF-SHA256 (RFC 5869) derives from one secret.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The variable of the secret.
pub const VARIABLE: &str = "mac_secret";

/// The variable of the secret before it, still accepted when a tag is checked.
pub const PREVIOUS_VARIABLE: &str = "mac_secret_previous";

/// "Keys … less than L bytes [of the hash's output] is strongly discouraged" (RFC 2104 §3). Text has less than 8 bits of
/// randomness in a byte, so this is the least, not the best.
pub const MIN_LEN: usize = 32;

/// Keeps these keys apart from whatever else the operator derives from the same secret.
const SALT: &[u8] = b"attesto:keystore mac";

/// The secrets are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretError {
    /// The variable is empty.
    Absent,
    /// The variable of this name has fewer than [`MIN_LEN`] bytes.
    TooShort(&'static str),
}

impl std::fmt::Display for SecretError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => write!(f, "the variable `{VARIABLE}` is empty, and something needs it"),
            Self::TooShort(name) => write!(f, "the variable `{name}` has fewer than {MIN_LEN} bytes"),
        }
    }
}

/// The secret in use and, while it is being replaced, the one before it.
pub struct Secrets {
    current: Zeroizing<String>,
    previous: Option<Zeroizing<String>>,
}

impl Secrets {
    /// Takes the values of the two variables; an empty one is absent.
    pub fn new(current: String, previous: String) -> Result<Self, SecretError> {
        let [current, previous] = [(current, VARIABLE), (previous, PREVIOUS_VARIABLE)].map(|(text, name)| {
            let text = Zeroizing::new(text);
            match text.len() {
                0 => Ok(None),
                1..MIN_LEN => Err(SecretError::TooShort(name)),
                _ => Ok(Some(text)),
            }
        });
        Ok(Self { current: current?.ok_or(SecretError::Absent)?, previous: previous? })
    }

    /// The tag over `input`. `None` is a fault of the primitives, which these lengths do not bring about.
    pub fn tag(&self, purpose: &str, input: &[u8]) -> Option<Vec<u8>> {
        Some(mac(&self.current, purpose, input)?.finalize().into_bytes().to_vec())
    }

    /// Whether `tag` was made over `input` for `purpose` with either secret.
    pub fn verify(&self, purpose: &str, input: &[u8], tag: &[u8]) -> bool {
        let right =
            |secret: &str| mac(secret, purpose, input).is_some_and(|mac| mac.verify_slice(tag).is_ok());
        right(&self.current) || self.previous.as_ref().is_some_and(|previous| right(previous))
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

fn mac(secret: &str, purpose: &str, input: &[u8]) -> Option<Hmac<Sha256>> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(SALT), secret.as_bytes()).expand(purpose.as_bytes(), key.as_mut()).ok()?;
    Some(Hmac::<Sha256>::new_from_slice(key.as_ref()).ok()?.chain_update(input))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "an old secret of thirty-two bytes";
    const NEW: &str = "a new secret of thirty-two bytes.";

    fn secrets(current: &str, previous: &str) -> Result<Secrets, SecretError> {
        Secrets::new(current.to_owned(), previous.to_owned())
    }

    /// The value is Python's, from its `hmac` alone.
    #[test]
    fn a_tag_is_what_another_implementation_makes_of_it() {
        let tag = secrets(OLD, "").expect("a secret").tag("dpop-nonce", b"input").expect("a tag");
        let hex: String = tag.iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(hex, "f67a2e4314aaf9da7269e9cbf57bbac9cfd9e69aa911d47f4bef362364770e6b");
    }

    #[test]
    fn a_tag_is_for_one_purpose_one_input_and_whole() {
        let secrets = secrets(OLD, "").expect("a secret");
        let tag = secrets.tag("a", b"input").expect("a tag");
        assert!(secrets.verify("a", b"input", &tag));
        assert!(!secrets.verify("b", b"input", &tag));
        assert!(!secrets.verify("a", b"inputs", &tag));
        assert!(!secrets.verify("ai", b"nput", &tag));
        assert!(!secrets.verify("a", b"input", &tag[..31]));
        assert!(!secrets.verify("a", b"input", &[]));
        assert!(!secrets.verify("a", b"input", &[0; 32]));
    }

    #[test]
    fn the_previous_secret_is_accepted_and_makes_no_tags() {
        let old = secrets(OLD, "").expect("a secret");
        let both = secrets(NEW, OLD).expect("secrets");
        let new = secrets(NEW, "").expect("a secret");
        let tag = old.tag("a", b"input").expect("a tag");
        assert!(both.verify("a", b"input", &tag));
        assert!(!new.verify("a", b"input", &tag));
        assert_eq!(both.tag("a", b"input"), new.tag("a", b"input"));
    }

    #[test]
    fn an_absent_or_short_secret_is_named() {
        assert_eq!(secrets("", "").err(), Some(SecretError::Absent));
        assert_eq!(secrets("", OLD).err(), Some(SecretError::Absent));
        assert_eq!(secrets(&OLD[..31], "").err(), Some(SecretError::TooShort(VARIABLE)));
        assert_eq!(secrets(NEW, &OLD[..31]).err(), Some(SecretError::TooShort(PREVIOUS_VARIABLE)));
        assert!(!format!("{:?}", secrets(NEW, OLD)).contains("thirty"));
    }
}
