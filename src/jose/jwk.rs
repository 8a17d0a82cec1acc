//! JSON Web Keys: public keys that check signatures (RFC 7517, RFC 7518 §6), and their thumbprints (RFC 7638).

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::key::{Members, secret_octets};
use super::{
    Algorithm, InvalidSignature, VerifyingKey, base64url, ed25519, es256, json as strict_json, rsa_key,
};

/// Octets of a JWK Set worth reading: dozens of keys with their certificate chains.
pub const MAX_SET_LEN: usize = 256 * 1024;

/// Keys of a set worth keeping. An issuer has a handful.
pub const MAX_KEYS: usize = 64;

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a JSON object with unique names, or a member of the wrong type or encoding.
    #[error("malformed JWK")]
    Malformed,
    /// A member the key type requires is absent.
    #[error("JWK without `{0}`")]
    Missing(&'static str),
    /// A `kty` this implementation does not know.
    #[error("unsupported key type")]
    UnknownKeyType,
    /// A `crv` this implementation does not know.
    #[error("unsupported curve")]
    UnknownCurve,
    /// An `alg` this implementation does not know.
    #[error("unsupported algorithm")]
    UnknownAlgorithm,
    /// An `alg` that another type of key is for.
    #[error("`alg` does not fit the key type")]
    AlgorithmMismatch,
    /// `use` or `key_ops` say the key is for something else, or contradict each other.
    #[error("key is not for signatures")]
    NotForSignatures,
    /// A private or symmetric member in a key given as public.
    #[error("private key given as public")]
    PrivateKey,
    /// A coordinate that is not of the curve's full length.
    #[error("coordinate of the wrong length")]
    WrongCoordinateLength,
    /// A point that does not satisfy the curve's equation, or is not in its canonical encoding.
    #[error("point not on the curve")]
    NotOnCurve,
    /// An Ed25519 point of small order, for which signatures say nothing.
    #[error("point of small order")]
    SmallOrder,
    /// An RSA integer with a leading zero octet, or empty.
    #[error("RSA integer not in its shortest form")]
    NotMinimalInteger,
    /// An RSA modulus under 2048 bits.
    #[error("RSA modulus under 2048 bits")]
    ModulusTooSmall,
    /// An RSA modulus over 8192 bits.
    #[error("RSA modulus over 8192 bits")]
    ModulusTooLarge,
    /// An even RSA modulus, or one that cannot be a product of primes.
    #[error("impossible RSA modulus")]
    InvalidModulus,
    /// An RSA public exponent that is even, below 65537 or above 2^33.
    #[error("unacceptable RSA exponent")]
    UnacceptableExponent,
    /// An RSA key that its algorithm identifier binds to parameters of PSS.
    #[error("RSA key of type id-RSASSA-PSS; a plain RSA key (rsaEncryption) is needed")]
    PssParameters,
    /// A private key that cannot be read, or that does not belong to its public half.
    #[error("invalid private key")]
    InvalidPrivateKey,
    /// A JWK Set beyond [`MAX_SET_LEN`] or [`MAX_KEYS`].
    #[error("JWK Set too large")]
    SetTooLarge,
}

/// A public key for checking signatures, with what its JWK says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    key: VerifyingKey,
    kid: Option<String>,
    algorithm: Option<Algorithm>,
}

impl Jwk {
    /// A key without metadata.
    pub const fn new(key: VerifyingKey) -> Self {
        Self { key, kid: None, algorithm: None }
    }

    /// Names the key (`kid`, RFC 7517 §4.5).
    #[must_use]
    pub fn with_kid(self, kid: impl Into<String>) -> Self {
        Self { kid: Some(kid.into()), ..self }
    }

