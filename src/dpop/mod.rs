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
