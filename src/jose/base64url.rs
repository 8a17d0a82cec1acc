//! base64url as JOSE means it: "with all trailing '=' characters omitted … and without the inclusion of any line
//! breaks, whitespace, or other additional characters" (RFC 7515 §2).
//!
//! Decoding is strict: one octet string has exactly one accepted spelling, so a token cannot be rewritten into another
//! string with the same meaning.

use base64ct::{Base64UrlUnpadded, Encoding};

/// The text is not base64url without padding, in its canonical spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not canonical base64url without padding")]
pub struct InvalidBase64Url;

/// Encodes `bytes` without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    Base64UrlUnpadded::encode_string(bytes.as_ref())
}

/// Decodes `text`, refusing padding, whitespace, the other alphabet's `+` and `/`, and pad bits that are not zero
/// (RFC 4648 §3.5: decoders "MAY choose to reject" those; this one does).
pub fn decode(text: &str) -> Result<Vec<u8>, InvalidBase64Url> {
    Base64UrlUnpadded::decode_vec(text).map_err(|_| InvalidBase64Url)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 §10, without padding.
    #[test]
    fn rfc_4648_vectors_round_trip() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).unwrap(), bytes.as_bytes());
        }
    }

    /// RFC 7515 Appendix C.
    #[test]
    fn rfc_7515_appendix_c_vector_round_trips() {
        assert_eq!(encode([3, 236, 255, 224, 193]), "A-z_4ME");
        assert_eq!(decode("A-z_4ME").unwrap(), [3, 236, 255, 224, 193]);
    }

    #[test]
    fn anything_but_the_canonical_spelling_is_refused() {
        for text in [
            "Zg==",        // padding
            "Zm8=",        //
            "=",           //
            " Zg",         // whitespace
            "Zg ",         //
            "Zm9v\n",      //
            "Zm\t9v",      //
            "A+z/4ME",     // the standard alphabet
            "Zh",          // pad bits not zero, one octet
            "Zm9",         // pad bits not zero, two octets
            "Z",           // no octet ends after six bits
            "Zm9vY",       //
            "Zm9v\u{e9}g", // outside ASCII
            "Zm9v\0",      //
        ] {
            assert_eq!(decode(text), Err(InvalidBase64Url), "{text:?}");
        }
    }
}
