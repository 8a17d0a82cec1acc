//! Whether a certificate names the registered subject (RFC 8705 §2.1.2).

use std::net::IpAddr;

use x509_cert::Certificate;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::distinguished_name::DistinguishedName;
use crate::client::TlsClientAuthSubject;

/// Compares the one registered name with the certificate's name of its kind. `Err` says why it is another's.
///
/// Nothing registered is a pattern: a `*` in a registered `dNSName` matches nothing, and one in a certificate is not
/// expanded.
pub(super) fn check(
    certificate: &Certificate,
    registered: &TlsClientAuthSubject,
) -> Result<(), &'static str> {
    let is_named = match registered {
        TlsClientAuthSubject::SubjectDn(text) => {
            let registered = DistinguishedName::parse(text).ok_or(UNREADABLE)?;
            DistinguishedName::of(certificate.tbs_certificate().subject()) == registered
        }
        TlsClientAuthSubject::SanDns(name) => {
            let name = Some(name).filter(|name| !name.is_empty() && !name.contains('*')).ok_or(UNREADABLE)?;
            alternative_name(certificate, |presented| match presented {
                // Names are compared without regard to case (RFC 5280 §7.2).
                GeneralName::DnsName(presented) => presented.as_str().eq_ignore_ascii_case(name),
                _ => false,
            })?
        }
        TlsClientAuthSubject::SanUri(uri) => {
            let uri = Some(uri).filter(|uri| !uri.is_empty()).ok_or(UNREADABLE)?;
            // Exactly: stricter than the normalizations that RFC 5280 §7.4 allows.
            alternative_name(certificate, |presented| match presented {
                GeneralName::UniformResourceIdentifier(presented) => presented.as_str() == uri,
                _ => false,
            })?
        }
        TlsClientAuthSubject::SanIp(text) => {
            let address: IpAddr = text.parse().map_err(|_| UNREADABLE)?;
            // "in network byte order": four octets or sixteen (RFC 5280 §4.2.1.6).
            alternative_name(certificate, |presented| match (presented, address) {
                (GeneralName::IpAddress(presented), IpAddr::V4(address)) => {
                    presented.as_bytes() == address.octets()
                }
                (GeneralName::IpAddress(presented), IpAddr::V6(address)) => {
                    presented.as_bytes() == address.octets()
                }
                _ => false,
            })?
        }
        TlsClientAuthSubject::SanEmail(mailbox) => {
            let registered = mailbox_parts(mailbox).ok_or(UNREADABLE)?;
            alternative_name(certificate, |presented| match presented {
                GeneralName::Rfc822Name(presented) => mailbox_parts(presented.as_str())
                    .is_some_and(|presented| is_same_mailbox(presented, registered)),
                _ => false,
            })?
        }
    };
    if is_named { Ok(()) } else { Err("it does not name the registered subject") }
}

const UNREADABLE: &str = "the registered subject can not be read";

/// Whether one of the certificate's alternative names is the one.
fn alternative_name(
    certificate: &Certificate,
    is_it: impl Fn(&GeneralName) -> bool,
) -> Result<bool, &'static str> {
    match certificate.tbs_certificate().get_extension::<SubjectAltName>() {
        Ok(names) => Ok(names.is_some_and(|(_, names)| names.0.iter().any(is_it))),
        Err(_) => Err("its alternative names can not be read"),
    }
}

/// `Mailbox = Local-part "@" ( Domain / address-literal )` (RFC 5321 §4.1.2), neither of them empty.
fn mailbox_parts(mailbox: &str) -> Option<(&str, &str)> {
    mailbox.rsplit_once('@').filter(|(local, host)| !local.is_empty() && !host.is_empty())
}

/// "the local-part of each name is an exact match" and "the host-part of each name matches using a case-insensitive
/// ASCII comparison" (RFC 5280 §7.5).
fn is_same_mailbox(one: (&str, &str), other: (&str, &str)) -> bool {
    one.0 == other.0 && one.1.eq_ignore_ascii_case(other.1)
}