    /// Ties the key to one algorithm (`alg`, RFC 7517 §4.4).
    #[must_use]
    pub fn with_algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm: Some(algorithm), ..self }
    }

    /// Parses a public JWK.
    pub fn from_json(text: &[u8]) -> Result<Self, KeyError> {
        Self::from_members(&strict_json::object(text).map_err(|_| KeyError::Malformed)?)
    }

    /// Parses a public JWK that is a member of another object, such as a DPoP proof's header.
    pub fn from_members(members: &Members) -> Result<Self, KeyError> {
        // RFC 7517 §9.2: private members in what is published mean a leaked key, which is then worth nothing.
        if PrivateMembers::NAMES.iter().any(|name| members.contains_key(*name)) {
            return Err(KeyError::PrivateKey);
        }
        Self::parse(members, "verify")
    }

    /// Parses the public half of a private JWK.
    pub(super) fn for_signing(members: &Members) -> Result<Self, KeyError> {
        Self::parse(members, "sign")
    }

    fn parse(members: &Members, operation: &str) -> Result<Self, KeyError> {
        let text = |name| string(members, name);
        let octets = |name| {
            let text = string(members, name)?.ok_or(KeyError::Missing(name))?;
            base64url::decode(text).map_err(|_| KeyError::Malformed)
        };
        let key_type = text("kty")?.ok_or(KeyError::Missing("kty"))?;
        check_use(members, operation)?;
        let key = match key_type {
            "EC" => match text("crv")?.ok_or(KeyError::Missing("crv"))? {
                "P-256" => {
                    VerifyingKey::P256(es256::PublicKey::from_coordinates(&octets("x")?, &octets("y")?)?)
                }
                _ => return Err(KeyError::UnknownCurve),
            },
            // RFC 8037 §2. X25519 and X448 are not for signatures, Ed448 is not done here.
            "OKP" => match text("crv")?.ok_or(KeyError::Missing("crv"))? {
                "Ed25519" => VerifyingKey::Ed25519(ed25519::PublicKey::from_octets(&octets("x")?)?),
                _ => return Err(KeyError::UnknownCurve),
            },
            "RSA" => VerifyingKey::Rsa(rsa_key::PublicKey::from_components(&octets("n")?, &octets("e")?)?),
            _ => return Err(KeyError::UnknownKeyType),
        };
        let algorithm = text("alg")?.map(str::parse).transpose().map_err(|_| KeyError::UnknownAlgorithm)?;
        if algorithm.is_some_and(|algorithm| !key.algorithms().contains(&algorithm)) {
            return Err(KeyError::AlgorithmMismatch);
        }
        Ok(Self { key, kid: text("kid")?.map(str::to_owned), algorithm })
    }

    /// The public material.
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// `kid`: the name tokens call this key by.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// `alg`: the one algorithm the key is for, if it says so.
    pub const fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// Whether both the key's type and its own `alg` admit `algorithm`.
    pub fn admits(&self, algorithm: Algorithm) -> bool {
        self.key.algorithms().contains(&algorithm)
            && self.algorithm.is_none_or(|own| own.agrees_with(algorithm))
    }

    /// Checks `signature` over `input` with an algorithm the key admits.
    pub fn verify(
        &self,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        if !self.admits(algorithm) {
            return Err(InvalidSignature);
        }
        self.key.verify(algorithm, input, signature)
    }

    /// The SHA-256 thumbprint of the key (RFC 7638 §3): its required members only, in lexicographic order, without
    /// whitespace. Metadata does not change it.
    pub fn thumbprint(&self) -> Thumbprint {
        // `required_members` lists them in that order, and none of these values needs escaping.
        Thumbprint(Sha256::digest(self.required_members().to_string()).into())
    }

    /// The public JWK as a JSON object.
    pub fn to_value(&self) -> Value {
        let mut value = self.required_members();
        if let Value::Object(members) = &mut value {
            members.insert("use".into(), "sig".into());
            members.extend(self.kid.as_deref().map(|kid| ("kid".to_owned(), kid.into())));
            members.extend(self.algorithm.map(|algorithm| ("alg".to_owned(), algorithm.name().into())));
        }
        value
    }

    fn required_members(&self) -> Value {
        match &self.key {
            VerifyingKey::P256(key) => {
                let (x, y) = key.coordinates();
                json!({ "crv": "P-256", "kty": "EC", "x": base64url::encode(x), "y": base64url::encode(y) })
            }
            // RFC 8037 §2: "crv", "kty" and "x" are the members of its thumbprint.
            VerifyingKey::Ed25519(key) => {
                json!({ "crv": "Ed25519", "kty": "OKP", "x": base64url::encode(key.octets()) })
            }
            VerifyingKey::Rsa(key) => {
                json!({ "e": base64url::encode(key.e()), "kty": "RSA", "n": base64url::encode(key.n()) })
            }
        }
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

fn string<'m>(members: &'m Members, name: &str) -> Result<Option<&'m str>, KeyError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(KeyError::Malformed),
    }
}

/// Honours `use` and `key_ops`: where both stand, "the information they convey MUST be consistent" and "duplicate key
/// operation values MUST NOT be present" (RFC 7517 §4.2, §4.3).
fn check_use(members: &Members, operation: &str) -> Result<(), KeyError> {
    let public_use = string(members, "use")?;
    if public_use.is_some_and(|public_use| public_use != "sig") {
        return Err(KeyError::NotForSignatures);
    }
    let Some(operations) = members.get("key_ops") else { return Ok(()) };
    let operations = operations.as_array().ok_or(KeyError::Malformed)?;
    let names =
        operations.iter().map(Value::as_str).collect::<Option<Vec<_>>>().ok_or(KeyError::Malformed)?;
    if names.iter().enumerate().any(|(index, name)| names.iter().skip(index + 1).any(|later| later == name)) {
        return Err(KeyError::Malformed);
    }
    let for_signatures = |name: &&str| matches!(*name, "sign" | "verify");
    if !names.contains(&operation) || (public_use.is_some() && !names.iter().all(for_signatures)) {
        return Err(KeyError::NotForSignatures);
    }
    Ok(())
}

