//! `application/x-www-form-urlencoded` parameters of a query or a body (RFC 6749 Appendix B).

use std::fmt;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::jose::json;

/// More parameters than any request of this protocol has.
const MAX_PARAMETERS: usize = 64;

/// Decoded parameters in their order. A parameter without a value is treated as if it had been omitted
/// (RFC 6749 §3.1, §3.2).
#[derive(Clone, Default)]
pub struct Params(Vec<(String, String)>);

/// The names alone: the values may be codes, tokens and secrets.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// The octets are not `application/x-www-form-urlencoded` UTF-8 text, or are of unreasonable number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// "Request and response parameters MUST NOT be included more than once." (RFC 6749 §3.1, §3.2)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated;

impl Params {
    /// These names and values, as if they had been parsed.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, Malformed> {
        let params: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        if params.len() > MAX_PARAMETERS { Err(Malformed) } else { Ok(Self(params)) }
    }

    /// Parses a query string or a request body.
    pub fn parse(encoded: &[u8]) -> Result<Self, Malformed> {
        let encoded = std::str::from_utf8(encoded).map_err(|_| Malformed)?;
        let mut params = Vec::new();
        for pair in encoded.split('&').filter(|pair| !pair.is_empty()) {
            if params.len() == MAX_PARAMETERS {
                return Err(Malformed);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            params.push((decode(name)?, decode(value)?));
        }
        params.retain(|(_, value)| !value.is_empty());
        Ok(Self(params))
    }

    /// Parses a JSON object of strings, `resource` and `audience` also lists of strings. Whatever else a member is, no
    /// parameter is.
    pub fn parse_json(body: &[u8]) -> Result<Self, Malformed> {
        let members = json::object(body).map_err(|_| Malformed)?;
        let mut params = Vec::new();
        for (name, value) in members {
            match value {
                Value::String(value) => params.push((name, value)),
                Value::Array(values) if may_repeat(&name) => {
                    for value in values {
                        let Value::String(value) = value else { return Err(Malformed) };
                        params.push((name.clone(), value));
                    }
                }
                _ => return Err(Malformed),
            }
            if params.len() > MAX_PARAMETERS {
                return Err(Malformed);
            }
        }
        params.retain(|(_, value)| !value.is_empty());
        Ok(Self(params))
    }

    /// The value of a parameter that may be there once.
    pub fn one<'p>(&'p self, name: &str) -> Result<Option<&'p str>, Repeated> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(Repeated),
        }
    }

    /// Every value of a parameter that may be repeated: `resource` (RFC 8707 §2) and `audience` (RFC 8693 §2.1).
    pub fn all<'p, 'n>(&'p self, name: &'n str) -> impl Iterator<Item = &'p str> + use<'p, 'n> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Whether the parameter is there.
    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// Refuses any parameter that is there twice, other than those that may be.
    pub fn refuse_repeated(&self) -> Result<(), Repeated> {
        let repeated = self
            .0
            .iter()
            .enumerate()
            .any(|(i, (name, _))| !may_repeat(name) && self.0.iter().skip(i + 1).any(|(n, _)| n == name));
        if repeated { Err(Repeated) } else { Ok(()) }
    }

    /// The same parameters with `change` applied to each value; a value it makes `None` is dropped.
    pub fn map(self, mut change: impl FnMut(&str, String) -> Option<String>) -> Self {
        Self(
            self.0
                .into_iter()
                .filter_map(|(name, value)| change(&name, value).map(|value| (name, value)))
                .collect(),
        )
    }

    /// The same parameters without those of these names.
    pub fn without(self, names: &[&str]) -> Self {
        self.map(|name, value| (!names.contains(&name)).then_some(value))
    }

    /// The same parameters, with this one value of this name.
    pub fn with(self, name: &str, value: &str) -> Result<Self, Malformed> {
        let rest = self.without(&[name]).0;
        Self::new(std::iter::once((name.to_owned(), value.to_owned())).chain(rest))
    }

    /// Encodes the parameters again.
    pub fn encode(&self) -> String {
        encode(self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

/// The parameters that may be there more than once: `resource` (RFC 8707 §2) and `audience` (RFC 8693 §2.1).
pub(crate) fn may_repeat(name: &str) -> bool {
    matches!(name, "resource" | "audience")
}

/// `application/x-www-form-urlencoded` text of these parameters.
pub fn encode<'a>(params: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

/// Decodes one name or value: `+` is a space, `%` begins two hex digits, and the result is UTF-8.
pub(crate) fn decode(text: &str) -> Result<String, Malformed> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        match after.as_bytes() {
            [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => rest = after,
            _ => return Err(Malformed),
        }
    }
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8().map(|text| text.into_owned()).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_as_rfc_6749_appendix_b_shows() {
        let params = Params::parse(b"v=+%25%26%2B%C2%A3%E2%82%AC").expect("RFC 6749 Appendix B");
        assert_eq!(params.one("v"), Ok(Some(" %&+£€")));
    }

    #[test]
    fn a_parameter_without_value_counts_as_omitted() {
        let params = Params::parse(b"state=&scope&code=x").expect("well-formed");
        assert_eq!(params.one("state"), Ok(None));
        assert_eq!(params.one("scope"), Ok(None));
        assert_eq!(params.one("code"), Ok(Some("x")));
    }

    #[test]
    fn a_repeated_parameter_is_refused_unless_it_may_repeat() {
        let params = Params::parse(b"state=a&state=a").expect("well-formed");
        assert_eq!(params.one("state"), Err(Repeated));
        assert_eq!(params.refuse_repeated(), Err(Repeated));
        let params = Params::parse(b"resource=a&resource=b&audience=c&audience=d").expect("well-formed");
        assert_eq!(params.refuse_repeated(), Ok(()));
        assert_eq!(params.all("resource").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn malformed_escapes_and_other_than_utf8_are_refused() {
        for bad in [&b"a=%"[..], b"a=%2", b"a=%zz", b"%g0=b", b"a=%ff", b"a=\xff"] {
            assert_eq!(Params::parse(bad).map(|_| ()), Err(Malformed), "{bad:?}");
        }
    }

    #[test]
    fn the_number_of_parameters_is_bounded() {
        assert!(Params::parse("a=b&".repeat(64).as_bytes()).is_ok());
        assert_eq!(Params::parse("a=b&".repeat(65).as_bytes()).map(|_| ()), Err(Malformed));
    }

    #[test]
    fn a_flat_json_object_has_the_same_parameters_as_a_form() {
        let params =
            Params::parse_json(br#"{"grant_type":"a","state":"","resource":["b","c"],"audience":"d"}"#)
                .expect("a flat object");
        assert_eq!(params.one("grant_type"), Ok(Some("a")));
        assert_eq!(params.one("state"), Ok(None));
        assert_eq!(params.all("resource").collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(params.one("audience"), Ok(Some("d")));
    }

    #[test]
    fn json_that_is_not_flat_or_says_something_twice_is_refused() {
        for bad in [
            "",
            "[]",
            "\"a\"",
            r#"{"a":1}"#,
            r#"{"a":null}"#,
            r#"{"a":true}"#,
            r#"{"a":{}}"#,
            r#"{"a":["b"]}"#,
            r#"{"resource":[1]}"#,
            r#"{"a":"b","a":"c"}"#,
        ] {
            assert_eq!(Params::parse_json(bad.as_bytes()).map(|_| ()), Err(Malformed), "{bad}");
        }
        let many: Vec<_> = (0..65).map(|i| format!("\"p{i}\":\"x\"")).collect();
        let many = format!("{{{}}}", many.join(","));
        assert_eq!(Params::parse_json(many.as_bytes()).map(|_| ()), Err(Malformed));
    }

    #[test]
    fn what_is_set_is_there_once_and_what_is_taken_out_is_not() {
        let params = Params::parse(b"a=1&client_id=x&client_id=y").expect("well-formed");
        let params = params.with("client_id", "z").expect("few").without(&["a"]);
        assert_eq!((params.one("client_id"), params.has("a")), (Ok(Some("z")), false));
        let full = Params::parse("a=b&".repeat(64).as_bytes()).expect("64 parameters");
        assert!(full.with("c", "d").is_err());
    }

    #[test]
    fn encoding_and_parsing_are_inverse() {
        let params = Params::parse(&encode([("a b", "ü&="), ("c", "+")]).into_bytes()).expect("own encoding");
        assert_eq!(params.one("a b"), Ok(Some("ü&=")));
        assert_eq!(params.one("c"), Ok(Some("+")));
    }
}
