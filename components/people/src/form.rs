//! Posted forms: `application/x-www-form-urlencoded`, read strictly.

use crate::http::Request;
use percent_encoding::percent_decode;
use std::{borrow::Cow, collections::BTreeMap};

/// The largest body that is read, in bytes.
pub const LARGEST_BODY: usize = 64 * 1024;

/// The most fields a form may have; no page here has that many.
const MOST_FIELDS: usize = 32;

/// Why a body is not a form of this part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// Another media type, or none, or two.
    MediaType,
    /// Over [`LARGEST_BODY`].
    TooLarge,
    /// Too many fields, a field twice, or bytes that are not UTF-8.
    Fields,
}

impl Malformed {
    /// RFC 9110 §15.5.
    pub fn status(self) -> u16 {
        match self {
            Self::MediaType => 415,
            Self::TooLarge => 413,
            Self::Fields => 400,
        }
    }
}

/// The fields of a posted form; each occurs once.
pub struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads the request's body.
    pub fn read(request: &Request) -> Result<Self, Malformed> {
        let mut types = request.header("content-type");
        let is_form = types.next().is_some_and(is_form_type) && types.next().is_none();
        if !is_form {
            return Err(Malformed::MediaType);
        }
        if request.body.len() > LARGEST_BODY {
            return Err(Malformed::TooLarge);
        }
        let mut fields = BTreeMap::new();
        for pair in request.body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            if fields.len() == MOST_FIELDS || fields.insert(name, value).is_some() {
                return Err(Malformed::Fields);
            }
        }
        Ok(Self(fields))
    }

    /// A field's value; empty where the form has no such field.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// The media type without its parameters (RFC 9110 §8.3.1).
fn is_form_type(value: &[u8]) -> bool {
    let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

fn decode(encoded: &[u8]) -> Result<String, Malformed> {
    let spaced: Cow<'_, [u8]> = if encoded.contains(&b'+') {
        encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect::<Vec<_>>().into()
    } else {
        encoded.into()
    };
    let decoded = percent_decode(&spaced).decode_utf8().map_err(|_| Malformed::Fields)?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    fn read(content_type: &str, body: impl Into<Vec<u8>>) -> Result<Form, Malformed> {
        let headers = vec![("Content-Type".to_owned(), content_type.as_bytes().to_vec())];
        Form::read(&Request { headers, body: body.into(), ..Request::default() })
    }

    #[test]
    fn fields_are_decoded_once() {
        let form =
            read("Application/X-WWW-Form-URLEncoded; charset=UTF-8", "a=1+%2B%31&b=%26%3D%2541&c&=&d=x=y")
                .ok()
                .unwrap();
        assert_eq!(form.get("a"), "1 +1");
        assert_eq!(form.get("b"), "&=%41");
        assert_eq!(form.get("c"), "");
        assert_eq!(form.get("d"), "x=y");
        assert_eq!(form.get("absent"), "");
    }

    #[test]
    fn another_media_type_is_refused() {
        for other in [
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/json",
            "",
            "application/x-www-form-urlencodedx",
        ] {
            assert_eq!(read(other, "a=1").err(), Some(Malformed::MediaType), "{other}");
        }
        assert_eq!(Form::read(&Request::default()).err(), Some(Malformed::MediaType));
        let twice = vec![("content-type".to_owned(), FORM.into()), ("content-type".to_owned(), FORM.into())];
        let request = Request { headers: twice, ..Request::default() };
        assert_eq!(Form::read(&request).err(), Some(Malformed::MediaType));
    }

    #[test]
    fn a_body_over_64_kib_is_refused() {
        assert!(read(FORM, vec![b'a'; LARGEST_BODY]).is_ok());
        assert_eq!(read(FORM, vec![b'a'; LARGEST_BODY + 1]).err(), Some(Malformed::TooLarge));
    }

    #[test]
    fn a_field_that_occurs_twice_is_refused() {
        for body in ["a=1&a=2", "a=1&%61=1", "a&a"] {
            assert_eq!(read(FORM, body).err(), Some(Malformed::Fields), "{body}");
        }
    }

    #[test]
    fn too_many_fields_are_refused() {
        let body = |count: usize| (0..count).map(|n| format!("f{n}=")).collect::<Vec<_>>().join("&");
        assert!(read(FORM, body(MOST_FIELDS)).is_ok());
        assert_eq!(read(FORM, body(MOST_FIELDS + 1)).err(), Some(Malformed::Fields));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_refused() {
        for body in [&b"a=\xff"[..], b"a=%FF", b"%C3=1", b"a=%ED%A0%80"] {
            assert_eq!(read(FORM, body).err(), Some(Malformed::Fields), "{body:?}");
        }
    }
}
