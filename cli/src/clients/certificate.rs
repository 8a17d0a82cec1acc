//! Whom the certificate of a `tls_client_auth` client must name (RFC 8705 §2.1.2).

use std::net::IpAddr;

use attesto::client::TlsClientAuthSubject;
use clap::Args;
use url::Url;

/// "exactly one of the below metadata parameters".
#[derive(Args)]
#[group(multiple = false)]
pub(super) struct SubjectOptions {
    /// With tls_client_auth: the subject of its certificate, a distinguished name as in RFC 4514
    ///
    /// `openssl x509 -in CERTIFICATE -noout -subject -nameopt RFC2253` prints it, after `subject=`.
    #[arg(long, value_name = "DN", value_parser = distinguished_name)]
    tls_subject_dn: Option<String>,

    /// With tls_client_auth: a DNS name that its certificate has as a subject alternative name
    #[arg(long, value_name = "NAME", value_parser = dns_name)]
    tls_san_dns: Option<String>,

    /// With tls_client_auth: a URI likewise
    #[arg(long, value_name = "URI", value_parser = uri)]
    tls_san_uri: Option<String>,

    /// With tls_client_auth: an IP address likewise
    #[arg(long, value_name = "ADDRESS")]
    tls_san_ip: Option<IpAddr>,

    /// With tls_client_auth: an e-mail address likewise
    #[arg(long, value_name = "ADDRESS", value_parser = email_address)]
    tls_san_email: Option<String>,
}

impl SubjectOptions {
    /// The option's names, for whoever has given none.
    pub(super) const NAMES: &str =
        "--tls-subject-dn, --tls-san-dns, --tls-san-uri, --tls-san-ip or --tls-san-email";

    /// The one that is given, and its option.
    pub(super) fn subject(&self) -> Option<(&'static str, TlsClientAuthSubject)> {
        use TlsClientAuthSubject as Subject;
        let given = [
            ("--tls-subject-dn", self.tls_subject_dn.clone().map(Subject::SubjectDn)),
            ("--tls-san-dns", self.tls_san_dns.clone().map(Subject::SanDns)),
            ("--tls-san-uri", self.tls_san_uri.clone().map(Subject::SanUri)),
            ("--tls-san-ip", self.tls_san_ip.map(|address| Subject::SanIp(address.to_string()))),
            ("--tls-san-email", self.tls_san_email.clone().map(Subject::SanEmail)),
        ];
        given.into_iter().find_map(|(option, subject)| Some((option, subject?)))
    }
}

/// The shape of RFC 4514 §3: `type=value` between commas, or plus signs, that are not escaped.
fn distinguished_name(text: &str) -> Result<String, &'static str> {
    let mut escaped = false;
    let between = |c: char| {
        let ends = !escaped && matches!(c, ',' | '+');
        escaped = !escaped && c == '\\';
        ends
    };
    let is_attribute = |part: &str| {
        part.split_once('=').is_some_and(|(name, value)| {
            let name = name.trim_start();
            let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
            !name.is_empty() && name.bytes().all(is_name) && !value.is_empty()
        })
    };
    if text.starts_with("subject=") {
        return Err("must be what stands after `subject=`");
    }
    if text.chars().any(char::is_control) || !text.split(between).all(is_attribute) {
        return Err("must be a distinguished name like 'CN=payments,O=Bank,C=DE' (RFC 4514)");
    }
    Ok(text.to_owned())
}

fn dns_name(text: &str) -> Result<String, &'static str> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    // A wildcard is every machine of a domain and no client.
    match text.len() <= 253 && text.split('.').all(is_label) {
        true => Ok(text.to_owned()),
        false => Err("must be a DNS name like payments.bank.example, without wildcards"),
    }
}

fn uri(text: &str) -> Result<String, &'static str> {
    match text.bytes().all(|b| b.is_ascii_graphic()) && Url::parse(text).is_ok() {
        true => Ok(text.to_owned()),
        false => Err("must be an absolute URI"),
    }
}

fn email_address(text: &str) -> Result<String, &'static str> {
    match text.split_once('@') {
        Some((mailbox, domain))
            if !mailbox.is_empty()
                && dns_name(domain).is_ok()
                && text.bytes().all(|b| b.is_ascii_graphic()) =>
        {
            Ok(text.to_owned())
        }
        _ => Err("must be an e-mail address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distinguished_name_is_types_and_values() {
        for good in [
            "CN=payments",
            "CN=payments,O=Bank AG,C=DE",
            "CN=payments, O=Bank\\, Trust \\+ Co,C=DE",
            "OU=a+CN=b,DC=example,DC=org",
            "2.5.4.97=PSDDE-BAFIN-1,CN=Bank=1",
            "CN=Zahlungsverkehr München",
        ] {
            assert_eq!(distinguished_name(good).as_deref(), Ok(good));
        }
        for bad in
            ["", "payments", "CN=a,", "CN=a,O", "=a", "CN=", "C N=a", "CN=a\n", "subject=CN=a", "/CN=a/O=b"]
        {
            assert!(distinguished_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn alternative_names_have_their_own_syntax() {
        assert!(dns_name("payments.bank.example").is_ok() && dns_name("localhost").is_ok());
        for bad in ["", "*.bank.example", "bank.example.", "a b", "bank..example", "https://bank.example"] {
            assert!(dns_name(bad).is_err(), "{bad}");
        }
        assert!(uri("spiffe://bank.example/payments").is_ok() && uri("urn:bank:payments").is_ok());
        for bad in ["", "payments", "//bank.example", "urn:a b"] {
            assert!(uri(bad).is_err(), "{bad}");
        }
        assert!(email_address("payments@bank.example").is_ok());
        for bad in ["payments", "@bank.example", "a@b@c", "a b@c", "a@"] {
            assert!(email_address(bad).is_err(), "{bad}");
        }
    }
}
