//! Mutual TLS (RFC 8705): the certificate of the connection, as a TLS terminator passes it on.

use ::http::HeaderMap;

use crate::client::TlsClientAuthSubject;
use crate::config::Config;
use crate::request_facts::RequestFacts;

/// The certificate the client has shown, and proven to hold the key of, in its handshake.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// The certificate.
    pub der: Vec<u8>,
    /// The certificates that came with it.
    pub chain: Vec<Vec<u8>>,
}

/// Why a certificate is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A trusted proxy passes on something else than one certificate.
    #[error("malformed: {0}")]
    Malformed(String),
    /// It does not prove what its client registered.
    #[error("not the client's: {0}")]
    NotTheClients(String),
}

/// The certificate of this request, where a trusted proxy passes one on.
pub fn certificate(
    _headers: &HeaderMap,
    _facts: &RequestFacts,
    _config: &Config,
) -> Result<Option<ClientCertificate>, CertificateError> {
    Ok(None)
}

impl ClientCertificate {
    /// `x5t#S256`: base64url of the SHA-256 of the DER encoding (RFC 8705 §3.1).
    pub fn thumbprint(&self) -> String {
        String::new()
    }

    /// Whether the certificate is of a trusted authority and names this subject (RFC 8705 §2.1).
    pub fn authenticates(
        &self,
        _subject: &TlsClientAuthSubject,
        _config: &Config,
        _now: u64,
    ) -> Result<(), CertificateError> {
        Err(CertificateError::NotTheClients(String::new()))
    }

    /// Whether the certificate is one of these keys' (RFC 8705 §2.2): a JWK Set as JSON text.
    pub fn is_among(&self, _jwks: &str) -> Result<(), CertificateError> {
        Err(CertificateError::NotTheClients(String::new()))
    }
}
