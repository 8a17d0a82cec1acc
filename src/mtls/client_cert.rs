//! `Client-Cert` and `Client-Cert-Chain` (RFC 9440).

use ::http::HeaderMap;
use base64ct::{Base64, Encoding};

use super::header::single;
use super::{CertificateError, ClientCertificate, MAX_CERTIFICATE_LEN, MAX_CHAIN, malformed};

const CLIENT_CERT: &str = "client-cert";
const CLIENT_CERT_CHAIN: &str = "client-cert-chain";

/// Reads what a trusted proxy has put there.
pub(super) fn read(headers: &HeaderMap) -> Result<Option<ClientCertificate>, CertificateError> {
    let Some(certificate) = single(headers, CLIENT_CERT)? else {
        // "Client-Cert-Chain MUST NOT be present unless Client-Cert is also present" (§2.3).
        return match headers.contains_key(CLIENT_CERT_CHAIN) {
            true => Err(malformed("Client-Cert-Chain without Client-Cert")),
            false => Ok(None),
        };
    };
    let certificate = byte_sequence(certificate.as_bytes())?;
    ClientCertificate::from_der(certificate, chain(headers)?).map(Some)
}

/// `Client-Cert-Chain = sf-list` of byte sequences, which may "occur multiple times in a request" (§2.3).
fn chain(headers: &HeaderMap) -> Result<Vec<Vec<u8>>, CertificateError> {
    let mut chain = Vec::new();
    for line in headers.get_all(CLIENT_CERT_CHAIN) {
        for member in line.as_bytes().split(|octet| *octet == b',') {
            if chain.len() == MAX_CHAIN {
                return Err(malformed("too many certificates"));
            }
            chain.push(byte_sequence(member)?);
        }
    }
    Ok(chain)
}

/// `sf-binary = ":" *(base64) ":"` (RFC 8941 §3.3.5), without parameters: RFC 9440 §2.1 defines none.
fn byte_sequence(text: &[u8]) -> Result<Vec<u8>, CertificateError> {
    const MAX_ENCODED: usize = MAX_CERTIFICATE_LEN.div_ceil(3) * 4;
    let encoded = text.trim_ascii().strip_prefix(b":").and_then(|rest| rest.strip_suffix(b":"));
    encoded
        .filter(|encoded| encoded.len() <= MAX_ENCODED)
        .and_then(|encoded| std::str::from_utf8(encoded).ok())
        .and_then(|encoded| Base64::decode_vec(encoded).ok())
        .ok_or_else(|| malformed("not a byte sequence of a certificate's size"))
}
