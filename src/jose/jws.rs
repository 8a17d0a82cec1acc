//! JWS in its compact serialization (RFC 7515 §3.1, §7.1): reading and checking.

use serde_json::{Map, Value};

use super::jwk::{JwkSet, SelectError};
use super::{Algorithm, Claims, InvalidSignature, Jwk, base64url, json};

/// A longer token is refused before anything of it is decoded. Real ones stay under 2 KiB, and HTTP servers refuse
/// headers of this size anyway.
pub const MAX_TOKEN_LEN: usize = 16 * 1024;

/// Why a token is refused. For logs and for the caller's own decisions; what a client is told is coarser.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Longer than [`MAX_TOKEN_LEN`].
    #[error("token too large")]
    TooLarge,
    /// Not exactly three segments.
    #[error("not a compact JWS of three segments")]
    NotThreeSegments,
    /// A segment is not canonical base64url.
    #[error("segment is not base64url")]
    InvalidBase64Url,
    /// The header is not a JSON object with unique names, or a member of it has the wrong type.
    #[error("malformed header")]
    MalformedHeader,
    /// `crit` is present: the token wants an extension understood, and none is.
    #[error("critical extension not understood")]
    CriticalExtension,
    /// `alg` names something this implementation does not do, `none` included.
    #[error("unknown algorithm")]
    UnknownAlgorithm,
    /// `alg` is known, but not allowed for this use.
    #[error("algorithm not allowed here")]
    AlgorithmNotAllowed,
    /// `typ` is not the kind of token expected here, or absent.
    #[error("wrong token type")]
    WrongType,
    /// No key, or no single key, fits the header.
    #[error(transparent)]
    Key(#[from] SelectError),
    /// The signature is not the key's over this text.
    #[error(transparent)]
    InvalidSignature(#[from] InvalidSignature),
    /// The payload is not a JSON object with unique names.
    #[error("malformed claims")]
    MalformedClaims,
}

/// The header parameters that this implementation reads and writes (RFC 7515 §4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// `alg`: the signature algorithm (RFC 7515 §4.1.1).
    pub alg: Algorithm,
    /// `kid`: which key signed (RFC 7515 §4.1.4).
    pub kid: Option<String>,
    /// `typ`: what kind of token this is (RFC 7515 §4.1.9).
    pub typ: Option<String>,
}

impl Header {
    /// The header, and beside it what stands in its `jwk`.
    fn parse(octets: &[u8]) -> Result<(Self, Option<Value>), JwsError> {
        let mut members = json::object(octets).map_err(|_| JwsError::MalformedHeader)?;
        // "If any of the listed extension Header Parameters are not understood and supported by the recipient, then
        // the JWS is invalid" (RFC 7515 §4.1.11). `b64` must be listed there (RFC 7797 §6); alone it is a trap.
        if members.contains_key("crit") || members.contains_key("b64") {
            return Err(JwsError::CriticalExtension);
        }
        let alg = text(&members, "alg")?.ok_or(JwsError::MalformedHeader)?;
        let header = Self {
            alg: alg.parse().map_err(|_| JwsError::UnknownAlgorithm)?,
            kid: text(&members, "kid")?.map(str::to_owned),
            typ: text(&members, "typ")?.map(str::to_owned),
        };
        Ok((header, members.remove("jwk")))
    }

    /// Whether `typ` is `media_type`, which is given without its `application/`: that prefix is recommended to be
    /// left out and its absence is to be treated as if it stood there; names of media types ignore case
    /// (RFC 7515 §4.1.9).
    pub fn has_type(&self, media_type: &str) -> bool {
        const PREFIX: &str = "application/";
        let Some(typ) = self.typ.as_deref() else { return false };
        let subtype = match typ.get(..PREFIX.len()) {
            Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => {
                typ.get(PREFIX.len()..).unwrap_or_default()
            }
            _ => typ,
        };
        subtype.eq_ignore_ascii_case(media_type)
    }
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Result<Option<&'m str>, JwsError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JwsError::MalformedHeader),
    }
}

/// What a use of signed tokens admits, whatever the token says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'p> {
    /// The algorithms allowed for this use; either name of Ed25519 allows the other.
    pub algorithms: &'p [Algorithm],
    /// The media type `typ` must name (without `application/`); `None` where the token's standard sets none.
    pub typ: Option<&'p str>,
}

