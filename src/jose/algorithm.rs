//! Signature algorithms by their registered names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer, de};

/// A JWS `alg` this implementation signs and verifies with (RFC 7518 §3.1, RFC 9864 §2.2).
///
/// `none` and the HMAC family have no value here, so no configuration and no token can ask for them.
///
/// One algorithm has two names: RFC 9864 calls `Ed25519` what RFC 8037 called `EdDSA` over that curve. Both are
/// values, because clients compare the name they registered with the one in the token: a client that asked for `EdDSA`
/// is answered with `EdDSA`. Where the question is what a name permits, [`Algorithm::agrees_with`] takes them for the
/// same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// `ES256`: ECDSA using P-256 and SHA-256 (RFC 7518 §3.4).
    Es256,
    /// `Ed25519`: EdDSA using Ed25519 (RFC 9864 §2.2).
    Ed25519,
    /// `EdDSA`: the older name (RFC 8037 §3.1), which Ed448 could hide behind as well; here it means `Ed25519` only.
    EdDsa,
    /// `PS256`: RSASSA-PSS using SHA-256 and MGF1 with SHA-256 (RFC 7518 §3.5).
    Ps256,
    /// `RS256`: RSASSA-PKCS1-v1_5 using SHA-256 (RFC 7518 §3.3).
    Rs256,
}

/// The name is not one of [`Algorithm::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown signature algorithm")]
pub struct UnknownAlgorithm;

impl Algorithm {
    /// Every name, the preferred one first.
    pub const ALL: &[Self] = &[Self::Es256, Self::Ed25519, Self::EdDsa, Self::Ps256, Self::Rs256];

    /// The registered name, as `alg` carries it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Ed25519 => "Ed25519",
            Self::EdDsa => "EdDSA",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
        }
    }

    /// Whether both names mean the same computation.
    pub fn agrees_with(self, other: Self) -> bool {
        self.fully_specified() == other.fully_specified()
    }

    /// The name that alone says everything (RFC 9864 §1).
    const fn fully_specified(self) -> Self {
        match self {
            Self::EdDsa => Self::Ed25519,
            Self::Es256 | Self::Ed25519 | Self::Ps256 | Self::Rs256 => self,
        }
    }

    /// Octets of a JWS signature, where the algorithm alone fixes them.
    pub(crate) const fn signature_len(self) -> Option<usize> {
        match self {
            Self::Es256 => Some(super::es256::SIGNATURE_LEN),
            Self::Ed25519 | Self::EdDsa => Some(super::ed25519::SIGNATURE_LEN),
            // As long as the modulus (RFC 8017 §8.1.1, §8.2.1).
            Self::Ps256 | Self::Rs256 => None,
        }
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// Names are case-sensitive (RFC 7515 §4.1.1).
    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.name() == name).ok_or(UnknownAlgorithm)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Algorithm {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_round_trips() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.name().parse(), Ok(*algorithm));
        }
    }

    #[test]
    fn only_the_two_names_of_ed25519_agree() {
        for one in Algorithm::ALL {
            for other in Algorithm::ALL {
                let two_names = [Algorithm::Ed25519, Algorithm::EdDsa];
                let same = one == other || (two_names.contains(one) && two_names.contains(other));
                assert_eq!(one.agrees_with(*other), same, "{one} {other}");
            }
        }
    }

    #[test]
    fn none_hmac_and_other_spellings_are_unknown() {
        for name in [
            "none", "None", "NONE", "", "HS256", "HS384", "HS512", "es256", "Rs256", "ES256 ", "RS1",
            "RS384", "PS384", "PS512", "ES384", "ES512", "ES256K", "Ed448", "eddsa", "ed25519", "ED25519",
        ] {
            assert_eq!(name.parse::<Algorithm>(), Err(UnknownAlgorithm), "{name:?}");
        }
    }
}
