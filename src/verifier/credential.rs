//! The credential of a request (RFC 6750 §2.1, RFC 9449 §7.1, RFC 9110 §11.6.2).

use super::Reason;

/// How a request presents its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `Bearer`: whoever has it (RFC 6750 §2.1), or shows the certificate it is bound to (RFC 8705 §3).
    Bearer,
    /// `DPoP`: whoever proves to hold the key it is bound to (RFC 9449 §7.1).
    Dpop,
}

impl Scheme {
    /// The name of the authentication scheme.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

/// The token of the one `Authorization` header among `values`, and one of `schemes` by which it is presented.
///
/// Tokens in the query or a form body are not looked for: RFC 9700 §4.3.2 forbids the one, and a resource server that
/// does not read bodies cannot see the other.
pub(super) fn presented<'r>(values: &[&'r [u8]], schemes: &[Scheme]) -> Result<(Scheme, &'r str), Reason> {
    let value = match values {
        [] => return Err(Reason::NoCredentials),
        [value] => *value,
        // "Clients MUST NOT use more than one method to transmit the token in each request" (RFC 6750 §2), and
        // Authorization is no list (RFC 9110 §11.6.2): two proxies could each believe another one.
        [_, _, ..] => return Err(Reason::RepeatedAuthorization),
    };
    let value = std::str::from_utf8(value).map_err(|_| Reason::MalformedAuthorization)?;
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if !is_token(scheme) {
        return Err(Reason::MalformedAuthorization);
    }
    // Schemes are case-insensitive (RFC 9110 §11.1).
    let Some(scheme) = schemes.iter().copied().find(|known| known.name().eq_ignore_ascii_case(scheme)) else {
        // Intermediaries join repeated headers with a comma. Only what is one credential is one of another scheme.
        let rest = rest.trim_matches(' ');
        let is_one = rest.is_empty() || is_b64token(rest) || is_parameters(rest);
        return Err(if is_one { Reason::UnsupportedScheme } else { Reason::MalformedAuthorization });
    };
    // credentials = "Bearer" 1*SP b64token (RFC 6750 §2.1)
    // credentials = "DPoP" 1*SP token68 (RFC 9449 §7.1), which is the same by the name of RFC 9110 §11.2
    let token = rest.trim_start_matches(' ');
    if is_b64token(token) { Ok((scheme, token)) } else { Err(Reason::MalformedAuthorization) }
}

/// b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" (RFC 6750 §2.1)
fn is_b64token(text: &str) -> bool {
    let unpadded = text.trim_end_matches('=');
    !unpadded.is_empty()
        && unpadded.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._~+/".contains(&octet))
}

/// #auth-param, auth-param = token BWS "=" BWS ( token / quoted-string ) (RFC 9110 §11.2)
fn is_parameters(text: &str) -> bool {
    let mut rest = text;
    loop {
        let Some((name, value)) = rest.split_once('=') else { return false };
        if !is_token(name.trim()) {
            return false;
        }
        let Some(after) = without_value(value.trim_start()) else { return false };
        rest = match after.trim_start().strip_prefix(',') {
            Some(next) => next,
            None => return after.trim_start().is_empty(),
        };
    }
}

/// What follows the token or quoted string that `text` begins with.
fn without_value(text: &str) -> Option<&str> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end)?;
        return is_token(value).then_some(rest);
    };
    let mut characters = quoted.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return quoted.get(index + 1..),
            '\\' => characters.next().map(drop)?,
            _ => {}
        }
    }
    None
}

/// token = 1*tchar (RFC 9110 §5.6.2)
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer<'r>(values: &[&'r [u8]]) -> Result<&'r str, Reason> {
        presented(values, &[Scheme::Bearer]).map(|(_, token)| token)
    }

    #[test]
    fn a_dpop_credential_is_one_only_where_the_scheme_is_known() {
        let both = [Scheme::Bearer, Scheme::Dpop];
        for value in ["DPoP a.b.c", "dpop a.b.c", "DPOP  a.b.c"] {
            assert_eq!(presented(&[value.as_bytes()], &both), Ok((Scheme::Dpop, "a.b.c")), "{value}");
            assert_eq!(bearer(&[value.as_bytes()]), Err(Reason::UnsupportedScheme), "{value}");
        }
        assert_eq!(presented(&[b"Bearer a.b.c"], &both), Ok((Scheme::Bearer, "a.b.c")));
        for value in ["DPoP", "DPoP ", "DPoP a b", "DPoP a, Bearer a", "DPoP a,DPoP a", "DPoP proof=a"] {
            assert_eq!(presented(&[value.as_bytes()], &both), Err(Reason::MalformedAuthorization), "{value}");
        }
        let ambiguous: [&[u8]; 2] = [b"Bearer a", b"DPoP a"];
        assert_eq!(presented(&ambiguous, &both), Err(Reason::RepeatedAuthorization));
    }

    #[test]
    fn one_bearer_credential_is_found_whatever_its_case() {
        for value in ["Bearer a.b-c_d~e+f/g==", "bearer a.b-c_d~e+f/g==", "BEARER   a.b-c_d~e+f/g=="] {
            assert_eq!(bearer(&[value.as_bytes()]), Ok("a.b-c_d~e+f/g=="), "{value}");
        }
    }

    #[test]
    fn absent_credentials_and_other_schemes_are_told_from_malformed_ones() {
        assert_eq!(bearer(&[]), Err(Reason::NoCredentials));
        let schemes =
            ["Basic YTpi", "DPoP a.b.c", "Negotiate", "Bearerx a", r#"Digest a="b, \"c", d = e ,f=g"#];
        for value in schemes {
            assert_eq!(bearer(&[value.as_bytes()]), Err(Reason::UnsupportedScheme), "{value}");
        }
    }

    #[test]
    fn more_than_one_credential_is_refused_even_if_equal_or_of_another_scheme() {
        for values in [[&b"Bearer a"[..], b"Bearer a"], [b"Basic YTpi", b"Bearer a"], [b"", b"Bearer a"]] {
            assert_eq!(bearer(&values), Err(Reason::RepeatedAuthorization));
        }
    }

    #[test]
    fn repeated_headers_that_were_joined_on_the_way_are_malformed() {
        for value in [
            "Bearer a, Bearer b",
            "Bearer a,Bearer b",
            "Basic YTpi,Bearer a",
            "Basic YTpi, Bearer a",
            "Bearer a,Basic YTpi",
            "DPoP a.b.c,Bearer a",
            r#"Digest a="b",Bearer a"#,
            r#"Digest a="b", Bearer a=="#,
            r#"Digest a="b, Bearer a"#,
            "Negotiate,Bearer a",
            ",Bearer a",
            "Basic YTpi,",
        ] {
            assert_eq!(bearer(&[value.as_bytes()]), Err(Reason::MalformedAuthorization), "{value}");
        }
    }

    #[test]
    fn what_the_grammar_excludes_is_malformed() {
        let values: [&[u8]; 13] = [
            b"",
            b" ",
            b" Bearer a",
            b"Bearer",
            b"Bearer ",
            b"Bearer =",
            b"Bearer a=b",
            b"Bearer a b",
            b"Bearer a,b",
            b"Bearer\ta",
            b"Bearer \"a\"",
            b"Bearer a\xff",
            b"B\xc3\xa9arer a",
        ];
        for value in values {
            assert_eq!(bearer(&[value]), Err(Reason::MalformedAuthorization), "{value:?}");
        }
    }
}
