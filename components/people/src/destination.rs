//! Where a person will be sent: what a page says of the redirect URI, and what its policy admits.

use url::{Host, Url};

/// A redirect URI, read as browsers read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A web site under https: TLS vouches for the host.
    Site {
        /// Host, and port where it is not the default one.
        host: String,
    },
    /// A host without TLS that is not this device.
    Plain {
        /// Host, and port where it is not the default one.
        host: String,
    },
    /// An app listening on the person's own device (RFC 8252 §7.3).
    Loopback {
        /// Host, and port where it is not the default one.
        host: String,
        /// Whether it is https.
        secure: bool,
    },
    /// An app on the person's own device that has claimed a scheme (RFC 8252 §7.1).
    App {
        /// The scheme, without the colon.
        scheme: String,
    },
    /// Nothing a browser could be sent to.
    Unknown,
}

impl Destination {
    /// Reads a redirect URI by the rules that browsers follow (WHATWG URL), so that the page names the host they will really go to.
    pub fn of(redirect_uri: &str) -> Self {
        let Ok(url) = Url::parse(redirect_uri) else { return Self::Unknown };
        let secure = match url.scheme() {
            "https" => true,
            "http" => false,
            scheme => return Self::App { scheme: scheme.to_owned() },
        };
        let Some(name) = url.host_str() else { return Self::Unknown };
        let host = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        let loopback = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            // RFC 6761 §6.3
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        };
        match (loopback, secure) {
            (true, secure) => Self::Loopback { host, secure },
            (false, true) => Self::Site { host },
            (false, false) => Self::Plain { host },
        }
    }

    /// Whether the redirect URI vouches for the client, so that an earlier consent may stand for a new one. Any app can claim a
    /// scheme or listen on the loopback interface: there the person is asked each time (RFC 6749 §10.2, RFC 8252 §8.6).
    pub fn vouches_for_the_client(&self) -> bool {
        matches!(self, Self::Site { .. })
    }

    /// The source expression for `form-action` (CSP 3 §2.3.1). Every character in it is one the URL parser lets into a host or
    /// scheme and this function checks again, so that a redirect URI cannot add a directive.
    pub fn csp_source(&self) -> Option<String> {
        let source = match self {
            // The grammar of a host-source has no IPv6 address; the scheme must do.
            Self::Loopback { host, secure: true } if host.starts_with('[') => "https:".to_owned(),
            Self::Loopback { host, secure: false } if host.starts_with('[') => "http:".to_owned(),
            Self::Site { host } if host.starts_with('[') => "https:".to_owned(),
            Self::Plain { host } if host.starts_with('[') => "http:".to_owned(),
            Self::Site { host } | Self::Loopback { host, secure: true } => format!("https://{host}"),
            Self::Plain { host } | Self::Loopback { host, secure: false } => format!("http://{host}"),
            Self::App { scheme } => format!("{scheme}:"),
            Self::Unknown => return None,
        };
        let harmless = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'+' | b':' | b'/')
        };
        source.bytes().all(harmless).then_some(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_named_by_the_host_browsers_go_to() {
        let site = |host: &str| Destination::Site { host: host.into() };
        assert_eq!(Destination::of("https://app.example.com/cb?x=1"), site("app.example.com"));
        assert_eq!(Destination::of("https://APP.example.com:443/cb"), site("app.example.com"));
        assert_eq!(Destination::of("https://app.example.com:8443/cb"), site("app.example.com:8443"));
        assert_eq!(Destination::of("https://good.example@evil.example/"), site("evil.example"));
        assert_eq!(Destination::of(r"https://evil.example\@good.example/"), site("evil.example"));
        assert_eq!(Destination::of("https://аррӏе.example/"), site("xn--80ak6aa92e.example"));
    }

    #[test]
    fn only_a_site_under_tls_vouches_for_the_client() {
        assert!(Destination::of("https://app.example.com/cb").vouches_for_the_client());
        for other in [
            "http://app.example.com/cb",
            "http://127.0.0.1:8080/cb",
            "http://[::1]/cb",
            "https://localhost/cb",
            "https://x.localhost/cb",
            "https://127.9.9.9/cb",
            "com.example.app:/cb",
            "",
        ] {
            assert!(!Destination::of(other).vouches_for_the_client(), "{other}");
        }
    }

    #[test]
    fn the_policy_names_exactly_the_origin_or_scheme() {
        for (uri, source) in [
            ("https://app.example.com/cb?a;b", Some("https://app.example.com")),
            ("https://app.example.com:8443/cb", Some("https://app.example.com:8443")),
            ("http://127.0.0.1:8080/cb", Some("http://127.0.0.1:8080")),
            ("http://[::1]:8080/cb", Some("http:")),
            ("https://[2001:db8::1]/cb", Some("https:")),
            ("com.example.app:/cb", Some("com.example.app:")),
            ("not a uri", None),
        ] {
            assert_eq!(Destination::of(uri).csp_source().as_deref(), source, "{uri}");
        }
    }

    #[test]
    fn a_redirect_uri_cannot_add_to_the_policy() {
        for uri in [
            "https://a.example;script-src *",
            "https://a.example; script-src/x",
            "https://a'b.example/",
            "https://*/",
            "https://*.example/",
            "https://a.example,b/",
            "x; script-src *:/cb",
            "https://a.example\r\nset-cookie: x/",
        ] {
            let source = Destination::of(uri).csp_source().unwrap_or_default();
            assert!(!source.contains([';', ',', ' ', '*', '\'', '\r', '\n']), "{uri}: {source}");
        }
    }
}
