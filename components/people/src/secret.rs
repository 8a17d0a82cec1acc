//! Random values, their digests, and authentication codes over form fields.

use crate::store::Unavailable;
use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt;

/// A cryptographically strong source of random bytes.
pub trait Random {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Unavailable>;
}

impl<F: Fn(&mut [u8]) -> Result<(), Unavailable>> Random for F {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
        self(bytes)
    }
}

/// 256 random bits in base64url: 43 characters. Known to one browser; the store sees only its digest.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    const LENGTH: usize = 43;

    /// A fresh one.
    pub fn random(random: &impl Random) -> Result<Self, Unavailable> {
        let mut bytes = [0; 32];
        random.fill(&mut bytes)?;
        Ok(Self(Base64UrlUnpadded::encode_string(&bytes)))
    }

    /// One that came back from the browser, where it has the right form.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = text.len() == Self::LENGTH
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The text the browser keeps.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256 in base64url.
pub fn digest(text: &str) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(text.as_bytes()))
}

/// HMAC-SHA-256 under a browser's own secret, for one `purpose`, over `fields`.
pub fn seal(key: &Secret, purpose: &str, fields: &[&str]) -> String {
    Base64UrlUnpadded::encode_string(&mac(key, purpose, fields).finalize().into_bytes())
}

/// Whether `tag` is the [`seal`] of these values; compared in constant time.
pub fn is_sealed(key: &Secret, purpose: &str, fields: &[&str], tag: &str) -> bool {
    let mut buffer = [0; 32];
    Base64UrlUnpadded::decode(tag, &mut buffer)
        .is_ok_and(|tag| mac(key, purpose, fields).verify_slice(tag).is_ok())
}

fn mac(key: &Secret, purpose: &str, fields: &[&str]) -> Hmac<Sha256> {
    // RFC 2104 §2: a key shorter than the hash's block is padded with zeros.
    let mut block = [0; 64];
    block.iter_mut().zip(key.0.bytes()).for_each(|(slot, byte)| *slot = byte);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    // Each field goes in behind its length, so no two lists of fields give the same input.
    for field in std::iter::once(&purpose).chain(fields) {
        mac.update(&(field.len() as u64).to_be_bytes());
        mac.update(field.as_bytes());
    }
    mac
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::cell::Cell;

    /// Distinct, predictable bytes.
    pub(crate) fn counting() -> impl Random {
        let next = Cell::new(0u8);
        move |bytes: &mut [u8]| {
            bytes.fill(next.get());
            next.set(next.get().wrapping_add(1));
            Ok(())
        }
    }

    #[test]
    fn a_secret_has_256_bits_and_does_not_show_in_debug_output() {
        let secret = Secret::random(&counting()).unwrap();
        assert_eq!(secret.expose(), "A".repeat(43));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn only_43_base64url_characters_are_a_secret() {
        assert!(Secret::parse(&"a".repeat(43)).is_some());
        for wrong in [
            "",
            &"a".repeat(42),
            &"a".repeat(44),
            &format!("{}=", "a".repeat(42)),
            &format!("{}/", "a".repeat(42)),
        ] {
            assert!(Secret::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_seal_depends_on_key_purpose_and_the_borders_between_fields() {
        let random = counting();
        let (key, other) = (Secret::random(&random).unwrap(), Secret::random(&random).unwrap());
        let tag = seal(&key, "consent", &["ab", "c"]);
        assert!(is_sealed(&key, "consent", &["ab", "c"], &tag));
        assert!(!is_sealed(&other, "consent", &["ab", "c"], &tag));
        assert!(!is_sealed(&key, "switch", &["ab", "c"], &tag));
        assert!(!is_sealed(&key, "consent", &["a", "bc"], &tag));
        assert!(!is_sealed(&key, "consent", &["ab"], &tag));
        for malformed in ["", "A", &tag[..42], &format!("{tag}AAAA"), "ä"] {
            assert!(!is_sealed(&key, "consent", &["ab", "c"], malformed));
        }
    }
}
