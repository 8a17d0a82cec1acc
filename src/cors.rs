//! Cross-origin requests of scripts in browsers (Fetch Standard, "CORS protocol").
//!
//! A browser lets a script read another origin's response only where the response allows it. The endpoints a client
//! running in a browser calls do so for configured origins: token, metadata, JWKS, UserInfo, revocation, registration.
//! **The authorization endpoint never does**: "CORS MUST NOT be supported at the authorization endpoint, as the client
//! does not access this endpoint directly" (RFC 9700 §2.6). The caller asks no policy there.
//!
//! `Access-Control-Allow-Credentials` is never sent: no endpoint a script calls takes a cookie.

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use url::Url;

use crate::http::{Request, Response};

/// How long a browser may keep the answer to a preflight, seconds: the most that Chromium does.
const MAX_AGE: &str = "7200";

/// What a client sends beyond what Fetch lets every script send: its credentials, the JSON media type, a DPoP proof
/// (RFC 9449 §4.1). `Authorization` is never meant by `*`, so it is named.
const ALLOWED_HEADERS: &str = "authorization, content-type, dpop";

/// What a client has to read of a response: challenges (RFC 9110 §11.6.1) and nonces (RFC 9449 §8.1).
const EXPOSED_HEADERS: &str = "WWW-Authenticate, DPoP-Nonce";

/// Whose scripts may read responses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsPolicy(Readers);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Readers {
    Origins(Vec<String>),
    Everyone,
}

/// A configured origin that no browser would send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// A `*` stands for more than one site, and patterns of origins have let strangers in before.
    #[error("`{0}` is no single origin: name each client's own")]
    Wildcard(String),
    /// `null` is what a browser sends for sandboxed frames and files, whoever made them.
    #[error("`null` is the origin of anyone's sandboxed page")]
    Null,
    /// Not an http or https origin as browsers serialize it.
    #[error("`{0}` is not an origin like `https://app.example`: lower case, no default port, no path")]
    NotCanonical(String),
    /// Plain http, where whoever is on the way is that origin.
    #[error("`{0}` must use https; http is for the developer's own machine")]
    Plain(String),
}

impl CorsPolicy {
    /// For the scripts of these origins, each as a browser writes it (RFC 6454 §6.2).
    pub fn new<T: Into<String>>(origins: impl IntoIterator<Item = T>) -> Result<Self, OriginError> {
        let origins: Result<Vec<_>, _> = origins.into_iter().map(|origin| canonical(origin.into())).collect();
        Ok(Self(Readers::Origins(origins?)))
    }

    /// For every script: documents that are the same for everyone and that no credential opens, such as metadata and
    /// keys.
    pub const fn public() -> Self {
        Self(Readers::Everyone)
    }

