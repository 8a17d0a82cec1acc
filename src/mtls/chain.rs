//! The authorities that vouch for client certificates, and the paths to them (RFC 5280 §6).

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use rustls_pki_types::pem::{PemObject, SectionKind};
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{Cert, EndEntityCert, Error, KeyUsage as Purpose, VerifiedPath, anchor_from_trusted_cert};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

use super::signatures;
use crate::jose::VerifyingKey;

/// Certificates of the authorities that vouch for `tls_client_auth` certificates. None by default.
#[derive(Clone, Default)]
pub struct TrustAnchors {
    anchors: Vec<TrustAnchor<'static>>,
    /// Those of each anchor.
    limits: Vec<Limits>,
}

/// What the certificate of an authority says about its use.
#[derive(Clone)]
struct Limits {
    /// Seconds since the epoch, the first and the last included.
    validity: RangeInclusive<u64>,
    /// How many other authorities may stand between it and a client (RFC 5280 §4.2.1.9).
    path_len: Option<u8>,
}

impl TrustAnchors {
    /// Reads certificates in PEM, with any text between them. Each must be an authority's, with a key that signatures
    /// can be checked with here. `Err` says what the text must be.
    pub fn parse(pem: &str) -> Result<Self, String> {
        let mut authorities = Self::default();
        for (index, section) in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes()).enumerate() {
            let der = match section {
                Ok((SectionKind::Certificate, der)) => der,
                Ok(_) | Err(_) => return Err("must be certificates in PEM and nothing else".to_owned()),
            };
            authorities.add(der).map_err(|problem| {
                format!("must be certificates of authorities: number {} {problem}", index + 1)
            })?;
        }
        if authorities.is_empty() && !pem.trim().is_empty() {
            return Err("must be certificates in PEM (`BEGIN CERTIFICATE`)".to_owned());
        }
        Ok(authorities)
    }

    fn add(&mut self, der: Vec<u8>) -> Result<(), String> {
        let certificate = x509(&der).ok_or("is not an X.509 certificate")?;
        let tbs = certificate.tbs_certificate();
        let constraints = tbs.get_extension::<BasicConstraints>().map_err(|_| "is malformed")?;
        let constraints =
            constraints.map(|(_, constraints)| constraints).filter(|constraints| constraints.ca);
        let constraints = constraints
            .filter(|_| may_sign_certificates(&certificate))
            .ok_or("is not an authority's (basicConstraints cA, keyUsage keyCertSign)")?;
        let key = tbs.subject_public_key_info().to_der().map_err(|_| "is malformed")?;
        VerifyingKey::from_spki_der(&key)
            .map_err(|problem| format!("has a key that is not used: {problem}"))?;
        let validity = tbs.validity();
        let [not_before, not_after] =
            [validity.not_before, validity.not_after].map(|time| time.to_unix_duration().as_secs());
        let der = CertificateDer::from(der);
        self.anchors.push(anchor_from_trusted_cert(&der).map_err(|_| "is malformed")?.to_owned());
        self.limits
            .push(Limits { validity: not_before..=not_after, path_len: constraints.path_len_constraint });
        Ok(())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// Whether a path leads from the certificate over those of `chain`, in any order, to one of the authorities
    /// (RFC 5280 §6.1). `Err` is the name of the reason.
    ///
    /// On the way: signatures, names, validity at `now`, basicConstraints with their path length, keyUsage of those that
    /// issue, name constraints, and for each certificate that lists its purposes that TLS client authentication is among
    /// them (§4.2.1.12; `anyExtendedKeyUsage` is not enough). An unknown critical extension refuses. Revocation is not
    /// looked at: a client is shut out by its registration.
    pub(super) fn validate(&self, certificate: &[u8], chain: &[Vec<u8>], now: u64) -> Result<(), String> {
        self.find_path(certificate, chain, now).map_err(|error| reason(&error))
    }

    fn find_path(&self, certificate: &[u8], chain: &[Vec<u8>], now: u64) -> Result<(), Error> {
        let certificate = CertificateDer::from(certificate);
        let end_entity = EndEntityCert::try_from(&certificate)?;
        let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let last_checks = |path: &VerifiedPath<'_>| self.check(path, now);
        end_entity
            .verify_for_usage(
                signatures::ACCEPTED,
                &self.anchors,
                &chain,
                UnixTime::since_unix_epoch(Duration::from_secs(now)),
                Purpose::client_auth(),
                None,
                Some(&last_checks),
            )
            .map(|_| ())
    }

    /// What webpki leaves open: the limits of the anchor, which "implementations […] are free to process or ignore"
    /// (§6.2), and whether issuers may sign certificates.
    fn check(&self, path: &VerifiedPath<'_>, now: u64) -> Result<(), Error> {
        let length = path.intermediate_certificates().count();
        let vouches = |limits: &Limits| {
            limits.validity.contains(&now) && limits.path_len.is_none_or(|max| length <= max.into())
        };
        let mut anchors = self.anchors.iter().zip(&self.limits);
        if !anchors.any(|(anchor, limits)| anchor == path.anchor() && vouches(limits)) {
            return Err(Error::UnknownIssuer);
        }
        // "If a key usage extension is present, verify that the keyCertSign bit is set" (§6.1.4 (n)).
        let may_issue =
            |issuer: &Cert<'_>| x509(&issuer.der()).is_some_and(|issuer| may_sign_certificates(&issuer));
        if path.intermediate_certificates().all(may_issue) { Ok(()) } else { Err(Error::EndEntityUsedAsCa) }
    }
}

impl fmt::Debug for TrustAnchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TrustAnchors").field(&self.anchors.len()).finish()
    }
}

/// The error without its details, some of which are the certificate's own text.
fn reason(error: &Error) -> String {
    let text = format!("{error:?}");
    text.split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
}

fn x509(der: &[u8]) -> Option<Certificate> {
    Certificate::from_der(der).ok()
}

/// A certificate without keyUsage may be used for everything its key can do (RFC 5280 §4.2.1.3).
fn may_sign_certificates(certificate: &Certificate) -> bool {
    match certificate.tbs_certificate().get_extension::<KeyUsage>() {
        Ok(usage) => usage.is_none_or(|(_, usage)| usage.key_cert_sign()),
        Err(_) => false,
    }
}
