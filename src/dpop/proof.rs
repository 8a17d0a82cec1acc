//! The proof itself (RFC 9449 §4): what a text somebody sent proves, without a store and without a network.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::htu::{Htu, MalformedHtu};
use crate::jose::jws::{self, UnverifiedJws};
use crate::jose::{Algorithm, ClaimError, Claims, Jwk, JwsError, KeyError, NumericDate, base64url};
use crate::replay::ReplayClaim;

/// "application/dpop+jwt" without its prefix (§4.2).
const TYPE: &str = "dpop+jwt";

/// Octets of a `jti` worth remembering: "a server that is tracking `jti` values should reject DPoP proof JWTs with
/// unnecessarily large `jti` values or store only a hash thereof" (§11.1). Here it is both.
pub const MAX_JTI_LEN: usize = 512;

/// Characters of the modulus of an RSA key of 4096 bits, in base64url.
const MAX_MODULUS_LEN: usize = 683;

/// Which proofs are acceptable, whatever they are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofPolicy {
    /// The algorithms they may be signed with.
    pub algorithms: Vec<Algorithm>,
    /// How long after their `iat` they are accepted.
    pub max_age: Duration,
    /// How far ahead of ours their maker's clock may be.
    pub clock_skew: Duration,
}

/// The request that a proof has to be for.
#[derive(Clone, Copy, Debug)]
pub struct ProofTarget<'r> {
    /// Its method.
    pub method: &'r str,
    /// The URLs it may have been sent to: one, or one for each name the server goes by.
    pub urls: &'r [&'r str],
    /// The access token it carries, at a protected resource.
    pub access_token: Option<&'r str>,
}

/// Why a text is no proof for a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// More than one `DPoP` header field.
    #[error("more than one DPoP header")]
    Several,
    /// It is not a JWS to believe: malformed, of another type, under an algorithm that is not acceptable, or not signed
    /// with the key it names.
    #[error("proof: {0}")]
    Jws(#[from] JwsError),
    /// `jwk` is absent, or no object.
    #[error("no key in the header")]
    NoKey,
    /// `jwk` is an RSA key of more than 4096 bits.
    #[error("RSA key too large")]
    KeyTooLarge,
    /// `jwk` is not a public key for signatures.
    #[error("key in the header: {0}")]
    Key(#[from] KeyError),
    /// A claim is not what it must be.
    #[error("claims: {0}")]
    Claim(#[from] ClaimError),
    /// `jti` is longer than [`MAX_JTI_LEN`].
    #[error("jti too long")]
    JtiTooLong,
    /// `htm` is another method.
    #[error("made for another method")]
    OtherMethod,
    /// `htu` is no absolute URI.
    #[error("htu: {0}")]
    Htu(#[from] MalformedHtu),
    /// `htu` is another URI.
    #[error("made for another URI")]
    OtherUri,
    /// `iat` is too long ago.
    #[error("too old")]
    TooOld,
    /// `ath` is not the hash of the access token.
    #[error("made for another access token")]
    OtherToken,
}

/// A proof that is right in itself and for its request. Whether it is new, and whether its nonce is one of the server's,
/// only a server can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedProof {
    /// The SHA-256 JWK thumbprint of its key (§6.1).
    pub jkt: String,
    /// `jti`: its name among the proofs of that key.
    pub jti: String,
    /// `nonce`, where it has one.
    pub nonce: Option<String>,
    /// From this moment on it is refused anyway, by a clock that differs from ours by the skew as well.
    pub expires_at: NumericDate,
}

impl VerifiedProof {
    /// Its one-time identifier. That of one client's key says nothing about another's, so the key is part of it.
    pub fn claim(&self) -> ReplayClaim {
        ReplayClaim::new("dpop", &self.jkt, &self.jti, self.expires_at.as_secs())
    }
}

/// The proof among the values of every `DPoP` header field: "there is not more than one DPoP HTTP request header field"
/// (§4.3, 1). Several that were joined on the way are no well-formed JWT, which [`verify`] says.
pub fn the_one<'r>(values: &[&'r [u8]]) -> Result<Option<&'r str>, ProofError> {
    match values {
        [] => Ok(None),
        [value] => {
            std::str::from_utf8(value).map(Some).map_err(|_| ProofError::Jws(JwsError::NotThreeSegments))
        }
        [_, _, ..] => Err(ProofError::Several),
    }
}

