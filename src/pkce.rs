//! Proof Key for Code Exchange (RFC 7636). `S256` only: RFC 9700 §2.1.1 and OAuth 2.1 leave `plain` behind.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};

use crate::secret::Digest;

/// A `code_challenge` of method `S256`: BASE64URL of a SHA-256 digest (RFC 7636 §4.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeChallenge(String);

/// Why a challenge is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeError {
    /// No `code_challenge`, or one that is not 43 characters of base64url.
    Malformed,
    /// `code_challenge_method` is not `S256`. Absent, it means `plain` (RFC 7636 §4.3).
    Method,
}

impl CodeChallenge {
    /// The challenge of an authorization request (RFC 7636 §4.3).
    pub fn from_request(challenge: &str, method: Option<&str>) -> Result<Self, ChallengeError> {
        if method != Some("S256") {
            return Err(ChallengeError::Method);
        }
        let mut digest = [0; 32];
        match Base64UrlUnpadded::decode(challenge, &mut digest) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(challenge.to_owned())),
            _ => Err(ChallengeError::Malformed),
        }
    }

    /// BASE64URL(SHA256(code_verifier)) is this challenge (RFC 7636 §4.6). A verifier that breaks the grammar of
    /// §4.1 is never right.
    pub fn is_met_by(&self, verifier: &str) -> bool {
        let hash = Base64UrlUnpadded::encode_string(Digest::of(verifier.as_bytes()).as_bytes());
        is_code_verifier(verifier) && Digest::of(hash.as_bytes()) == Digest::of(self.0.as_bytes())
    }

    /// The challenge as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `code-verifier = 43*128unreserved` (RFC 7636 §4.1).
fn is_code_verifier(verifier: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_rfc_7636_appendix_b_verifies() {
        let challenge = CodeChallenge::from_request(CHALLENGE, Some("S256")).expect("RFC 7636 Appendix B");
        assert!(challenge.is_met_by(VERIFIER));
    }

    #[test]
    fn another_verifier_does_not_meet_the_challenge() {
        let challenge = CodeChallenge::from_request(CHALLENGE, Some("S256")).expect("RFC 7636 Appendix B");
        assert!(!challenge.is_met_by(&VERIFIER.replace('d', "e")));
        assert!(!challenge.is_met_by(CHALLENGE));
        assert!(!challenge.is_met_by(""));
    }

    #[test]
    fn plain_is_refused_also_where_the_method_is_absent() {
        for method in [None, Some("plain"), Some("s256"), Some("S512")] {
            assert_eq!(CodeChallenge::from_request(CHALLENGE, method), Err(ChallengeError::Method));
        }
    }

    #[test]
    fn a_challenge_is_43_characters_of_base64url() {
        let long = format!("{CHALLENGE}A");
        let standard = CHALLENGE.replace('-', "+");
        let padded = format!("{CHALLENGE}=");
        for bad in ["", "abc", &CHALLENGE[1..], &long, &standard, &padded] {
            assert_eq!(
                CodeChallenge::from_request(bad, Some("S256")),
                Err(ChallengeError::Malformed),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_verifier_outside_the_grammar_is_refused_even_if_its_hash_fits() {
        for verifier in
            ["a".repeat(42), "a".repeat(129), format!("{}é", "a".repeat(43)), format!("{} ", "a".repeat(43))]
        {
            let hash = Base64UrlUnpadded::encode_string(Digest::of(verifier.as_bytes()).as_bytes());
            let challenge = CodeChallenge::from_request(&hash, Some("S256")).expect("a digest");
            assert!(!challenge.is_met_by(&verifier), "{verifier}");
        }
    }
}
