//! A key of any supported kind, public or private.

use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use pkcs8::{Document, ObjectIdentifier, PrivateKeyInfoRef, SecretDocument};
use rand_core::CryptoRng;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::jwk::{Jwk, KeyError, PrivateMembers};
use super::{Algorithm, base64url, ed25519, es256, json, ps256, rs256, rsa_key};

/// The signature does not belong to this key and this text. No detail is kept: none would help an honest caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid signature")]
pub struct InvalidSignature;

/// The public material of one key, parsed and checked once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyingKey {
    /// An EC key on P-256.
    P256(es256::PublicKey),
    /// An OKP key on Ed25519.
    Ed25519(ed25519::PublicKey),
    /// An RSA key.
    Rsa(rsa_key::PublicKey),
}

impl VerifyingKey {
    /// The algorithms this kind of key can be used with (RFC 7518 §3.1, RFC 9864 §2.2).
    pub const fn algorithms(&self) -> &'static [Algorithm] {
        match self {
            Self::P256(_) => &[Algorithm::Es256],
            Self::Ed25519(_) => &[Algorithm::Ed25519, Algorithm::EdDsa],
            Self::Rsa(_) => &[Algorithm::Ps256, Algorithm::Rs256],
        }
    }

    /// Reads an SPKI PEM (`BEGIN PUBLIC KEY`, RFC 7468 §13).
    pub fn from_spki_pem(pem: &str) -> Result<Self, KeyError> {
        match Document::from_pem(pem).map_err(|_| KeyError::Malformed)? {
            ("PUBLIC KEY", document) => Self::from_spki_der(document.as_bytes()),
            _ => Err(KeyError::Malformed),
        }
    }

    /// Reads a `SubjectPublicKeyInfo` (RFC 5280 §4.1) in DER.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        let info = SubjectPublicKeyInfoRef::try_from(der).map_err(|_| KeyError::Malformed)?;
        match Kind::of(&info.algorithm)? {
            Kind::P256 => es256::PublicKey::from_spki(info).map(Self::P256),
            Kind::Ed25519 => {
                let point = info.subject_public_key.as_bytes().ok_or(KeyError::Malformed)?;
                ed25519::PublicKey::from_octets(point).map(Self::Ed25519)
            }
            Kind::Rsa => rsa_key::PublicKey::from_spki(info).map(Self::Rsa),
        }
    }

    /// Writes the key as SPKI PEM.
    pub fn to_spki_pem(&self) -> Result<String, KeyError> {
        match self {
            Self::P256(key) => key.to_spki_pem(),
            Self::Ed25519(key) => key.to_spki_pem(),
            Self::Rsa(key) => key.to_spki_pem(),
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
            (Self::Ed25519(key), Algorithm::Ed25519 | Algorithm::EdDsa) => key.verify(input, signature),
            (Self::Rsa(key), Algorithm::Ps256) => ps256::verify(key, input, signature),
            (Self::Rsa(key), Algorithm::Rs256) => rs256::verify(key, input, signature),
            (Self::P256(_) | Self::Rsa(_), Algorithm::Ed25519 | Algorithm::EdDsa)
            | (Self::P256(_) | Self::Ed25519(_), Algorithm::Ps256 | Algorithm::Rs256)
            | (Self::Ed25519(_) | Self::Rsa(_), Algorithm::Es256) => Err(InvalidSignature),
        }
    }
}

/// What an `AlgorithmIdentifier` says a key is.
enum Kind {
    P256,
    Ed25519,
    Rsa,
}

impl Kind {
    /// id-ecPublicKey and, as its parameter, secp256r1 (RFC 5480 §2.1.1).
    const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
    const P256_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
    /// id-Ed25519 (RFC 8410 §3).
    const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
    /// rsaEncryption (RFC 8017 A.1).
    const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
    /// id-RSASSA-PSS (RFC 4055 §3.1).
    const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");

