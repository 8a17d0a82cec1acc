//! Whose word on a client certificate counts.
//!
//! A header field with a certificate proves nothing by itself: certificates are public, and anyone can write one into a
//! header. It counts only from a trusted proxy, which is told by the socket's peer, and in the one field that the
//! operator has said the proxy writes. From any other peer the field is the client's own word and is not looked at. The
//! proxy must set or remove that field on every request (RFC 9440 §4).

use ::http::{HeaderMap, HeaderValue};

use super::{CertificateError, ClientCertificate, client_cert, malformed, xfcc};
use crate::config::{CertificateHeader, Config};
use crate::request_facts::RequestFacts;

/// The certificate of this request, where a trusted proxy passes one on.
pub fn certificate(
    headers: &HeaderMap,
    facts: &RequestFacts,
    config: &Config,
) -> Result<Option<ClientCertificate>, CertificateError> {
    let Some(mtls) = config.mtls.as_ref().filter(|_| facts.is_from_trusted_proxy()) else { return Ok(None) };
    match mtls.certificate_header {
        CertificateHeader::XForwardedClientCert => xfcc::read(headers),
        CertificateHeader::ClientCert => client_cert::read(headers),
    }
}

/// The one value of a field that must not be there twice: a second one is the client's, passed on beside the proxy's.
pub(super) fn single<'h>(
    headers: &'h HeaderMap,
    name: &str,
) -> Result<Option<&'h HeaderValue>, CertificateError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(malformed("the header field is there twice")),
    }
}
