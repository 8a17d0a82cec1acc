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
            (true, _) => Self::Loopback { host },
            (false, true) => Self::Site { host },
            (false, false) => Self::Plain { host },
        }
    }

    /// Whether the redirect URI vouches for the client, so that an earlier consent may stand for a new one. Any app can claim a
    /// scheme or listen on the loopback interface: there the person is asked each time (RFC 6749 §10.2, RFC 8252 §8.6).
    pub fn vouches_for_the_client(&self) -> bool {
        matches!(self, Self::Site { .. })
    }

    /// What `form-action` must admit besides this origin (CSP 3 §2.3.1). Browsers hold every redirect that follows a form's submission
    /// against it, and so not only the redirect URI but wherever the client's own callback leads, often another of its hosts:
    /// naming the redirect URI's origin alone would strand people there. No more than schemes, so a redirect URI cannot write
    /// anything else into the policy.
    pub fn form_action(&self) -> Option<String> {
        match self {
            Self::Site { .. } => Some("https:".into()),
            Self::Plain { .. } | Self::Loopback { .. } => Some("https: http:".into()),
            // RFC 3986 §3.1: letters, digits, "+", "-", "."; the URL parser admits no others.
            Self::App { scheme } => Some(format!("{scheme}:")),
            Self::Unknown => None,
        }
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
    fn the_policy_names_the_schemes_the_way_may_lead_through() {
        for (uri, sources) in [
            ("https://app.example.com/cb?a;b", Some("https:")),
            ("http://127.0.0.1:8080/cb", Some("https: http:")),
            ("https://localhost/cb", Some("https: http:")),
            ("http://app.example.com/cb", Some("https: http:")),
            ("com.example.app:/cb", Some("com.example.app:")),
            ("not a uri", None),
        ] {
            assert_eq!(Destination::of(uri).form_action().as_deref(), sources, "{uri}");
        }
    }

    #[test]
    fn a_redirect_uri_cannot_add_to_the_policy() {
        for uri in [
            "https://a.example;script-src *",
            "https://a.example/;script-src *",
            "https://*/",
            "x; script-src *:/cb",
            "x*:/cb",
            "a'b:/cb",
            "a,b:/cb",
            "com.example.app:;script-src *",
            "com.example.app:/cb\r\nset-cookie: x",
        ] {
            let source = Destination::of(uri).form_action().unwrap_or_default();
            assert!(!source.contains([';', ',', '*', '\'', '\r', '\n']), "{uri}: {source}");
        }
    }
}
