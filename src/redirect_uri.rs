//! Redirection endpoints (RFC 6749 §3.1.2).

use url::{Host, Url};

/// A redirect URI that has been found among its client's registered ones. Only such a URI is ever redirected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedRedirectUri(String);

impl TrustedRedirectUri {
    /// Finds `requested` among `registered`.
    ///
    /// "The authorization server MUST [compare] using exact string matching except for port numbers in
    /// `localhost` redirection URIs of native apps" (RFC 9700 §2.1, RFC 8252 §7.3, there for the loopback IP
    /// literals).
    pub fn find(requested: &str, registered: &[String]) -> Option<Self> {
        registered
            .iter()
            .any(|uri| is_acceptable(uri) && (uri == requested || differs_in_loopback_port(requested, uri)))
            .then(|| Self(requested.to_owned()))
    }

    /// The URI that applies where the request names none: the only one registered (RFC 6749 §3.1.2.3).
    pub fn only(registered: &[String]) -> Option<Self> {
        match registered {
            [uri] if is_acceptable(uri) => Some(Self(uri.clone())),
            _ => None,
        }
    }

    /// The URI as the client sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URI with parameters as its fragment; it has none of its own (RFC 6749 §3.1.2).
    pub fn with_fragment<'a>(&self, params: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
        format!("{}#{}", self.0, crate::params::encode(params))
    }

    /// The URI with parameters added to its query, which is kept (RFC 6749 §3.1.2).
    pub fn with_query<'a>(&self, params: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
        let separator = match self.0.split_once('?') {
            None => "?",
            Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{}{separator}{}", self.0, crate::params::encode(params))
    }
}

/// An absolute URI without a fragment (RFC 6749 §3.1.2) in visible ASCII, so that it fits a `Location` header. Schemes
/// a user agent would execute or render are no endpoints.
pub fn is_acceptable(uri: &str) -> bool {
    uri.bytes().all(|b| (0x21..=0x7E).contains(&b))
        && Url::parse(uri).is_ok_and(|url| {
            url.fragment().is_none()
                && has_plain_authority(uri, url.scheme())
                && match url.scheme() {
                    // "The redirection endpoint SHOULD require the use of TLS" (RFC 6749 §3.1.2.1), the person's own
                    // device apart (RFC 8252 §7.3, §8.3).
                    "http" => is_loopback(&url) || url.host_str() == Some("localhost"),
                    "javascript" | "data" | "vbscript" | "blob" | "file" | "about" => false,
                    _ => true,
                }
                // An answer's own parameters would be there twice, and RFC 9207 §2.4 would protect nobody.
                && !url.query_pairs().any(|(name, _)| RESPONSE_PARAMETERS.contains(&name.as_ref()))
        })
}

/// Whether the authority is written out and has no user information, not even an empty one, which stops being a URL
/// once a query follows (`app://@`). `https:host/cb` is a URL, but a user agent that is on an https page already reads it
/// as a path of that page's server.
fn has_plain_authority(uri: &str, scheme: &str) -> bool {
    let is_web = matches!(scheme, "http" | "https");
    match uri.split_once("://") {
        Some((before, after)) if before.eq_ignore_ascii_case(scheme) => {
            let authority = after.split(['/', '\\', '?']).next().unwrap_or_default();
            !(authority.contains('@') || is_web && authority.is_empty())
        }
        // com.example.app:/cb (RFC 8252 §7.1)
        _ => !is_web,
    }
}

/// The parameters of an authorization response (RFC 6749 §4.1.2, §4.1.2.1; RFC 9207 §2; JARM §2.3).
const RESPONSE_PARAMETERS: [&str; 7] =
    ["code", "error", "error_description", "error_uri", "iss", "response", "state"];

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        _ => false,
    }
}

