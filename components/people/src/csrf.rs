//! Where a post came from. The seals in the forms ([`crate::secret::seal`]) are the defence; this is a second one that asks the
//! browser itself.

use crate::{http::Request, settings::Settings};

/// Whether the browser says that the request comes from a page of this issuer, or says nothing. Older browsers and tools do not
/// say; what they send must still carry a form's seal.
pub fn is_same_origin(settings: &Settings, request: &Request) -> bool {
    // Fetch Metadata §2.3; `none` is a person's own doing, such as a reload.
    let site_agrees =
        request.header("sec-fetch-site").all(|value| value == b"same-origin" || value == b"none");
    let origin_agrees = request.header("origin").all(|value| value == settings.origin.as_bytes());
    site_agrees && origin_agrees
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(headers: &[(&str, &str)]) -> bool {
        let settings = Settings::new("default", "https://id.example.com/tenant", "/account").unwrap();
        let headers =
            headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
        is_same_origin(&settings, &Request { headers, ..Request::default() })
    }

    #[test]
    fn this_origin_and_silence_are_accepted() {
        assert!(allowed(&[]));
        assert!(allowed(&[("Origin", "https://id.example.com"), ("Sec-Fetch-Site", "same-origin")]));
        assert!(allowed(&[("sec-fetch-site", "none")]));
    }

    #[test]
    fn other_sites_sibling_hosts_and_opaque_origins_are_refused() {
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "http://id.example.com"),
            ("origin", "https://id.example.com:8443"),
            ("origin", "https://id.example.com.evil.example"),
            ("origin", "null"),
            ("origin", ""),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            assert!(!allowed(&[(name, value)]), "{name}: {value}");
        }
        assert!(!allowed(&[("origin", "https://id.example.com"), ("origin", "https://evil.example")]));
        assert!(!allowed(&[("origin", "https://id.example.com"), ("sec-fetch-site", "cross-site")]));
    }
}
