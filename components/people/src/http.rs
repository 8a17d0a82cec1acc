//! Requests and whole responses, as `attesto:people` exchanges them.

/// An HTTP request as the authorization server received it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// As sent: `GET`, `POST`, …
    pub method: String,
    /// Without the query.
    pub path: String,
    /// What follows `?`.
    pub query: Option<String>,
    /// In order, names in any case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// All of it.
    pub body: Vec<u8>,
    /// Seconds since the Unix epoch.
    pub now: u64,
}

impl Request {
    /// Every value of the header `name`.
    pub fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }
}

/// A whole HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// In order, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// All of it.
    pub body: Vec<u8>,
}

impl Response {
    /// A page. `form_action` is where its forms may lead besides this origin, as CSP source expressions
    /// ([`crate::destination::Destination::form_action`]).
    ///
    /// - Nothing is loaded from elsewhere, there is no script and no inline style, and the page cannot be framed (clickjacking, RFC 6819
    ///   §4.4.1.9).
    /// - The referrer policy is `same-origin`: other sites learn nothing, and unlike under `no-referrer` this page's own posts
    ///   carry an `Origin` that is not `null`, which [`crate::csrf`] wants to see.
    /// - No `Cross-Origin-Opener-Policy`: it would cut the opener off from the popup in which many clients sign people in.
    pub fn page(status: u16, form_action: Option<&str>, html: String) -> Self {
        let form_action = form_action.map(|source| format!(" {source}")).unwrap_or_default();
        let policy = format!(
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'{form_action}; \
             frame-ancestors 'none'; base-uri 'none'"
        );
        Self {
            status,
            headers: vec![
                ("content-type", "text/html; charset=utf-8".into()),
                ("content-security-policy", policy),
                ("x-frame-options", "DENY".into()),
                ("x-content-type-options", "nosniff".into()),
                ("referrer-policy", "same-origin".into()),
                ("cross-origin-resource-policy", "same-origin".into()),
                ("cache-control", "no-store".into()),
            ],
            body: html.into_bytes(),
        }
    }

    /// A stylesheet or picture of this part. Its address changes with its content.
    pub fn asset(content_type: &str, body: &'static [u8]) -> Self {
        Self {
            status: 200,
            headers: vec![
                ("content-type", content_type.into()),
                ("x-content-type-options", "nosniff".into()),
                ("cross-origin-resource-policy", "same-origin".into()),
                ("cache-control", "public, max-age=31536000, immutable".into()),
            ],
            body: body.to_vec(),
        }
    }

    /// RFC 9110 §15.4.4: look there next, with GET.
    pub fn see_other(location: &str) -> Self {
        Self {
            status: 303,
            headers: vec![("location", location.into()), ("cache-control", "no-store".into())],
            body: Vec::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
