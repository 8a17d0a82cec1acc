//! Which key a token is bound to (RFC 9449, RFC 8705).

use crate::client::Client;
use crate::config::Config;
use crate::confirmation::Confirmation;
use crate::dpop::Proof;
use crate::mtls::ClientCertificate;

/// Why a token can not be bound as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderConstraintError {
    /// The client's tokens must be bound to a DPoP key, and there was no proof.
    ProofRequired,
    /// The client's tokens must be bound to a certificate, and there was none.
    CertificateRequired,
    /// Every token must be bound, and the request shows nothing to bind it to.
    ConstraintRequired,
}

/// What tokens of this client are bound to in this request. What the client requires is settled first, so that no other
/// constraint can stand in for it.
pub fn resolve(
    _config: &Config,
    _client: &Client,
    _proof: Option<&Proof>,
    _certificate: Option<&ClientCertificate>,
) -> Result<Option<Confirmation>, SenderConstraintError> {
    Ok(None)
}

impl SenderConstraintError {
    /// What the client is told.
    pub fn wire(self) -> crate::client_request::Wire {
        (::http::StatusCode::BAD_REQUEST, "invalid_request", "DPoP proof required")
    }
}
