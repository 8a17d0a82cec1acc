//! Host and port, as `Host` and its forwarded copies carry them (RFC 9110 §7.2, RFC 3986 §3.2).

use std::net::Ipv6Addr;

/// `uri-host [ ":" port ]`, without user information.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    host: String,
    port: Option<u16>,
}

impl Authority {
    /// Parses a name or IPv4 address of letters, digits, `.`, `-` and `_`, or an IPv6 address in brackets, and a port.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, rest) = rest.split_once(']')?;
                let address: Ipv6Addr = address.parse().ok()?;
                (format!("[{address}]"), if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
            }
            None => match text.split_once(':') {
                Some((name, port)) => (name.to_ascii_lowercase(), Some(port)),
                None => (text.to_ascii_lowercase(), None),
            },
        };
        let port = match port {
            // port = *DIGIT: it may be empty, and then is the default one (RFC 3986 §3.2.3).
            None | Some("") => None,
            Some(digits) => Some(port_number(digits)?),
        };
        (host.starts_with('[') || is_name(&host)).then_some(Self { host, port })
    }

    /// The host in lower case, an IPv6 address in brackets and in its canonical spelling.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, where one is named.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }
}

/// A port from 1 to 65535, in digits.
pub(super) fn port_number(digits: &str) -> Option<u16> {
    let is_number = (1..=5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|port| is_number && *port > 0)
}

/// A registered name or an IPv4 address. RFC 3986 allows more; no name on the Internet has it.
fn is_name(host: &str) -> bool {
    (1..=253).contains(&host.len())
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_told_apart() {
        for (text, host, port) in [
            ("as.example", "as.example", None),
            ("AS.Example:8443", "as.example", Some(8443)),
            ("as.example:", "as.example", None),
            ("127.0.0.1:65535", "127.0.0.1", Some(65535)),
            ("[2001:DB8:0::1]", "[2001:db8::1]", None),
            ("[::1]:80", "[::1]", Some(80)),
        ] {
            let authority = Authority::parse(text).expect(text);
            assert_eq!((authority.host(), authority.port()), (host, port), "{text}");
        }
    }

    #[test]
    fn what_is_no_authority_is_refused() {
        for text in [
            "",
            ":80",
            "a b",
            "a/b",
            "a?b",
            "a#b",
            "u@a",
            "a:b",
            "a:0",
            "a:65536",
            "a:123456",
            "a:+1",
            "a:1:2",
            "::1",
            "[::1",
            "[::1]80",
            "[]",
            "[1.2.3.4]",
            "[::1%eth0]",
            "a\\b",
            "a%20b",
            "ä",
            "a,b",
            "a\"",
            "*",
        ] {
            assert_eq!(Authority::parse(text), None, "{text:?}");
        }
        assert_eq!(Authority::parse(&"a".repeat(254)), None);
    }
}
