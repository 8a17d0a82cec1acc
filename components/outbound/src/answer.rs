//! Which responses are a document, and how long it may be kept.

use http::header::{AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, StatusCode};

/// Why a response is no document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Not 200; a redirect is not followed, it could lead anywhere.
    #[error("it answered {0}")]
    Status(StatusCode),
    /// The media type is not JSON, or there is none.
    #[error("its content is not JSON")]
    MediaType,
    /// The content is compressed, which was not asked for: a few bytes could become many.
    #[error("its content is encoded")]
    Encoded,
    /// The body is larger than it may be.
    #[error("its content is too large")]
    TooLarge,
}

/// What the head of a response says of its document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// `Content-Type`.
    pub content_type: String,
    /// For how long the document is fresh, seconds, where the response says so.
    pub max_age: Option<u64>,
}

/// Reads the head of a response whose body may have `max_bytes`.
pub fn head(status: StatusCode, headers: &HeaderMap, max_bytes: u64) -> Result<Head, Unfit> {
    if status != StatusCode::OK {
        return Err(Unfit::Status(status));
    }
    let content_type = text(headers, &CONTENT_TYPE).filter(|value| is_json(value)).ok_or(Unfit::MediaType)?;
    if text(headers, &CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(Unfit::Encoded);
    }
    let length = text(headers, &CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    if length.is_some_and(|length| length > max_bytes) {
        return Err(Unfit::TooLarge);
    }
    Ok(Head { content_type: content_type.to_owned(), max_age: max_age(headers) })
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// `application/json`, or a type with the suffix `+json` (RFC 6839 §3.1) such as `application/jwk-set+json`.
fn is_json(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.strip_prefix("application/") {
        Some(subtype) => {
            subtype == "json" || subtype.strip_suffix("+json").is_some_and(|name| !name.is_empty())
        }
        None => false,
    }
}

/// `max-age` less `Age` (RFC 9111 §4.2), 0 where the document is not to be kept. Of several, the least counts.
fn max_age(headers: &HeaderMap) -> Option<u64> {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let directives = values.flat_map(|value| value.split(',')).map(str::trim);
    let fresh = directives.filter_map(|directive| {
        let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => Some(0),
            // "argument … a delta-seconds"; one that can not be read makes the response stale (§4.2.1).
            "max-age" => Some(argument.trim().trim_matches('"').parse().unwrap_or(0)),
            _ => None,
        }
    });
    let age = text(headers, &AGE).and_then(|age| age.parse().ok()).unwrap_or(0);
    fresh.min().map(|fresh: u64| fresh.saturating_sub(age))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(fields: &[(&HeaderName, &str)]) -> HeaderMap {
        let field =
            |(name, value): &(&HeaderName, &str)| ((*name).clone(), HeaderValue::from_str(value).unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in fields.iter().map(field) {
            headers.append(name, value);
        }
        headers
    }

    fn read(status: u16, fields: &[(&HeaderName, &str)]) -> Result<Head, Unfit> {
        head(StatusCode::from_u16(status).unwrap(), &headers(fields), 100)
    }

    #[test]
    fn only_200_is_a_document() {
        for status in [201, 204, 206, 301, 302, 303, 307, 308, 304, 401, 404, 500] {
            let unfit = read(status, &[(&CONTENT_TYPE, "application/json")]).unwrap_err();
            assert_eq!(unfit, Unfit::Status(StatusCode::from_u16(status).unwrap()));
        }
    }

    #[test]
    fn only_json_is_a_document() {
        for content_type in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/jwk-set+json",
            "application/oauth-client-metadata+json ; x=y",
        ] {
            let head = read(200, &[(&CONTENT_TYPE, content_type)]).unwrap();
            assert_eq!(head.content_type, content_type);
        }
        for content_type in
            ["", "text/html", "text/plain", "text/json", "application/+json", "application/jsonx", "json"]
        {
            assert_eq!(read(200, &[(&CONTENT_TYPE, content_type)]), Err(Unfit::MediaType), "{content_type}");
        }
        assert_eq!(read(200, &[]), Err(Unfit::MediaType));
    }

    #[test]
    fn encoded_content_is_refused() {
        let json = (&CONTENT_TYPE, "application/json");
        for coding in ["gzip", "br", "identity, gzip"] {
            assert_eq!(read(200, &[json, (&CONTENT_ENCODING, coding)]), Err(Unfit::Encoded), "{coding}");
        }
        assert!(read(200, &[json, (&CONTENT_ENCODING, "identity")]).is_ok());
    }

    #[test]
    fn a_body_that_announces_too_much_is_not_read() {
        let json = (&CONTENT_TYPE, "application/json");
        assert!(read(200, &[json, (&CONTENT_LENGTH, "100")]).is_ok());
        assert_eq!(read(200, &[json, (&CONTENT_LENGTH, "101")]), Err(Unfit::TooLarge));
    }

    #[test]
    fn freshness_is_what_cache_control_says() {
        let max_age = |fields: &[(&HeaderName, &str)]| max_age(&headers(fields));
        assert_eq!(max_age(&[]), None);
        for (value, seconds) in [
            ("public", None),
            ("max-age=300", Some(300)),
            ("public, Max-Age=300, must-revalidate", Some(300)),
            ("max-age=\"300\"", Some(300)),
            ("max-age=300, max-age=20", Some(20)),
            ("max-age=300, no-store", Some(0)),
            ("no-cache", Some(0)),
            ("no-cache=\"set-cookie\"", Some(0)),
            ("max-age", Some(0)),
            ("max-age=-1", Some(0)),
            ("s-maxage=300", None),
        ] {
            assert_eq!(max_age(&[(&CACHE_CONTROL, value)]), seconds, "{value}");
        }
        assert_eq!(max_age(&[(&CACHE_CONTROL, "max-age=300"), (&CACHE_CONTROL, "max-age=200")]), Some(200));
        assert_eq!(max_age(&[(&CACHE_CONTROL, "max-age=300"), (&AGE, "100")]), Some(200));
        assert_eq!(max_age(&[(&CACHE_CONTROL, "max-age=300"), (&AGE, "400")]), Some(0));
    }
}
