//! A key of any supported kind, public or private.

use rand_core::CryptoRng;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::jwk::{Jwk, KeyError, PrivateMembers};
use super::{Algorithm, base64url, es256, json, rs256, rsa_key};

/// The signature does not belong to this key and this text. No detail is kept: none would help an honest caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid signature")]
pub struct InvalidSignature;

/// The public material of one key, parsed and checked once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyingKey {
    /// An EC key on P-256.
    P256(es256::PublicKey),
    /// An RSA key.
    Rsa(rsa_key::PublicKey),
}

impl VerifyingKey {
    /// The algorithms this kind of key can be used with (RFC 7518 §3.1).
    pub const fn algorithms(&self) -> &'static [Algorithm] {
        match self {
            Self::P256(_) => &[Algorithm::Es256],
            Self::Rsa(_) => &[Algorithm::Rs256],
        }
    }

    /// Checks `signature` over `input`. An algorithm of another kind of key is an invalid signature, never a
    /// different computation.
    pub fn verify(
        &self,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        match (self, algorithm) {
            (Self::P256(key), Algorithm::Es256) => key.verify(input, signature),
            (Self::Rsa(key), Algorithm::Rs256) => rs256::verify(key, input, signature),
            (Self::P256(_), Algorithm::Rs256) | (Self::Rsa(_), Algorithm::Es256) => Err(InvalidSignature),
        }
    }
}

/// A private key together with the one algorithm it signs with. Zeroized on drop; `Debug` shows no number of it.
#[derive(Clone, Debug)]
pub enum SigningKey {
    /// Signs with `ES256`.
    Es256(es256::SigningKey),
    /// Signs with `RS256`.
    Rs256(rs256::SigningKey),
}

impl SigningKey {
    /// Makes a new key from `rng`; RSA keys have 2048 bits and take seconds to find.
    pub fn generate<R: CryptoRng + ?Sized>(algorithm: Algorithm, rng: &mut R) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::Es256 => Ok(Self::Es256(es256::SigningKey::generate(rng))),
            Algorithm::Rs256 => rs256::SigningKey::generate(rng, rsa_key::MIN_BITS).map(Self::Rs256),
        }
    }

    /// Reads a PKCS#8 PEM; the kind of key in it decides the algorithm.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, KeyError> {
        match es256::SigningKey::from_pkcs8_pem(pem) {
            Ok(key) => Ok(Self::Es256(key)),
            Err(_) => rs256::SigningKey::from_pkcs8_pem(pem).map(Self::Rs256),
        }
    }

    /// Reads a PKCS#8 DER; the kind of key in it decides the algorithm.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        match es256::SigningKey::from_pkcs8_der(der) {
            Ok(key) => Ok(Self::Es256(key)),
            Err(_) => rs256::SigningKey::from_pkcs8_der(der).map(Self::Rs256),
        }
    }

    /// Reads a private JWK (RFC 7518 §6.2.2, §6.3.2) and gives its `kid` beside it. The public half must belong to it.
    pub fn from_jwk(text: &[u8]) -> Result<(Self, Option<String>), KeyError> {
        let mut members = json::object(text).map_err(|_| KeyError::Malformed)?;
        let private = PrivateMembers::take_from(&mut members);
        let secret = |name: &'static str| private.octets(name)?.ok_or(KeyError::Missing(name));
        let jwk = Jwk::for_signing(&members)?;
        let key = match jwk.key() {
            VerifyingKey::P256(_) => Self::Es256(es256::SigningKey::from_scalar(&secret("d")?)?),
            // Keys of more than two primes are rare and their import is another computation.
            VerifyingKey::Rsa(_) if private.has("oth") => return Err(KeyError::InvalidPrivateKey),
            VerifyingKey::Rsa(public) => {
                let primes = match (private.octets("p")?, private.octets("q")?) {
                    (Some(p), Some(q)) => Some([p, q]),
                    (None, None) => None,
                    _ => return Err(KeyError::InvalidPrivateKey),
                };
                let components = rsa_key::PrivateComponents { d: secret("d")?, primes };
                Self::Rs256(rs256::SigningKey::from_components(public, &components)?)
            }
        };
        if key.verifying_key() != *jwk.key() {
            return Err(KeyError::InvalidPrivateKey);
        }
        Ok((key, jwk.kid().map(str::to_owned)))
    }

    /// Writes the key as PKCS#8 PEM.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        match self {
            Self::Es256(key) => key.to_pkcs8_pem(),
            Self::Rs256(key) => key.to_pkcs8_pem(),
        }
    }

    /// The algorithm this key signs with.
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Es256(_) => Algorithm::Es256,
            Self::Rs256(_) => Algorithm::Rs256,
        }
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        match self {
            Self::Es256(key) => VerifyingKey::P256(key.public_key()),
            Self::Rs256(key) => VerifyingKey::Rsa(key.public_key()),
        }
    }

    /// The public JWK under `kid`, or under the key's RFC 7638 thumbprint if none is given.
    pub fn public_jwk(&self, kid: Option<&str>) -> Jwk {
        let jwk = Jwk::new(self.verifying_key()).with_algorithm(self.algorithm());
        let kid = kid.map_or_else(|| jwk.thumbprint().to_string(), str::to_owned);
        jwk.with_kid(kid)
    }

    /// Signs `input` and gives the signature in its JWS form. `rng` blinds RSA against timing; ES256 does not use it.
    /// `None` is a fault of the private operation, never of the input.
    pub fn sign<R: CryptoRng + ?Sized>(&self, rng: &mut R, input: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Es256(key) => Some(key.sign(input)),
            Self::Rs256(key) => rs256::sign(key, rng, input),
        }
    }
}

/// Decodes a base64url member of a private JWK into memory that is wiped.
pub(super) fn secret_octets(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    base64url::decode(text).map(Zeroizing::new).map_err(|_| KeyError::Malformed)
}

/// The members of a JWK object.
pub(super) type Members = Map<String, Value>;
