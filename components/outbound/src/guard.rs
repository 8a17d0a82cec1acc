//! Which URLs may be called.

use special_use::{is_special_address, is_special_name};
use url::{Host, Url};

/// Why a URL is not called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no absolute URL.
    #[error("it is no URL: {0}")]
    Malformed(#[from] url::ParseError),
    /// Its scheme is not `https`.
    #[error("it is not https")]
    NotHttps,
    /// It has a user name or a password.
    #[error("it has user information")]
    UserInformation,
    /// It has a fragment.
    #[error("it has a fragment")]
    Fragment,
    /// Its host is special.
    #[error("its host `{0}` is an address or a name of special use")]
    SpecialUse(String),
}

/// The URL to call, as it was checked: the very text that is to be used, in which an address is spelled as one.
///
/// `internal_hosts` are the special ones that may be called nevertheless: this URL's host, as it is spelled in the result,
/// is one of them or is not special at all.
pub fn admit(url: &str, internal_hosts: &[String]) -> Result<Url, Refusal> {
    let url = Url::parse(url)?;
    if url.scheme() != "https" {
        return Err(Refusal::NotHttps);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::UserInformation);
    }
    if url.fragment().is_some() {
        return Err(Refusal::Fragment);
    }
    let host = url.host().ok_or(url::ParseError::EmptyHost)?;
    if is_special(&host) && !internal_hosts.contains(&host.to_string()) {
        return Err(Refusal::SpecialUse(host.to_string()));
    }
    Ok(url)
}

fn is_special(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => is_special_name(name),
        Host::Ipv4(address) => is_special_address((*address).into()),
        Host::Ipv6(address) => is_special_address((*address).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> Refusal {
        admit(url, &[]).expect_err(url)
    }

    fn special(host: &str) -> Refusal {
        Refusal::SpecialUse(host.to_owned())
    }

    #[test]
    fn a_public_https_url_is_called_as_it_is() {
        for url in [
            "https://client.example.com/jwks.json",
            "https://client.example.com:8443/a/b?c=d&e",
            "https://9.9.9.9/jwks",
            "https://[2620:fe::fe]/jwks",
            "https://xn--bcher-kva.example.com/",
        ] {
            assert_eq!(admit(url, &[]).map(String::from).as_deref(), Ok(url));
        }
    }

    #[test]
    fn only_https_is_called() {
        for url in [
            "http://client.example.com/",
            "ftp://client.example.com/",
            "file:///etc/passwd",
            "data:application/json,{}",
            "javascript:0",
            "HTTP://client.example.com/",
        ] {
            assert_eq!(refused(url), Refusal::NotHttps, "{url}");
        }
        for url in ["", "client.example.com", "//client.example.com/", "/jwks", "https://", "https:///"] {
            assert!(matches!(admit(url, &[]), Err(Refusal::Malformed(_))), "{url}");
        }
    }

    #[test]
    fn user_information_is_refused() {
        for url in [
            "https://user@client.example.com/",
            "https://user:password@client.example.com/",
            "https://:password@client.example.com/",
            "https://9.9.9.9@client.example.com/",
        ] {
            assert_eq!(refused(url), Refusal::UserInformation, "{url}");
        }
    }

    #[test]
    fn a_fragment_is_refused() {
        for url in ["https://client.example.com/#a", "https://client.example.com/#"] {
            assert_eq!(refused(url), Refusal::Fragment, "{url}");
        }
    }

    #[test]
    fn names_of_special_use_are_refused_in_every_spelling() {
        for (url, host) in [
            ("https://localhost/", "localhost"),
            ("https://LOCALHOST./", "localhost."),
            ("https://a.localhost:8443/", "a.localhost"),
            ("https://metadata.google.internal/", "metadata.google.internal"),
            ("https://printer.local/", "printer.local"),
            ("https://x.test/", "x.test"),
            ("https://x.invalid/", "x.invalid"),
            ("https://x.example/", "x.example"),
            ("https://x.onion/", "x.onion"),
            ("https://router.home.arpa/", "router.home.arpa"),
            ("https://kubernetes/", "kubernetes"),
            ("https://%6cocalhost/", "localhost"),
            ("https://ｌｏｃａｌｈｏｓｔ/", "localhost"),
            ("https://a。local/", "a.local"),
        ] {
            assert_eq!(refused(url), special(host), "{url}");
        }
    }

    #[test]
    fn addresses_of_special_use_are_refused_in_every_spelling() {
        for (url, host) in [
            ("https://127.0.0.1/", "127.0.0.1"),
            ("https://127.1/", "127.0.0.1"),
            ("https://2130706433/", "127.0.0.1"),
            ("https://0x7f.0.0.1/", "127.0.0.1"),
            ("https://0177.0.0.1/", "127.0.0.1"),
            ("https://127.0.0.1./", "127.0.0.1"),
            ("https://１２７.0.0.1/", "127.0.0.1"),
            ("https://0/", "0.0.0.0"),
            ("https://10.1.2.3/", "10.1.2.3"),
            ("https://100.64.0.1/", "100.64.0.1"),
            ("https://169.254.169.254/latest/meta-data", "169.254.169.254"),
            ("https://172.16.0.1/", "172.16.0.1"),
            ("https://192.168.1.1/", "192.168.1.1"),
            ("https://255.255.255.255/", "255.255.255.255"),
            ("https://[::]/", "[::]"),
            ("https://[::1]:8443/", "[::1]"),
            ("https://[::ffff:127.0.0.1]/", "[::ffff:7f00:1]"),
            ("https://[::ffff:a9fe:a9fe]/", "[::ffff:a9fe:a9fe]"),
            ("https://[64:ff9b::10.0.0.1]/", "[64:ff9b::a00:1]"),
            ("https://[2002:7f00:1::]/", "[2002:7f00:1::]"),
            ("https://[2001::1]/", "[2001::1]"),
            ("https://[2001:20::1]/", "[2001:20::1]"),
            ("https://[fd00::1]/", "[fd00::1]"),
            ("https://[fe80::1]/", "[fe80::1]"),
            ("https://[ff02::1]/", "[ff02::1]"),
        ] {
            assert_eq!(refused(url), special(host), "{url}");
        }
    }

    #[test]
    fn a_special_host_that_the_operator_names_is_called_and_no_other() {
        let named = ["localhost", "10.0.0.5", "[::1]", "keys.corp"].map(str::to_owned);
        for url in [
            "https://localhost:9/",
            "https://LOCALHOST/",
            "https://10.5/",
            "https://[0::1]/",
            "https://keys.corp/x",
        ] {
            assert!(admit(url, &named).is_ok(), "{url}");
        }
        for url in [
            "https://a.localhost/",
            "https://10.0.0.6/",
            "https://[::2]/",
            "https://127.0.0.1/",
            "https://x.keys.corp/",
        ] {
            assert!(matches!(admit(url, &named), Err(Refusal::SpecialUse(_))), "{url}");
        }
        assert_eq!(admit("http://localhost/", &named), Err(Refusal::NotHttps));
    }
}
