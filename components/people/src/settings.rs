//! What the authorization server tells this part once per instance.

use url::{Origin, Url};

/// The settings, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The key-value label in which the records are.
    pub store: String,
    /// The prefix of this part's own routes, without a slash at its end. Empty where nobody is shown a page.
    pub prefix: String,
    /// The issuer's origin (RFC 6454 §6.2), which is that of every page here.
    pub origin: String,
    /// The issuer's host, and its port where it has one: who is asking for a password.
    pub host: String,
    /// Whether the issuer is https, and so cookies are `Secure`.
    pub secure: bool,
}

impl Settings {
    /// Checks the settings. The error names the setting.
    pub fn new(store: &str, issuer: &str, prefix: &str) -> Result<Self, String> {
        // The prefix stands in attributes, cookies and `Location`: plain path segments only.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
        let segments = prefix.strip_prefix('/').filter(|rest| {
            rest.split('/')
                .all(|part| !part.is_empty() && part.bytes().all(plain) && !matches!(part, "." | ".."))
        });
        if segments.is_none() {
            return Err(format!("path-prefix: {prefix:?} is not a path such as /account"));
        }
        Ok(Self { prefix: prefix.into(), ..Self::without_pages(store, issuer)? })
    }

    /// The settings of a server without people: what is asked here is whether a subject is admitted.
    pub fn without_pages(store: &str, issuer: &str) -> Result<Self, String> {
        let url = Url::parse(issuer).map_err(|error| format!("issuer: {issuer:?} is no URL: {error}"))?;
        let (secure, host) = match (url.scheme(), url.host_str()) {
            ("https", Some(host)) => (true, host),
            ("http", Some(host)) => (false, host),
            _ => return Err(format!("issuer: {issuer:?} is neither https nor http")),
        };
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let origin @ Origin::Tuple(..) = url.origin() else {
            return Err(format!("issuer: {issuer:?} has no origin"));
        };
        let origin = origin.ascii_serialization();
        Ok(Self { store: store.into(), prefix: String::new(), origin, host, secure })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_host_and_security_come_from_the_issuer() {
        let settings = Settings::new("default", "https://id.example.com/tenant", "/account").unwrap();
        assert_eq!(
            (settings.origin.as_str(), settings.host.as_str()),
            ("https://id.example.com", "id.example.com")
        );
        assert!(settings.secure);
        let settings = Settings::new("default", "http://127.0.0.1:3000", "/a/b").unwrap();
        assert_eq!(
            (settings.origin.as_str(), settings.host.as_str()),
            ("http://127.0.0.1:3000", "127.0.0.1:3000")
        );
        assert!(!settings.secure);
    }

    #[test]
    fn an_issuer_that_is_no_web_address_is_refused_by_name() {
        for issuer in ["", "id.example.com", "ftp://id.example.com", "data:,x"] {
            assert!(
                Settings::new("default", issuer, "/account").unwrap_err().starts_with("issuer:"),
                "{issuer}"
            );
        }
    }

    #[test]
    fn without_pages_there_is_no_prefix_and_all_else_is_checked() {
        let settings = Settings::without_pages("default", "https://id.example.com").unwrap();
        assert_eq!((settings.prefix.as_str(), settings.host.as_str()), ("", "id.example.com"));
        assert!(Settings::without_pages("default", "id.example.com").unwrap_err().starts_with("issuer:"));
    }

    #[test]
    fn a_prefix_that_is_no_plain_path_is_refused_by_name() {
        for prefix in ["", "/", "account", "/account/", "/a//b", "/a b", "/a\"b", "/a;b", "/../b", "/a?b"] {
            let error = Settings::new("default", "https://id.example.com", prefix).unwrap_err();
            assert!(error.starts_with("path-prefix:"), "{prefix}: {error}");
        }
    }
}