/// A token somebody sent. Its payload cannot be read until [`UnverifiedJws::verify`] has consumed it; only whom it claims
/// to be about can be asked before.
#[derive(Clone, Debug)]
pub struct UnverifiedJws<'t> {
    header: Header,
    embedded_jwk: Option<Value>,
    /// ASCII(BASE64URL(UTF8(JWS Protected Header)) || '.' || BASE64URL(JWS Payload)).
    signing_input: &'t str,
    payload: &'t str,
    signature: Vec<u8>,
}

impl<'t> UnverifiedJws<'t> {
    /// Takes a compact JWS apart and reads its header.
    pub fn parse(token: &'t str) -> Result<Self, JwsError> {
        if token.len() > MAX_TOKEN_LEN {
            return Err(JwsError::TooLarge);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(JwsError::NotThreeSegments)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JwsError::NotThreeSegments)?;
        if payload.contains('.') {
            return Err(JwsError::NotThreeSegments);
        }
        let (header, embedded_jwk) = Header::parse(&decode(header)?)?;
        Ok(Self { header, embedded_jwk, signing_input, payload, signature: decode(signature)? })
    }

    /// `kid`, `alg` and `typ`: all that may be relied on before the signature.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// `jwk`: the key that whoever made the token says it is signed with (RFC 7515 §4.1.3). Its signature then proves that
    /// they hold that key (RFC 9449 §4.2), and nothing of who they are.
    pub const fn embedded_jwk(&self) -> Option<&Value> {
        self.embedded_jwk.as_ref()
    }

    /// The `sub` this token claims, **unverified**: good for finding whose keys [`UnverifiedJws::verify`] is to be given, as
    /// with a client assertion that comes without `client_id` (RFC 7521 §4.2), and for nothing else.
    pub fn claimed_subject(&self) -> Option<String> {
        let mut claims = json::object(&decode(self.payload).ok()?).ok()?;
        match claims.remove("sub") {
            Some(Value::String(subject)) => Some(subject),
            _ => None,
        }
    }

    /// Checks the token with the one key of `keys` that fits. The header chooses nothing: the allow-list, the key's
    /// type and the key's own `alg` must all admit its `alg`.
    pub fn verify(self, keys: &JwkSet, policy: &Policy<'_>) -> Result<VerifiedJws, JwsError> {
        self.admit(policy)?;
        let key = keys.select(self.header.kid.as_deref(), self.header.alg)?;
        self.check(key)
    }

    /// Checks the token with a key found by other means than its `kid`.
    pub fn verify_with(self, key: &Jwk, policy: &Policy<'_>) -> Result<VerifiedJws, JwsError> {
        self.admit(policy)?;
        self.check(key)
    }

    /// Whether a use admits what the header says, before any key is looked at.
    pub(crate) fn admit(&self, policy: &Policy<'_>) -> Result<(), JwsError> {
        if !policy.algorithms.iter().any(|allowed| allowed.agrees_with(self.header.alg)) {
            return Err(JwsError::AlgorithmNotAllowed);
        }
        if policy.typ.is_some_and(|typ| !self.header.has_type(typ)) {
            return Err(JwsError::WrongType);
        }
        Ok(())
    }

    fn check(self, key: &Jwk) -> Result<VerifiedJws, JwsError> {
        key.verify(self.header.alg, self.signing_input.as_bytes(), &self.signature)?;
        Ok(VerifiedJws { payload: decode(self.payload)?, header: self.header })
    }
}

fn decode(segment: &str) -> Result<Vec<u8>, JwsError> {
    base64url::decode(segment).map_err(|_| JwsError::InvalidBase64Url)
}

/// A token whose signature was right. Whether its claims are, is for its reader to check.
#[derive(Clone, Debug)]
pub struct VerifiedJws {
    header: Header,
    payload: Vec<u8>,
}

impl VerifiedJws {
    /// The header, now trustworthy.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The octets that were signed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload as a JWT Claims Set (RFC 7519 §4), repeated names refused.
    pub fn into_claims(self) -> Result<Claims, JwsError> {
        json::object(&self.payload).map(Claims::from).map_err(|_| JwsError::MalformedClaims)
    }
}
