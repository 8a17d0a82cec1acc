//! HTTP as the engine sees it: whole messages, no transport.

use std::fmt;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::Serialize;

use crate::params::{Malformed, Params};

/// The largest request body an endpoint reads, in bytes. A door hands over [`Body::TooLarge`] for more.
pub const MAX_BODY: usize = 64 * 1024;

/// Octets of a redirect's `Location` at most. A host makes no response of fields beyond its own limit (Wasmtime: 128 KiB in
/// all), and percent-encoding makes three octets of one.
pub const MAX_LOCATION: usize = 64 * 1024;

/// A request, as received.
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, as sent: not decoded, not normalized.
    pub path: String,
    /// The query, without its `?`.
    pub query: Option<String>,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// Method and path alone: everything else may hold secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {})", self.method, self.path)
    }
}

/// A request body.
pub enum Body {
    /// All of it.
    Complete(Vec<u8>),
    /// It had more than [`MAX_BODY`] bytes, and the rest was not read.
    TooLarge,
}

/// Why a request body can not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// The media type is not one this endpoint reads.
    MediaType,
    /// The body is larger than [`MAX_BODY`].
    TooLarge,
    /// The body is not what the media type says.
    Malformed,
}

impl Request {
    /// The parameters of the query.
    pub fn query_params(&self) -> Result<Params, Malformed> {
        Params::parse(self.query.as_deref().unwrap_or_default().as_bytes())
    }

    /// The parameters of a body "using the `application/x-www-form-urlencoded` format […] with a character encoding
    /// of UTF-8" (RFC 6749 §3.2 and Appendix B).
    pub fn form(&self) -> Result<Params, BodyError> {
        match (self.complete_body()?, self.content_type()) {
            (body, Some(value)) if is_form(value) => {
                Params::parse(body).map_err(|Malformed| BodyError::Malformed)
            }
            _ => Err(BodyError::MediaType),
        }
    }

    /// The parameters of a form, or of a flat JSON object with the same members.
    pub fn form_or_json(&self) -> Result<Params, BodyError> {
        match (self.complete_body()?, self.content_type()) {
            (body, Some(value)) if is_json(value) => {
                Params::parse_json(body).map_err(|Malformed| BodyError::Malformed)
            }
            _ => self.form(),
        }
    }

    fn complete_body(&self) -> Result<&[u8], BodyError> {
        match &self.body {
            Body::Complete(body) => Ok(body),
            Body::TooLarge => Err(BodyError::TooLarge),
        }
    }

    /// The one `Content-Type` there is.
    fn content_type(&self) -> Option<&HeaderValue> {
        let mut types = self.headers.get_all(header::CONTENT_TYPE).iter();
        types.next().filter(|_| types.next().is_none())
    }
}

fn is_form(value: &HeaderValue) -> bool {
    has_essence(value, "application/x-www-form-urlencoded")
}

fn is_json(value: &HeaderValue) -> bool {
    has_essence(value, "application/json")
}

/// The media type is this one; a `charset` parameter, if there is one, is UTF-8.
fn has_essence(value: &HeaderValue, media_type: &str) -> bool {
    let Ok(value) = value.to_str() else { return false };
    let mut parts = value.split(';').map(str::trim);
    parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case(media_type))
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, charset)) if name.eq_ignore_ascii_case("charset") => {
                charset.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

/// A response.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// A response without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Vec::new() }
    }

    /// A JSON response nobody keeps: "The authorization server MUST include the HTTP `Cache-Control` response header
    /// field with a value of `no-store`" (RFC 6749 §5.1).
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self { body, ..Self::empty(status) }
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::CACHE_CONTROL, "no-store"),
            Err(_) => Self::empty(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// A JSON document that is the same for everyone and may be kept for `max_age` seconds (RFC 8414 §3.1).
    pub fn public_document(body: &[u8], max_age: u64) -> Self {
        Self { body: body.to_vec(), ..Self::empty(StatusCode::OK) }
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CACHE_CONTROL, &format!("public, max-age={max_age}"))
    }

    /// A redirect the user agent follows with GET, whatever the method was: 303, so that a form is never sent on
    /// to the client (RFC 9700 §4.12). `None` where `location` does not fit a header, or is
    /// longer than [`MAX_LOCATION`].
    pub fn see_other(location: &str) -> Option<Self> {
        if location.len() > MAX_LOCATION {
            return None;
        }
        let location = HeaderValue::from_str(location).ok()?;
        let mut response = Self::empty(StatusCode::SEE_OTHER).header(header::CACHE_CONTROL, "no-store");
        response.headers.insert(header::LOCATION, location);
        Some(response)
    }

    /// A page of fixed text for the person at the user agent.
    pub fn error_page(status: StatusCode, title: &'static str, text: &'static str) -> Self {
        Self::fixed_page(status, title, format_args!("<p>{text}</p>"))
    }

    /// Such a page that also names an error code, for whoever has built the client.
    pub fn error_page_with_code(
        status: StatusCode,
        title: &'static str,
        text: &'static str,
        code: &'static str,
    ) -> Self {
        Self::fixed_page(status, title, format_args!("<p>{text}</p><p><code>{code}</code></p>"))
    }

    fn fixed_page(status: StatusCode, title: &'static str, content: fmt::Arguments<'_>) -> Self {
        let body = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title></head>\
             <body><main><h1>{title}</h1>{content}</main></body></html>\n"
        );
        Self { body: body.into_bytes(), ..Self::empty(status) }
            .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
            .header(header::CACHE_CONTROL, "no-store")
            .header(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'")
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .header(header::REFERRER_POLICY, "no-referrer")
    }

    /// The response with a header field set. A value that does not fit a header is left out.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_form_media_type_in_utf8_is_a_form() {
        let form = |value: &'static str| is_form(&HeaderValue::from_static(value));
        assert!(form("application/x-www-form-urlencoded"));
        assert!(form("Application/X-WWW-Form-Urlencoded; charset=UTF-8"));
        for bad in [
            "",
            "text/plain",
            "application/json",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded; charset=latin1",
        ] {
            assert!(!form(bad), "{bad}");
        }
    }
}