/// "The authorization server MUST allow any port to be specified at the time of the request for loopback IP redirect
/// URIs" (RFC 8252 §7.3).
fn differs_in_loopback_port(requested: &str, registered: &str) -> bool {
    let (Ok(requested_url), Ok(mut registered_url)) = (Url::parse(requested), Url::parse(registered)) else {
        return false;
    };
    // The spelling must be the canonical one, in which alone the default port does not show.
    let canonical =
        requested_url.as_str() == requested || requested_url.as_str() == requested.replacen(":80/", "/", 1);
    is_loopback(&registered_url)
        && registered_url.scheme() == "http"
        && canonical
        && registered_url.set_port(requested_url.port()).is_ok()
        && registered_url == requested_url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(requested: &str, registered: &str) -> bool {
        TrustedRedirectUri::find(requested, &[registered.to_owned()]).is_some()
    }

    #[test]
    fn redirect_uris_are_compared_octet_by_octet() {
        assert!(matches("https://client.example/cb", "https://client.example/cb"));
        for requested in [
            "https://client.example/cb/",
            "https://client.example/CB",
            "https://CLIENT.example/cb",
            "https://client.example:443/cb",
            "https://client.example/cb?x=1",
            "https://client.example/cb#f",
            "https://client.example/%63b",
            "https://client.example/x/../cb",
            "https://evil.example/cb",
            "https://client.example.evil.example/cb",
            "https://client.example@evil.example/cb",
            "http://client.example/cb",
            "",
        ] {
            assert!(!matches(requested, "https://client.example/cb"), "{requested}");
        }
    }

    #[test]
    fn a_loopback_ip_literal_may_have_any_port() {
        assert!(matches("http://127.0.0.1:49152/cb", "http://127.0.0.1/cb"));
        assert!(matches("http://127.0.0.1:49152/cb", "http://127.0.0.1:8000/cb"));
        assert!(matches("http://[::1]:1234/cb", "http://[::1]/cb"));
        assert!(matches("http://127.0.0.1:80/cb", "http://127.0.0.1/cb"));
        for requested in [
            "http://127.0.0.1:1/other",
            "http://127.0.0.1:1@evil.example/cb",
            "http://user@127.0.0.1:1/cb",
            "https://127.0.0.1:1/cb",
            "http://127.0.0.2:1/cb",
            "http://localhost:1/cb",
            "http://127.0.0.1:1/cb#f",
            "http://127.0.0.1:1/./cb",
            "http://127.1:1/cb",
        ] {
            assert!(!matches(requested, "http://127.0.0.1/cb"), "{requested}");
        }
        assert!(!matches("http://localhost:1/cb", "http://localhost/cb"));
        assert!(!matches("https://client.example:1/cb", "https://client.example/cb"));
    }

    #[test]
    fn a_registered_uri_that_is_no_endpoint_matches_nothing() {
        for uri in [
            "/cb",
            "https://client.example/cb#f",
            "http://client.example/cb",
            "https://user:secret@client.example/cb",
            "https://@client.example/cb",
            "https:client.example/cb",
            "https:/client.example/cb",
            "https:///client.example/cb",
            "com.example.app://@",
            "about:blank",
            "https://client.example/cb?code=1",
            "https://client.example/cb?x=1&iss=y",
            "https://client.example/cb?response=z",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://c.example/\r\nx: y",
        ] {
            assert!(!matches(uri, uri), "{uri}");
        }
        for uri in [
            "com.example.app:/cb",
            "com.example.app:///cb",
            "com.example.app://cb/a@b",
            "HTTPS://client.example/cb",
        ] {
            assert!(matches(uri, uri), "{uri}");
        }
    }

    #[test]
    fn an_omitted_uri_means_the_only_registered_one() {
        let uri = |s: &str| s.to_owned();
        assert!(TrustedRedirectUri::only(&[uri("https://c.example/cb")]).is_some());
        assert!(TrustedRedirectUri::only(&[]).is_none());
        assert!(
            TrustedRedirectUri::only(&[uri("https://c.example/cb"), uri("https://c.example/2")]).is_none()
        );
    }

    #[test]
    fn a_query_in_the_uri_is_kept() {
        let with = |uri: &str| {
            TrustedRedirectUri::only(&[uri.to_owned()])
                .map(|uri| uri.with_query([("code", "a b"), ("state", "1&2")]))
        };
        assert_eq!(
            with("https://c.example/cb").as_deref(),
            Some("https://c.example/cb?code=a+b&state=1%262")
        );
        assert_eq!(
            with("https://c.example/cb?x=1").as_deref(),
            Some("https://c.example/cb?x=1&code=a+b&state=1%262")
        );
        assert_eq!(
            with("https://c.example/cb?").as_deref(),
            Some("https://c.example/cb?code=a+b&state=1%262")
        );
    }
}