/// Validates a proof as §4.3 lists it.
pub fn verify(
    proof: &str,
    target: &ProofTarget<'_>,
    policy: &ProofPolicy,
    now: NumericDate,
) -> Result<VerifiedProof, ProofError> {
    // 2. "the DPoP HTTP request header field value is a single and well-formed JWT"
    let proof = UnverifiedJws::parse(proof)?;
    // 4. "the typ JOSE Header Parameter has the value dpop+jwt", 5. "the alg […] indicates a registered asymmetric
    // digital signature algorithm […], is not none, is supported by the application, and is acceptable per local policy",
    // 6. "the JWT signature verifies with the public key contained in the jwk".
    let admitted = jws::Policy { algorithms: &policy.algorithms, typ: Some(TYPE) };
    proof.admit(&admitted)?;
    // 7. "the jwk JOSE Header Parameter does not contain a private key"
    let members = proof.embedded_jwk().and_then(|jwk| jwk.as_object()).ok_or(ProofError::NoKey)?;
    // Whoever sends this need not be anybody's client: it shall cost no more than the keys that are in use do.
    if members.get("n").and_then(|n| n.as_str()).is_some_and(|n| n.len() > MAX_MODULUS_LEN) {
        return Err(ProofError::KeyTooLarge);
    }
    let key = Jwk::from_members(members)?;
    let claims = proof.verify_with(&key, &admitted)?.into_claims()?;
    // 3. "all required claims […] are contained in the JWT"
    let jti = claims.required_string("jti")?;
    if jti.len() > MAX_JTI_LEN {
        return Err(ProofError::JtiTooLong);
    }
    check_target(&claims, target)?;
    let expires_at = check_time(&claims, policy, now)?;
    // 10. is for the server that has given the nonce.
    let nonce = claims.string("nonce")?.map(str::to_owned);
    if let Some(access_token) = target.access_token {
        check_token(&claims, access_token)?;
    }
    Ok(VerifiedProof { jkt: key.thumbprint().to_string(), jti: jti.to_owned(), nonce, expires_at })
}

fn check_target(claims: &Claims, target: &ProofTarget<'_>) -> Result<(), ProofError> {
    // 8. "the htm claim matches the HTTP method of the current request": methods are case-sensitive (RFC 9110 §9.1).
    if claims.required_string("htm")? != target.method {
        return Err(ProofError::OtherMethod);
    }
    // 9. "the htu claim matches the HTTP URI value for the HTTP request in which the JWT was received, ignoring any query
    // and fragment parts"
    let htu = Htu::parse(claims.required_string("htu")?)?;
    match target.urls.iter().any(|url| Htu::parse(url).is_ok_and(|url| url == htu)) {
        true => Ok(()),
        false => Err(ProofError::OtherUri),
    }
}

/// (11) "the creation time of the JWT […] is within an acceptable window". `exp` and `nbf`, which a proof needs not have,
/// can only narrow it. Says when the window closes.
fn check_time(claims: &Claims, policy: &ProofPolicy, now: NumericDate) -> Result<NumericDate, ProofError> {
    let iat = claims.check_iat(now, policy.clock_skew)?;
    // What clocks may differ by ahead ("to accommodate for clock offsets", §11.1) they may differ by behind.
    if now > iat.plus(policy.max_age).plus(policy.clock_skew) {
        return Err(ProofError::TooOld);
    }
    claims.check_nbf(now, policy.clock_skew)?;
    if claims.get("exp").is_some() {
        claims.check_exp(now, policy.clock_skew)?;
    }
    Ok(iat.plus(policy.max_age).plus(policy.clock_skew).plus(Duration::from_secs(1)))
}

/// (12) "ensure that the value of the ath claim equals the hash of that access token": "the base64url encoding […] of the
/// SHA-256 […] hash of the ASCII encoding of the associated access token's value" (§4.2).
fn check_token(claims: &Claims, access_token: &str) -> Result<(), ProofError> {
    match claims.required_string("ath")? == base64url::encode(Sha256::digest(access_token)) {
        true => Ok(()),
        false => Err(ProofError::OtherToken),
    }
}

#[cfg(test)]
mod tests;