/// The private members of a JWK, taken out of it; wiped on drop.
pub(super) struct PrivateMembers(Vec<(&'static str, Zeroizing<String>)>);

impl PrivateMembers {
    /// RFC 7518 §6.2.2, §6.3.2, and the symmetric `k` of §6.4. Key types added later keep theirs in `d` (RFC 8037) or
    /// `priv`.
    pub(super) const NAMES: [&'static str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

    pub(super) fn take_from(members: &mut Members) -> Self {
        let take = |name| match members.remove(name) {
            None => None,
            Some(Value::String(text)) => Some((name, Zeroizing::new(text))),
            // Kept as present but empty, which no reader accepts.
            Some(_) => Some((name, Zeroizing::default())),
        };
        Self(Self::NAMES.into_iter().filter_map(take).collect())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(member, _)| *member == name)
    }

    pub(super) fn octets(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
        self.0.iter().find(|(member, _)| *member == name).map(|(_, text)| secret_octets(text)).transpose()
    }
}

/// The keys of one issuer or client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JwkSet {
    keys: Vec<Jwk>,
    skipped: Vec<KeyError>,
}

/// Why no key of a set can be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// No key of that name admits the algorithm. A fresher copy of the set may have one.
    #[error("no such key")]
    UnknownKey,
    /// Several keys fit; choosing among them is not the token's right.
    #[error("more than one key fits")]
    Ambiguous,
}

impl JwkSet {
    /// A set of these keys.
    pub fn new(keys: impl IntoIterator<Item = Jwk>) -> Self {
        Self { keys: keys.into_iter().collect(), skipped: Vec::new() }
    }

    /// Parses a JWK Set.
    ///
    /// "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" … values that are not understood by them,
    /// that are missing required members, or for which values are out of the supported ranges" (RFC 7517 §5): those
    /// are in [`JwkSet::skipped`]. A private key in the set refuses the whole set: its owner has an incident.
    pub fn from_json(text: &[u8]) -> Result<Self, KeyError> {
        if text.len() > MAX_SET_LEN {
            return Err(KeyError::SetTooLarge);
        }
        let members = strict_json::object(text).map_err(|_| KeyError::Malformed)?;
        let keys =
            members.get("keys").ok_or(KeyError::Missing("keys"))?.as_array().ok_or(KeyError::Malformed)?;
        if keys.len() > MAX_KEYS {
            return Err(KeyError::SetTooLarge);
        }
        let mut set = Self::default();
        for key in keys {
            match Jwk::from_members(key.as_object().ok_or(KeyError::Malformed)?) {
                Ok(jwk) => set.keys.push(jwk),
                Err(KeyError::PrivateKey) => return Err(KeyError::PrivateKey),
                Err(reason) => set.skipped.push(reason),
            }
        }
        Ok(set)
    }

    /// The usable keys, in the set's order.
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// Why other keys of the set are not used; for logs.
    pub fn skipped(&self) -> &[KeyError] {
        &self.skipped
    }

    /// The one key a token may be checked with.
    ///
    /// With a `kid`, the key of exactly that name ("Key ID … is a case-sensitive string", RFC 7515 §4.1.4) that admits
    /// the algorithm; without, the only key that admits it. Keys may share a `kid` when their types differ (RFC 7517
    /// §4.5); two that both fit are ambiguous.
    pub fn select(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&Jwk, SelectError> {
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| kid.is_none_or(|kid| key.kid() == Some(kid)))
            .filter(|key| key.admits(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (None, _) => Err(SelectError::UnknownKey),
            (Some(_), Some(_)) => Err(SelectError::Ambiguous),
        }
    }
}

impl Serialize for JwkSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({ "keys": self.keys.iter().map(Jwk::to_value).collect::<Vec<_>>() }).serialize(serializer)
    }
}

/// A JWK SHA-256 thumbprint (RFC 7638), as `jkt` and as a default `kid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// The digest itself.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(self.0))
    }
}

impl FromStr for Thumbprint {
    type Err = base64url::InvalidBase64Url;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let octets = base64url::decode(text)?;
        octets.try_into().map(Self).map_err(|_| base64url::InvalidBase64Url)
    }
}
