//! `htu`: the HTTP target URI a proof is for, "without query and fragment parts" (RFC 9449 §4.2).

use crate::request_facts::{Authority, Scheme};

/// An http or https URI without query and fragment, in the spelling that all equivalent ones share: "servers SHOULD
/// employ Syntax-Based Normalization ([RFC3986], Section 6.2.2) and Scheme-Based Normalization ([RFC3986],
/// Section 6.2.3) before comparing the `htu` claim" (RFC 9449 §4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Htu(String);

/// The text is no absolute http or https URI (RFC 9110 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an absolute http or https URI")]
pub struct MalformedHtu;

impl Htu {
    /// Parses and normalizes. Query and fragment are left out, whatever is in them.
    pub fn parse(text: &str) -> Result<Self, MalformedHtu> {
        let (scheme, rest) = text.split_once("://").ok_or(MalformedHtu)?;
        // "the scheme and host are case-insensitive and therefore should be normalized to lowercase" (RFC 3986 §6.2.2.1)
        let scheme = Scheme::parse(scheme).ok_or(MalformedHtu)?;
        let target = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = match target.find('/') {
            Some(slash) => target.split_at(slash),
            None => (target, ""),
        };
        // No user information: "treat its presence as an error; it is likely being used to obscure the authority"
        // (RFC 9110 §4.2.4).
        let authority = Authority::parse(authority).ok_or(MalformedHtu)?;
        let (scheme_name, host, path) = (scheme.as_str(), authority.host(), normalized_path(path)?);
        Ok(Self(match authority.port() {
            // "when the port is […] the default for the scheme", it and its ":" are left out (RFC 3986 §6.2.3).
            Some(port) if port != scheme.default_port() => format!("{scheme_name}://{host}:{port}{path}"),
            _ => format!("{scheme_name}://{host}{path}"),
        }))
    }

    /// The normalized text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Percent-encoding first, then dot segments, which may have been encoded; "an empty path should be normalized to a path of
/// "/"" (RFC 3986 §6.2.3).
fn normalized_path(path: &str) -> Result<String, MalformedHtu> {
    let path = normalized_percent_encoding(path)?;
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_in_slash = false;
    for segment in path.split('/').skip(1) {
        ends_in_slash = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    // What a trailing dot segment leaves behind is the slash before it (RFC 3986 §5.2.4 B and C).
    if ends_in_slash {
        segments.push("");
    }
    Ok(format!("/{}", segments.join("/")))
}

/// "should be normalized by decoding any percent-encoded octet that corresponds to an unreserved character" (RFC 3986
/// §6.2.2.2), and the others' hexadecimal digits in upper case (§6.2.2.1). Characters that no path has are refused.
fn normalized_percent_encoding(path: &str) -> Result<String, MalformedHtu> {
    let mut normalized = String::with_capacity(path.len());
    let mut octets = path.bytes();
    while let Some(octet) = octets.next() {
        match octet {
            b'%' => {
                let decoded = hex(octets.next())? << 4 | hex(octets.next())?;
                match is_unreserved(decoded) {
                    true => normalized.push(char::from(decoded)),
                    false => normalized.push_str(&format!("%{decoded:02X}")),
                }
            }
            _ if is_unreserved(octet) || b"!$&'()*+,;=:@/".contains(&octet) => {
                normalized.push(char::from(octet));
            }
            _ => return Err(MalformedHtu),
        }
    }
    Ok(normalized)
}

fn hex(digit: Option<u8>) -> Result<u8, MalformedHtu> {
    let value = digit.and_then(|digit| char::from(digit).to_digit(16)).ok_or(MalformedHtu)?;
    u8::try_from(value).map_err(|_| MalformedHtu)
}

/// unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~" (RFC 3986 §2.3)
fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(text: &str) -> String {
        Htu::parse(text).expect(text).as_str().to_owned()
    }

    #[test]
    fn equivalent_uris_share_one_spelling() {
        for text in [
            "https://as.example/oauth/token",
            "HTTPS://AS.Example/oauth/token",
            "https://as.example:443/oauth/token",
            "https://as.example:/oauth/token",
            "https://as.example/oauth/token?a=b",
            "https://as.example/oauth/token#fragment",
            "https://as.example/oauth/token?a=b://c/../#d?e",
            "https://as.example/oauth/./token",
            "https://as.example/x/../oauth/token",
            "https://as.example/../oauth/token",
            "https://as.example/%6fauth/%74%6F%6ben",
            "https://as.example/oauth/%2e/x/%2E%2e/token",
        ] {
            assert_eq!(normalized(text), "https://as.example/oauth/token", "{text}");
        }
        for (text, other) in [
            ("http://as.example", "http://as.example:80/"),
            ("https://as.example?x", "https://as.example/"),
            ("https://as.example/a%2fb%c3%a9", "https://as.example/a%2Fb%C3%A9"),
            ("https://[2001:DB8:0::1]:443/", "https://[2001:db8::1]/"),
            ("https://as.example/a/.", "https://as.example/a/"),
            ("https://as.example/a/b/..", "https://as.example/a/"),
        ] {
            assert_eq!(normalized(text), normalized(other), "{text}");
        }
    }

    /// RFC 3986 §5.2.4 and §6.2.2.
    #[test]
    fn the_examples_of_rfc_3986_are_normalized_as_it_says() {
        assert_eq!(normalized("http://a/a/b/c/./../../g"), "http://a/a/g");
        assert_eq!(normalized("http://a/./b/../b/%63/%7bfoo%7d"), "http://a/b/c/%7Bfoo%7D");
    }

    #[test]
    fn different_resources_stay_different() {
        let texts = [
            "https://as.example/oauth/token",
            "http://as.example/oauth/token",
            "http://as.example:443/oauth/token",
            "https://as.example:8443/oauth/token",
            "https://as.example.evil.example/oauth/token",
            "https://as.example/oauth/token/",
            "https://as.example/oauth//token",
            "https://as.example//oauth/token",
            "https://as.example/OAuth/token",
            "https://as.example/oauth%2Ftoken",
            "https://as.example/oauth/toke",
            "https://as.example/",
        ];
        for (index, one) in texts.iter().enumerate() {
            for other in texts.iter().skip(index + 1) {
                assert_ne!(normalized(one), normalized(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn what_is_no_absolute_http_uri_is_refused() {
        for text in [
            "",
            "/oauth/token",
            "//as.example/oauth/token",
            "as.example/oauth/token",
            "https:/as.example/oauth/token",
            "https:as.example",
            "https://",
            "https:///oauth/token",
            "https://:443/",
            "ftp://as.example/",
            "javascript://as.example/",
            " https://as.example/",
            "https://as.example/ ",
            "https://as.example/a b",
            "https://as.example/\u{e9}",
            "https://as.example\\@evil.example/",
            "https://user@as.example/",
            "https://user:password@as.example/",
            "https://as.example:0/",
            "https://as.example:65536/",
            "https://as.example:443:443/",
            "https://as.example/%",
            "https://as.example/%2",
            "https://as.example/%zz",
            "https://as.example/\"",
            "https://as.example/{x}",
            "https://as.example/[",
            "https://[::1/",
            "https://as%2eexample/",
            "https://as.example/\r\n",
            "https://as.example/a\0",
        ] {
            assert_eq!(Htu::parse(text), Err(MalformedHtu), "{text:?}");
        }
    }
}
