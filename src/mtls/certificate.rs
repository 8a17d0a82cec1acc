//! The client's certificate.

use std::fmt;

use sha2::{Digest, Sha256};
use x509_cert::der::{Decode, Encode};

use super::{CertificateError, MAX_CERTIFICATE_LEN, MAX_CHAIN, malformed, not_the_clients, subject};
use crate::client::TlsClientAuthSubject;
use crate::config::Config;
use crate::jose::{VerifyingKey, base64url};

/// The certificate the client has shown, and proven to hold the key of, in its handshake.
#[derive(Clone)]
pub struct ClientCertificate {
    der: Vec<u8>,
    chain: Vec<Vec<u8>>,
    parsed: x509_cert::Certificate,
    key: VerifyingKey,
    thumbprint: String,
}

impl ClientCertificate {
    /// Reads a certificate in DER (RFC 5280 §4.1) and takes the certificates that came with it, which are looked at
    /// only where a chain is built.
    pub fn from_der(der: Vec<u8>, chain: Vec<Vec<u8>>) -> Result<Self, CertificateError> {
        if der.len() > MAX_CERTIFICATE_LEN || chain.iter().any(|der| der.len() > MAX_CERTIFICATE_LEN) {
            return Err(malformed("a certificate is too large"));
        }
        if chain.len() > MAX_CHAIN {
            return Err(malformed("too many certificates"));
        }
        let parsed =
            x509_cert::Certificate::from_der(&der).map_err(|_| malformed("not an X.509 certificate"))?;
        let key = parsed.tbs_certificate().subject_public_key_info();
        let key = key.to_der().map_err(|_| malformed("not an X.509 certificate"))?;
        let key = VerifyingKey::from_spki_der(&key).map_err(CertificateError::Key)?;
        // "a base64url-encoded SHA-256 hash […] of the DER encoding of the X.509 certificate" (RFC 8705 §3.1)
        let thumbprint = base64url::encode(Sha256::digest(&der));
        Ok(Self { der, chain, parsed, key, thumbprint })
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificates that came with it, in DER, its issuer's first.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// `x5t#S256`: base64url of the SHA-256 of the DER encoding (RFC 8705 §3.1).
    pub fn thumbprint(&self) -> String {
        self.thumbprint.clone()
    }

    /// The public key the client holds the private half of.
    pub(super) const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Whether the certificate is of a trusted authority and names this subject (RFC 8705 §2.1).
    ///
    /// The chain is validated here, at `now`, wherever trust anchors are configured. Without them the operator must have
    /// declared that the TLS terminator validates every chain; where neither is so, anyone could have written the
    /// subject into a certificate, and it proves nothing.
    pub fn authenticates(
        &self,
        subject: &TlsClientAuthSubject,
        config: &Config,
        now: u64,
    ) -> Result<(), CertificateError> {
        let mtls = config.mtls.as_ref().ok_or_else(|| not_the_clients("mutual TLS is not enabled"))?;
        if !mtls.trust_anchors.is_empty() {
            let path = mtls.trust_anchors.validate(&self.der, &self.chain, now);
            path.map_err(|problem| not_the_clients(format!("no path to a trust anchor: {problem}")))?;
        } else if !mtls.listener_verifies {
            return Err(not_the_clients("nobody has validated its chain"));
        }
        subject::check(&self.parsed, subject).map_err(not_the_clients)
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate")
            .field("thumbprint", &self.thumbprint)
            .field("chain", &self.chain.len())
            .finish_non_exhaustive()
    }
}
