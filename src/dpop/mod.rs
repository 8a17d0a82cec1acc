//! Demonstrating Proof of Possession (RFC 9449).
//!
//! A proof passes three gates, in this order: what it says ([`proof`], pure), whether its nonce is one of this server's
//! ([`verify`]), and, when nothing else can refuse the request any more, that it is new ([`claim`]).

mod htu;
mod nonce;
pub mod proof;

use ::http::StatusCode;
use rand_core::CryptoRng;

pub use htu::{Htu, MalformedHtu};
pub(crate) use nonce::KnownNonces;
pub use proof::{ProofError, ProofPolicy, ProofTarget, VerifiedProof};

use crate::client_request::Wire;
use crate::host::{Claim, Host};
use crate::http::Request;
use crate::jose::NumericDate;
use crate::replay::ReplayClaim;
use crate::secret::Digest;
use crate::server::Context;

/// The header field of proofs (§4.1).
pub const HEADER: &str = "dpop";

/// The header field of nonces (§8).
pub const NONCE_HEADER: &str = "dpop-nonce";

/// A proof that has passed every check but the one that it is new.
#[derive(Clone, Debug)]
#[must_use = "what is not claimed can be used again"]
pub struct Proof {
    /// The SHA-256 JWK thumbprint of its key (§6.1).
    pub jkt: String,
    /// Its `jti`, still to be claimed (§11.1).
    pub claim: ReplayClaim,
    /// Its nonce, where that is good once and still to be consumed.
    pub nonce: Option<Digest>,
}

/// Why a proof is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DpopError {
    /// It is no proof for this request.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// It has no nonce, and one is required.
    #[error("no nonce")]
    NonceMissing,
    /// Its nonce is not one of this server's, has expired or has been used.
    #[error("unknown, expired or used nonce")]
    NonceNotLive,
    /// It has been used before.
    #[error("proof replayed")]
    Replayed,
    /// An internal fault, for the log.
    #[error("{0}")]
    Fault(String),
}

impl DpopError {
    /// What a client of the authorization server is told. A protected resource has its own way, see
    /// [`crate::verifier::Reason`].
    pub const fn wire(&self) -> Wire {
        match self {
            // "If the DPoP proof is invalid, the authorization server issues an error response per Section 5.2 of [RFC6749]
            // with invalid_dpop_proof as the value of the error parameter" (§5).
            Self::Proof(_) | Self::Replayed => {
                (StatusCode::BAD_REQUEST, "invalid_dpop_proof", "the DPoP proof is invalid")
            }
            // "responds to requests not including a nonce with an HTTP 400 (Bad Request) error response […] using
            // use_dpop_nonce as the error code value", and "when there was a nonce mismatch" (§8).
            Self::NonceMissing | Self::NonceNotLive => {
                (StatusCode::BAD_REQUEST, "use_dpop_nonce", "the DPoP proof must carry the nonce provided")
            }
            Self::Fault(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                "the server could not complete the request",
            ),
        }
    }

    /// The cause of an internal fault, for the log.
    pub fn fault(&self) -> Option<&str> {
        match self {
            Self::Fault(cause) => Some(cause),
            Self::Proof(_) | Self::NonceMissing | Self::NonceNotLive | Self::Replayed => None,
        }
    }
}

/// The proof of this request, where it carries one and proofs are looked at. A required nonce has been checked;
/// `access_token` is the one it must be for (§7).
pub async fn verify(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    http: &Request,
    access_token: Option<&str>,
) -> Result<Option<Proof>, DpopError> {
    let server = cx.server;
    let Some(policy) = server.own_policy.dpop() else { return Ok(None) };
    let Some(proof) = proof::the_one(&header_values(http))? else { return Ok(None) };
    let urls = target_urls(cx, http);
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let target = ProofTarget { method: http.method.as_str(), urls: &urls, access_token };
    let verified = proof::verify(proof, &target, policy, NumericDate::from_secs(cx.now))?;
    admit(cx, &verified).await.map(Some)
}

/// Checks the nonce of a proof that is right in itself, where one is required.
pub(crate) async fn admit(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    verified: &VerifiedProof,
) -> Result<Proof, DpopError> {
    let nonce = nonce::check(cx, verified.nonce.as_deref()).await?;
    Ok(Proof { jkt: verified.jkt.clone(), claim: verified.claim(), nonce })
}

/// Consumes the nonce of a proof, where it is good once. Called before anything else is claimed: whoever loses the race for
/// a nonce has spent nothing.
pub async fn accept_nonce(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    proof: &Proof,
) -> Result<(), DpopError> {
    let Some(nonce) = &proof.nonce else { return Ok(()) };
    match cx.host.accept_nonce(nonce, cx.now).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(DpopError::NonceNotLive),
        Err(fault) => Err(DpopError::Fault(format!("stores: {fault}"))),
    }
}

/// Claims a proof's `jti`, when nothing else can refuse the request any more: "HTTP requests to the same URI for which the
/// jti value has been seen before would be declined" (§11.1).
pub async fn claim(cx: &Context<'_, impl Host, impl CryptoRng>, proof: &Proof) -> Result<(), DpopError> {
    let ReplayClaim { key, expires_at } = proof.claim;
    match cx.host.claim(&key, expires_at, cx.now).await {
        Ok(Claim::Fresh) => Ok(()),
        Ok(Claim::Replayed) => Err(DpopError::Replayed),
        Err(fault) => Err(DpopError::Fault(format!("stores: {fault}"))),
    }
}

/// The values of every `DPoP` header field.
pub(crate) fn header_values(http: &Request) -> Vec<&[u8]> {
    http.headers.get_all(HEADER).iter().map(|value| value.as_bytes()).collect()
}

/// The URLs that a request's proof may name: the canonical one and, where certificates are asked for at an origin of their
/// own, the one there (RFC 8705 §5).
pub(crate) fn target_urls<H, R>(cx: &Context<'_, H, R>, http: &Request) -> Vec<String> {
    let config = &cx.server.config;
    let canonical = config.canonical_url.of(&cx.facts, &http.path);
    let alias = config.mtls.as_ref().and_then(|mtls| mtls.origin.as_ref());
    [canonical].into_iter().chain(alias.map(|origin| format!("{origin}{}", http.path))).collect()
}
