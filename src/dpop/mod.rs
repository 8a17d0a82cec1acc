//! Demonstrating Proof of Possession (RFC 9449).

use rand_core::CryptoRng;

use crate::host::Host;
use crate::http::Request;
use crate::replay::ReplayClaim;
use crate::server::Context;

/// A proof that has passed every check but the one that it is new.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The SHA-256 JWK thumbprint of its key (§6.1).
    pub jkt: String,
    /// Its `jti`, still to be claimed (§11.1).
    pub claim: ReplayClaim,
}

/// Why a proof is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DpopError {
    /// Its `jti` had been used before (§11.1).
    #[error("replayed")]
    Replayed,
    /// An internal fault, for the log.
    #[error("{0}")]
    Fault(String),
}

/// The proof of this request, where it carries one and proofs are looked at. A required nonce has been checked;
/// `access_token` is the one it must be for (§7).
pub async fn verify(
    _cx: &mut Context<'_, impl Host, impl CryptoRng>,
    _http: &Request,
    _access_token: Option<&str>,
) -> Result<Option<Proof>, DpopError> {
    Ok(None)
}

impl DpopError {
    /// What the client is told.
    pub fn wire(&self) -> crate::client_request::Wire {
        (::http::StatusCode::BAD_REQUEST, "invalid_dpop_proof", "the DPoP proof is not valid")
    }

    /// The cause of an internal fault, for the log.
    pub fn fault(&self) -> Option<&str> {
        match self {
            Self::Fault(cause) => Some(cause),
            Self::Replayed => None,
        }
    }
}

/// Claims the proof, when nothing else can refuse the request any more.
pub async fn claim(cx: &mut Context<'_, impl Host, impl CryptoRng>, proof: &Proof) -> Result<(), DpopError> {
    match cx.host.claim(&proof.claim.key, proof.claim.expires_at, cx.now).await {
        Ok(crate::host::Claim::Fresh) => Ok(()),
        Ok(crate::host::Claim::Replayed) => Err(DpopError::Replayed),
        Err(fault) => Err(DpopError::Fault(format!("stores: {fault}"))),
    }
}
