//! Whom the certificate of a `tls_client_auth` client must name, as a record says it.

use attesto::client::TlsClientAuthSubject;
use serde::{Deserialize, Serialize};

use crate::record::Contradiction;

/// The members of RFC 8705 §2.1.2, of which a client has one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsClientAuth {
    /// A distinguished name (RFC 4514).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_subject_dn: Option<String>,
    /// A `dNSName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_dns: Option<String>,
    /// A `uniformResourceIdentifier`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_uri: Option<String>,
    /// An `iPAddress`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_ip: Option<String>,
    /// An `rfc822Name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_email: Option<String>,
}

impl TlsClientAuth {
    /// The one member there is.
    pub fn subject(&self) -> Result<Option<TlsClientAuthSubject>, Contradiction> {
        use TlsClientAuthSubject as Subject;
        let members = [
            self.tls_client_auth_subject_dn.clone().map(Subject::SubjectDn),
            self.tls_client_auth_san_dns.clone().map(Subject::SanDns),
            self.tls_client_auth_san_uri.clone().map(Subject::SanUri),
            self.tls_client_auth_san_ip.clone().map(Subject::SanIp),
            self.tls_client_auth_san_email.clone().map(Subject::SanEmail),
        ];
        let mut members = members.into_iter().flatten();
        match (members.next(), members.next()) {
            (_, Some(_)) => Err(Contradiction::SeveralSubjects),
            (subject, None) => Ok(subject),
        }
    }
}

impl From<TlsClientAuthSubject> for TlsClientAuth {
    fn from(subject: TlsClientAuthSubject) -> Self {
        use TlsClientAuthSubject as Subject;
        let mut members = Self::default();
        match subject {
            Subject::SubjectDn(name) => members.tls_client_auth_subject_dn = Some(name),
            Subject::SanDns(name) => members.tls_client_auth_san_dns = Some(name),
            Subject::SanUri(uri) => members.tls_client_auth_san_uri = Some(uri),
            Subject::SanIp(address) => members.tls_client_auth_san_ip = Some(address),
            Subject::SanEmail(address) => members.tls_client_auth_san_email = Some(address),
        }
        members
    }
}
