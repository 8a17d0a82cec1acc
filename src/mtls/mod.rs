//! Mutual TLS (RFC 8705): the certificate of the connection, as a TLS terminator passes it on.
//!
//! The server sees no handshake. That the client holds the certificate's key is the word of a trusted proxy, judged by
//! the socket's peer ([`certificate`]); what the certificate is good for is decided here:
//!
//! | method | what counts | section |
//! |---|---|---|
//! | binding of tokens | the SHA-256 of the certificate, [`ClientCertificate::thumbprint`] | RFC 8705 §3 |
//! | `tls_client_auth` | a chain to one of the [`TrustAnchors`], and the registered subject, [`ClientCertificate::authenticates`] | §2.1 |
//! | `self_signed_tls_client_auth` | the certificate or its key is registered, [`ClientCertificate::is_among`] | §2.2 |

mod certificate;
mod chain;
mod client_cert;
mod distinguished_name;
mod header;
mod self_signed;
mod signatures;
mod subject;
mod xfcc;

use ::http::StatusCode;

use crate::client_request::Wire;
use crate::jose::KeyError;

pub use certificate::ClientCertificate;
pub use chain::TrustAnchors;
pub use header::certificate;

/// Octets of a certificate worth reading: several times what one with a dozen names has.
pub const MAX_CERTIFICATE_LEN: usize = 16 * 1024;

/// Certificates that may come with the client's own.
pub const MAX_CHAIN: usize = 8;

/// Why a certificate is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A trusted proxy passes on something else than one certificate.
    #[error("malformed: {0}")]
    Malformed(String),
    /// Its key is none this server accepts: RSA under 2048 bits, a curve other than P-256 and Ed25519.
    #[error("unacceptable key: {0}")]
    Key(KeyError),
    /// It does not prove what its client registered.
    #[error("not the client's: {0}")]
    NotTheClients(String),
}

impl CertificateError {
    /// What the client is told.
    pub const fn wire(&self) -> Wire {
        match self {
            // RFC 6749 §5.2: "The request is […] otherwise malformed." There is nothing to authenticate with yet.
            Self::Malformed(_) | Self::Key(_) => {
                (StatusCode::BAD_REQUEST, "invalid_request", "invalid client certificate")
            }
            // RFC 8705 §2: "If no certificate is presented, or that which is presented doesn't match that which is
            // expected for the given client_id, the authorization server returns a normal OAuth 2.0 error response per
            // Section 5.2 of [RFC6749] with the invalid_client error code".
            Self::NotTheClients(_) => {
                (StatusCode::BAD_REQUEST, "invalid_client", "client authentication failed")
            }
        }
    }
}

fn malformed(problem: &str) -> CertificateError {
    CertificateError::Malformed(problem.to_owned())
}

fn not_the_clients(problem: impl Into<String>) -> CertificateError {
    CertificateError::NotTheClients(problem.into())
}

#[cfg(test)]
pub(crate) mod tests;