    /// The answer to a preflight request, or `None` for a request that is none. `methods` are those of the endpoint.
    ///
    /// An origin that is not allowed is answered as well, with nothing allowed: the browser then refuses its script.
    pub fn preflight(&self, request: &Request, methods: &[Method]) -> Option<Response> {
        let is_preflight = request.method == Method::OPTIONS
            && request.headers.contains_key(header::ORIGIN)
            && request.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight {
            return None;
        }
        let mut response = Response::empty(StatusCode::NO_CONTENT);
        if self.admit(&request.headers, &mut response) {
            let methods = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
            response = response
                .header(header::ACCESS_CONTROL_ALLOW_METHODS, &methods)
                .header(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS)
                .header(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        }
        Some(response)
    }

    /// The response to an actual request, which an allowed origin's script may read.
    #[must_use]
    pub fn apply(&self, request: &Request, mut response: Response) -> Response {
        if self.admit(&request.headers, &mut response) {
            response = response.header(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
        }
        response
    }

    /// Names the reader in the response, if there is one, and says so.
    fn admit(&self, request: &HeaderMap, response: &mut Response) -> bool {
        let allowed = match &self.0 {
            Readers::Everyone if request.contains_key(header::ORIGIN) => Some(HeaderValue::from_static("*")),
            Readers::Everyone => None,
            Readers::Origins(origins) => {
                // Also where the request has no `Origin`: a cache must not give one reader's response to another
                // (Fetch Standard, "CORS protocol and HTTP caches").
                vary_by_origin(&mut response.headers);
                the_origin(request).filter(|origin| origins.iter().any(|o| o.as_bytes() == origin.as_bytes()))
            }
        };
        match allowed {
            Some(value) => response.headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value).is_none(),
            None => false,
        }
    }
}

/// The one `Origin` of the request.
fn the_origin(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    origins.next().filter(|_| origins.next().is_none()).cloned()
}

fn vary_by_origin(headers: &mut HeaderMap) {
    const ORIGIN: HeaderName = header::ORIGIN;
    let names = |value: &HeaderValue| {
        value.to_str().is_ok_and(|value| {
            value
                .split(',')
                .map(str::trim)
                .any(|name| name == "*" || name.eq_ignore_ascii_case(ORIGIN.as_str()))
        })
    };
    if !headers.get_all(header::VARY).iter().any(names) {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
}

fn canonical(origin: String) -> Result<String, OriginError> {
    if origin.contains('*') {
        return Err(OriginError::Wildcard(origin));
    }
    if origin == "null" {
        return Err(OriginError::Null);
    }
    let url = Url::parse(&origin).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
    let Some(url) = url.filter(|url| url.origin().ascii_serialization() == origin) else {
        return Err(OriginError::NotCanonical(origin));
    };
    if url.scheme() == "https" || is_loopback(&url) { Ok(origin) } else { Err(OriginError::Plain(origin)) }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Body;

    const APP: &str = "https://app.example";

    fn policy() -> CorsPolicy {
        CorsPolicy::new([APP, "http://localhost:3000"]).expect("origins")
    }

    fn request(method: Method, fields: &[(HeaderName, &'static str)]) -> Request {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, HeaderValue::from_static(value));
        }
        Request {
            method,
            path: "/oauth/token".to_owned(),
            query: None,
            headers,
            body: Body::Complete(Vec::new()),
        }
    }

    fn preflight_from(origin: &'static str) -> Request {
        let asks = (header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
        request(Method::OPTIONS, &[(header::ORIGIN, origin), asks])
    }

    fn fields(response: &Response) -> Vec<String> {
        let mut fields: Vec<_> = response
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().expect("ASCII")))
            .collect();
        fields.sort();
        fields
    }

    #[test]
    fn a_preflight_of_an_allowed_origin_is_told_what_it_may_send() {
        let response = policy().preflight(&preflight_from(APP), &[Method::POST]).expect("a preflight");
        assert_eq!(response.status, StatusCode::NO_CONTENT);
        assert_eq!(
            fields(&response),
            [
                "access-control-allow-headers: authorization, content-type, dpop",
                "access-control-allow-methods: POST",
                "access-control-allow-origin: https://app.example",
                "access-control-max-age: 7200",
                "vary: Origin",
            ]
        );
        assert!(response.body.is_empty());
    }

    #[test]
    fn any_other_origin_is_allowed_nothing() {
        for origin in [
            "https://evil.example",
            "https://app.example.evil.example",
            "https://app.example:8443",
            "http://app.example",
            "https://APP.example",
            "https://app.example/",
            "null",
            "*",
            "",
        ] {
            let response = policy().preflight(&preflight_from(origin), &[Method::POST]).expect("a preflight");
            assert_eq!(
                (response.status, fields(&response)),
                (StatusCode::NO_CONTENT, vec!["vary: Origin".to_owned()])
            );
            let response = policy()
                .apply(&request(Method::POST, &[(header::ORIGIN, origin)]), Response::empty(StatusCode::OK));
            assert_eq!(fields(&response), ["vary: Origin"], "{origin}");
        }
    }

    #[test]
    fn two_origins_in_one_request_are_none() {
        let request = request(Method::POST, &[(header::ORIGIN, APP), (header::ORIGIN, APP)]);
        assert_eq!(fields(&policy().apply(&request, Response::empty(StatusCode::OK))), ["vary: Origin"]);
    }

    #[test]
    fn an_actual_response_names_its_reader_and_what_may_be_read() {
        let response = Response::empty(StatusCode::OK).header(header::VARY, "Accept-Encoding");
        assert_eq!(
            fields(&policy().apply(&request(Method::POST, &[(header::ORIGIN, APP)]), response)),
            [
                "access-control-allow-origin: https://app.example",
                "access-control-expose-headers: WWW-Authenticate, DPoP-Nonce",
                "vary: Accept-Encoding",
                "vary: Origin",
            ]
        );
    }

    #[test]
    fn responses_vary_by_origin_also_where_the_request_has_none() {
        let response = policy().apply(&request(Method::GET, &[]), Response::empty(StatusCode::OK));
        assert_eq!(fields(&response), ["vary: Origin"]);
        let varied = Response::empty(StatusCode::OK).header(header::VARY, "accept, origin");
        assert_eq!(fields(&policy().apply(&request(Method::GET, &[]), varied)), ["vary: accept, origin"]);
    }

    #[test]
    fn public_documents_are_for_every_script_and_the_same_for_all() {
        let from_anyone = request(Method::GET, &[(header::ORIGIN, "https://any.example")]);
        assert_eq!(
            fields(&CorsPolicy::public().apply(&from_anyone, Response::empty(StatusCode::OK))),
            ["access-control-allow-origin: *", "access-control-expose-headers: WWW-Authenticate, DPoP-Nonce",]
        );
        let without = CorsPolicy::public().apply(&request(Method::GET, &[]), Response::empty(StatusCode::OK));
        assert!(fields(&without).is_empty());
    }

    #[test]
    fn credentials_are_never_allowed() {
        for policy in [policy(), CorsPolicy::public()] {
            let preflight = policy.preflight(&preflight_from(APP), &[Method::GET]).expect("a preflight");
            let actual = policy.apply(&preflight_from(APP), Response::empty(StatusCode::OK));
            for response in [preflight, actual] {
                assert!(!response.headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
            }
        }
    }

    #[test]
    fn what_lacks_a_mark_of_a_preflight_is_none() {
        let asks = (header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
        for request in [
            request(Method::OPTIONS, &[]),
            request(Method::OPTIONS, &[(header::ORIGIN, APP)]),
            request(Method::OPTIONS, std::slice::from_ref(&asks)),
            request(Method::POST, &[(header::ORIGIN, APP), asks.clone()]),
        ] {
            assert!(policy().preflight(&request, &[Method::POST]).is_none(), "{request:?}");
        }
    }

    #[test]
    fn origins_are_configured_as_browsers_write_them() {
        let new = |origin: &str| CorsPolicy::new([origin]).map(drop);
        for pattern in ["*", "https://*", "https://*.app.example"] {
            assert_eq!(new(pattern), Err(OriginError::Wildcard(pattern.to_owned())));
        }
        assert_eq!(new("null"), Err(OriginError::Null));
        for origin in [
            "",
            "app.example",
            "https://app.example/",
            "https://app.example/x",
            "https://APP.example",
            "https://app.example:443",
            "https://u@app.example",
            "https://app.example?",
            "ftp://app.example",
            "https://bücher.example",
        ] {
            assert_eq!(new(origin), Err(OriginError::NotCanonical(origin.to_owned())), "{origin}");
        }
        assert_eq!(new("http://app.example"), Err(OriginError::Plain("http://app.example".to_owned())));
        for origin in
            ["https://app.example:8443", "http://127.0.0.1:3000", "http://[::1]:1", "http://localhost"]
        {
            assert_eq!(new(origin), Ok(()), "{origin}");
        }
    }
}
