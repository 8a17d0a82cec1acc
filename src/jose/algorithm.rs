//! Signature algorithms by their registered names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer, de};

/// A JWS `alg` this implementation signs and verifies with (RFC 7518 §3.1).
///
/// `none` and the HMAC family have no value here, so no configuration and no token can ask for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// `ES256`: ECDSA using P-256 and SHA-256 (RFC 7518 §3.4).
    Es256,
    /// `RS256`: RSASSA-PKCS1-v1_5 using SHA-256 (RFC 7518 §3.3).
    Rs256,
}

/// The name is not one of [`Algorithm::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown signature algorithm")]
pub struct UnknownAlgorithm;

impl Algorithm {
    /// Every algorithm, the preferred one first.
    pub const ALL: &[Self] = &[Self::Es256, Self::Rs256];

    /// The registered name, as `alg` carries it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    /// Octets of a JWS signature, where the algorithm alone fixes them.
    pub(crate) const fn signature_len(self) -> Option<usize> {
        match self {
            Self::Es256 => Some(super::es256::SIGNATURE_LEN),
            // As long as the modulus (RFC 8017 §8.2.1).
            Self::Rs256 => None,
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
    fn none_hmac_and_other_spellings_are_unknown() {
        for name in ["none", "None", "NONE", "", "HS256", "HS384", "HS512", "es256", "Rs256", "ES256 ", "RS1"]
        {
            assert_eq!(name.parse::<Algorithm>(), Err(UnknownAlgorithm), "{name:?}");
        }
    }
}
