//! `x-forwarded-client-cert`, as Envoy writes it: elements separated by commas, one for each proxy; in them pairs
//! separated by semicolons; their values in double quotes where they contain a separator, with `\"` for a quote.
//!
//! `Cert` is the certificate and `Chain` all of those the client sent, its own first, both as URL-encoded PEM; `Hash`
//! is the SHA-256 of the certificate in hexadecimal digits. The other keys are not looked at. Some of them hold names
//! out of the certificate, which its owner chose and not every proxy escapes: that is why a key that occurs twice, or a
//! quote that nothing opened, is refused and not guessed at.

use ::http::HeaderMap;
use percent_encoding::percent_decode;
use rustls_pki_types::pem::{PemObject, SectionKind};
use sha2::{Digest, Sha256};

use super::header::single;
use super::{CertificateError, ClientCertificate, MAX_CERTIFICATE_LEN, MAX_CHAIN, malformed};

/// A certificate and a whole chain: base64 takes four octets for three, and URL encoding up to three for some of those.
const MAX_FIELD: usize = 2 * (MAX_CHAIN + 2) * MAX_CERTIFICATE_LEN;

/// Reads what a trusted proxy has put there.
pub(super) fn read(headers: &HeaderMap) -> Result<Option<ClientCertificate>, CertificateError> {
    let Some(value) = single(headers, "x-forwarded-client-cert")? else { return Ok(None) };
    if value.len() > MAX_FIELD {
        return Err(malformed("the header field is too large"));
    }
    let element = Element::parse(value.as_bytes())?;
    let (certificate, chain) = element.certificates()?;
    if element.hash.is_some_and(|hash| !is_hash(&hash, &certificate)) {
        return Err(malformed("Hash is of another certificate"));
    }
    ClientCertificate::from_der(certificate, chain).map(Some)
}

/// What one proxy says, as far as it is read here.
#[derive(Default)]
struct Element {
    cert: Option<Vec<u8>>,
    chain: Option<Vec<u8>>,
    hash: Option<Vec<u8>>,
}

impl Element {
    /// Parses a field of exactly one element. Several are the word of a proxy that stands before the trusted one, or
    /// the client's own, passed on: whose certificate is the client's is then not known.
    fn parse(text: &[u8]) -> Result<Self, CertificateError> {
        let mut element = Self::default();
        let mut rest = text;
        loop {
            let (key, value, after) = pair(rest).ok_or_else(|| malformed("not `key=value` pairs"))?;
            element.set(key, value)?;
            match after.split_first() {
                None => return Ok(element),
                Some((b';', after)) => rest = after,
                Some(_) => return Err(malformed("more than one element")),
            }
        }
    }

    /// The certificate, and those that came with it.
    fn certificates(&self) -> Result<(Vec<u8>, Vec<Vec<u8>>), CertificateError> {
        let mut sent = match (&self.chain, &self.cert) {
            (Some(pem), _) | (None, Some(pem)) => certificates(pem)?.into_iter(),
            (None, None) => return Err(malformed("neither Cert nor Chain")),
        };
        let certificate = sent.next().ok_or_else(|| malformed("not PEM certificates"))?;
        let chain = sent.collect();
        match &self.cert {
            Some(pem) if certificates(pem)? != [certificate.as_slice()] => {
                Err(malformed("Cert is not the one certificate that Chain begins with"))
            }
            _ => Ok((certificate, chain)),
        }
    }

    /// Keys are case-insensitive.
    fn set(&mut self, key: &[u8], value: Vec<u8>) -> Result<(), CertificateError> {
        let place = match key.to_ascii_lowercase().as_slice() {
            b"cert" => &mut self.cert,
            b"chain" => &mut self.chain,
            b"hash" => &mut self.hash,
            _ => return Ok(()),
        };
        match place.replace(value) {
            None => Ok(()),
            Some(_) => Err(malformed("a key is there twice")),
        }
    }
}

/// The pair `text` begins with, its value unquoted, and what follows it: nothing, or a separator and more.
fn pair(text: &[u8]) -> Option<(&[u8], Vec<u8>, &[u8])> {
    let (key, rest) = text.split_at_checked(text.iter().position(|octet| *octet == b'=')?)?;
    let (_, rest) = rest.split_first()?;
    let key = key.trim_ascii();
    if key.is_empty() || !key.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let (value, rest) = match rest.strip_prefix(b"\"") {
        Some(quoted) => unquote(quoted)?,
        None => {
            let end = rest.iter().position(|octet| matches!(octet, b';' | b',')).unwrap_or(rest.len());
            let (value, rest) = rest.split_at_checked(end)?;
            if value.contains(&b'"') {
                return None;
            }
            (value.trim_ascii().to_vec(), rest)
        }
    };
    let rest = rest.trim_ascii_start();
    rest.first().is_none_or(|separator| matches!(separator, b';' | b',')).then_some((key, value, rest))
}

/// The value up to the closing quote, without its escapes, and what follows it.
fn unquote(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut value = Vec::new();
    let mut rest = text;
    loop {
        let (octet, after) = rest.split_first()?;
        match octet {
            b'"' => return Some((value, after)),
            b'\\' => {
                let (escaped, after) = after.split_first()?;
                value.push(*escaped);
                rest = after;
            }
            octet => {
                value.push(*octet);
                rest = after;
            }
        }
    }
}

/// The certificates of a URL-encoded PEM text, which holds nothing but certificates.
fn certificates(url_encoded: &[u8]) -> Result<Vec<Vec<u8>>, CertificateError> {
    let pem: Vec<u8> = percent_decode(url_encoded).collect();
    let mut certificates = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(&pem) {
        match section {
            Ok((SectionKind::Certificate, der)) if certificates.len() <= MAX_CHAIN => certificates.push(der),
            _ => return Err(malformed("not PEM certificates, or too many")),
        }
    }
    Ok(certificates)
}

/// Whether `hash` is the SHA-256 of the certificate, in hexadecimal digits of either case.
fn is_hash(hash: &[u8], certificate: &[u8]) -> bool {
    let digest = Sha256::digest(certificate);
    let digits = digest.iter().flat_map(|octet| [octet >> 4, octet & 0x0F]);
    hash.len() == 2 * digest.len()
        && hash.iter().zip(digits).all(|(digit, value)| char::from(*digit).to_digit(16) == Some(value.into()))
}