    fn of(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<Self, KeyError> {
        match algorithm.oid {
            Self::EC => match algorithm.parameters_oid() {
                Ok(Self::P256_CURVE) => Ok(Self::P256),
                _ => Err(KeyError::UnknownCurve),
            },
            Self::ED25519 => Ok(Self::Ed25519),
            Self::RSA => Ok(Self::Rsa),
            // Such a key carries hash and salt length of its own, which `PS256` would have to be checked against.
            Self::RSA_PSS => Err(KeyError::PssParameters),
            _ => Err(KeyError::UnknownKeyType),
        }
    }
}

/// A private key together with the one algorithm it signs with. Zeroized on drop; `Debug` shows no number of it.
#[derive(Clone, Debug)]
pub enum SigningKey {
    /// Signs with `ES256`.
    Es256(es256::SigningKey),
    /// Signs with `Ed25519`, under either of its names.
    Ed25519(ed25519::SigningKey),
    /// Signs with `PS256`.
    Ps256(ps256::SigningKey),
    /// Signs with `RS256`.
    Rs256(rs256::SigningKey),
}

impl SigningKey {
    /// Makes a new key from `rng`; RSA keys have 2048 bits and take seconds to find.
    pub fn generate<R: CryptoRng + ?Sized>(algorithm: Algorithm, rng: &mut R) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::Es256 => Ok(Self::Es256(es256::SigningKey::generate(rng))),
            Algorithm::Ed25519 | Algorithm::EdDsa => Ok(Self::Ed25519(ed25519::SigningKey::generate(rng))),
            Algorithm::Ps256 => rsa_key::PrivateKey::generate(rng, rsa_key::MIN_BITS).map(Self::Ps256),
            Algorithm::Rs256 => rsa_key::PrivateKey::generate(rng, rsa_key::MIN_BITS).map(Self::Rs256),
        }
    }

    /// Reads a PKCS#8 PEM (`BEGIN PRIVATE KEY`, RFC 7468 §10), as [`SigningKey::from_pkcs8_der`] does.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, KeyError> {
        match SecretDocument::from_pem(pem).map_err(|_| KeyError::InvalidPrivateKey)? {
            ("PRIVATE KEY", document) => Self::from_pkcs8_der(document.as_bytes()),
            _ => Err(KeyError::InvalidPrivateKey),
        }
    }

    /// Reads a PKCS#8 `PrivateKeyInfo` (RFC 5958) in DER. The kind of key in it decides the algorithm; an RSA key signs
    /// with `RS256` until [`SigningKey::with_algorithm`] says otherwise.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| KeyError::InvalidPrivateKey)?;
        match Kind::of(&info.algorithm)? {
            Kind::P256 => es256::SigningKey::from_pkcs8(info).map(Self::Es256),
            Kind::Ed25519 => ed25519::SigningKey::from_pkcs8(info).map(Self::Ed25519),
            Kind::Rsa => rsa_key::PrivateKey::from_pkcs8(info).map(Self::Rs256),
        }
    }

    /// Reads a private JWK (RFC 7518 §6.2.2, §6.3.2, RFC 8037 §2) and gives its `kid` beside it. The public half must
    /// belong to it. An RSA key without `alg` signs with `RS256`.
    pub fn from_jwk(text: &[u8]) -> Result<(Self, Option<String>), KeyError> {
        Self::from_jwk_members(json::object(text).map_err(|_| KeyError::Malformed)?)
    }

    /// Reads a private JWK that is a member of another object, such as a JWK Set.
    pub fn from_jwk_members(mut members: Members) -> Result<(Self, Option<String>), KeyError> {
        let private = PrivateMembers::take_from(&mut members);
        let secret = |name: &'static str| private.octets(name)?.ok_or(KeyError::Missing(name));
        let jwk = Jwk::for_signing(&members)?;
        let key = match jwk.key() {
            VerifyingKey::P256(_) => Self::Es256(es256::SigningKey::from_scalar(&secret("d")?)?),
            VerifyingKey::Ed25519(_) => Self::Ed25519(ed25519::SigningKey::from_octets(&secret("d")?)?),
            // Keys of more than two primes are rare and their import is another computation.
            VerifyingKey::Rsa(_) if private.has("oth") => return Err(KeyError::InvalidPrivateKey),
            VerifyingKey::Rsa(public) => {
                let primes = match (private.octets("p")?, private.octets("q")?) {
                    (Some(p), Some(q)) => Some([p, q]),
                    (None, None) => None,
                    _ => return Err(KeyError::InvalidPrivateKey),
                };
                let components = rsa_key::PrivateComponents { d: secret("d")?, primes };
                Self::Rs256(rsa_key::PrivateKey::from_components(public, &components)?)
            }
        };
        if key.verifying_key() != *jwk.key() {
            return Err(KeyError::InvalidPrivateKey);
        }
        let key = match jwk.algorithm() {
            Some(algorithm) => key.with_algorithm(algorithm)?,
            None => key,
        };
        Ok((key, jwk.kid().map(str::to_owned)))
    }

    /// Ties the key to another algorithm of its kind: an RSA key to `PS256` or `RS256`.
    pub fn with_algorithm(self, algorithm: Algorithm) -> Result<Self, KeyError> {
        match (self, algorithm) {
            (Self::Ps256(key) | Self::Rs256(key), Algorithm::Ps256) => Ok(Self::Ps256(key)),
            (Self::Ps256(key) | Self::Rs256(key), Algorithm::Rs256) => Ok(Self::Rs256(key)),
            (key, algorithm) if key.algorithm().agrees_with(algorithm) => Ok(key),
            _ => Err(KeyError::AlgorithmMismatch),
        }
    }

    /// Writes the key as PKCS#8 PEM, which cannot say that an RSA key is for `PS256`.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        match self {
            Self::Es256(key) => key.to_pkcs8_pem(),
            Self::Ed25519(key) => key.to_pkcs8_pem(),
            Self::Ps256(key) | Self::Rs256(key) => key.to_pkcs8_pem(),
        }
    }

    /// The private members of this key's JWK, to be joined with those of [`SigningKey::public_jwk`].
    pub fn private_jwk_members(&self) -> Vec<(&'static str, Zeroizing<String>)> {
        let member =
            |(name, octets): (_, Zeroizing<Vec<u8>>)| (name, Zeroizing::new(base64url::encode(&*octets)));
        match self {
            Self::Es256(key) => vec![member(("d", key.scalar()))],
            Self::Ed25519(key) => vec![member(("d", Zeroizing::new(key.octets().to_vec())))],
            Self::Ps256(key) | Self::Rs256(key) => key.components().into_iter().map(member).collect(),
        }
    }

    /// The algorithm this key signs with; `Ed25519` under the name that RFC 9864 prefers.
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Es256(_) => Algorithm::Es256,
            Self::Ed25519(_) => Algorithm::Ed25519,
            Self::Ps256(_) => Algorithm::Ps256,
            Self::Rs256(_) => Algorithm::Rs256,
        }
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        match self {
            Self::Es256(key) => VerifyingKey::P256(key.public_key()),
            Self::Ed25519(key) => VerifyingKey::Ed25519(key.public_key()),
            Self::Ps256(key) | Self::Rs256(key) => VerifyingKey::Rsa(key.public_key()),
        }
    }

    /// The public JWK under `kid`, or under the key's RFC 7638 thumbprint if none is given.
    pub fn public_jwk(&self, kid: Option<&str>) -> Jwk {
        let jwk = Jwk::new(self.verifying_key());
        let kid = kid.map_or_else(|| jwk.thumbprint().to_string(), str::to_owned);
        let jwk = jwk.with_kid(kid);
        match self {
            // `alg` is OPTIONAL (RFC 7517 §4.4), and clients compare it letter by letter with the token's: stating one
            // name would hide the key from tokens that bear the other. The curve says it all.
            Self::Ed25519(_) => jwk,
            Self::Es256(_) | Self::Ps256(_) | Self::Rs256(_) => jwk.with_algorithm(self.algorithm()),
        }
    }

    /// Signs `input` and gives the signature in its JWS form. `rng` salts PSS and blinds RSA against timing; the
    /// others do not use it. `None` is a fault of the private operation, never of the input.
    pub fn sign<R: CryptoRng + ?Sized>(&self, rng: &mut R, input: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Es256(key) => Some(key.sign(input)),
            Self::Ed25519(key) => Some(key.sign(input)),
            Self::Ps256(key) => ps256::sign(key, rng, input),
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
