//! The `Forwarded` field (RFC 7239).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ::http::HeaderMap;

use super::authority::port_number;
use super::{Authority, RequestFactsError, Scheme, Told, TrustedProxies, client_place};

/// More proxies than any request passes.
const MAX_ELEMENTS: usize = 64;

/// `forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] )`: what one proxy appended (§4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForwardedElement {
    /// `for`: who asked the proxy (§5.2).
    pub for_node: Option<Node>,
    /// `by`: where the proxy was asked (§5.1).
    pub by: Option<Node>,
    /// `host`: the `Host` field the proxy was asked with (§5.3).
    pub host: Option<Authority>,
    /// `proto`: by which scheme the proxy was asked (§5.4).
    pub proto: Option<Scheme>,
}

/// `node = nodename [ ":" node-port ]` (§6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Who it is.
    pub name: NodeName,
    /// From which port.
    pub port: Option<Port>,
}

/// `nodename = IPv4address / "[" IPv6address "]" / "unknown" / obfnode` (§6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeName {
    /// An address; one mapped into IPv6 is the IPv4 address.
    Ip(IpAddr),
    /// "the identity of the preceding entity is not known" (§6.2).
    Unknown,
    /// A name the proxy made up to keep the address to itself (§6.3), with its underscore.
    Obfuscated(String),
}

/// `node-port = port / obfport` (§6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Port {
    /// A number.
    Number(u16),
    /// A hidden one, with its underscore.
    Obfuscated(String),
}

/// Where a field leaves the grammar of RFC 7239.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedForwarded {
    /// Not `token "=" ( token / quoted-string )`, or other than ASCII.
    #[error("not a list of `name=value` pairs")]
    Pair,
    /// "Each parameter MUST NOT occur more than once per field-value" (§4), that is, in each element.
    #[error("a parameter is there twice in one element")]
    Repeated,
    /// `for` or `by` is no node (§6).
    #[error("`for` or `by` is not a node")]
    Node,
    /// `host` is no host (§5.3).
    #[error("`host` is not a host")]
    Host,
    /// `proto` is neither `http` nor `https` (§5.4).
    #[error("`proto` is neither http nor https")]
    Proto,
    /// More elements than any request has proxies.
    #[error("too many elements")]
    TooMany,
}

/// Parses the values of every `Forwarded` field of a request, in their order: `Forwarded = 1#forwarded-element`.
/// Extension parameters are checked for their form and dropped.
pub fn parse_forwarded<'v>(
    values: impl IntoIterator<Item = &'v [u8]>,
) -> Result<Vec<ForwardedElement>, MalformedForwarded> {
    let mut elements = Vec::new();
    for value in values {
        let mut rest = std::str::from_utf8(value).map_err(|_| MalformedForwarded::Pair)?;
        loop {
            rest = rest.trim_start_matches(OWS);
            let (parsed, after) = element(rest)?;
            // "A recipient MUST parse and ignore a reasonable number of empty list elements" (RFC 9110 §5.6.1.2).
            if after.len() < rest.len() {
                elements.push(parsed);
            }
            if elements.len() > MAX_ELEMENTS {
                return Err(MalformedForwarded::TooMany);
            }
            match after.trim_start_matches(OWS) {
                "" => break,
                after => rest = after.strip_prefix(',').ok_or(MalformedForwarded::Pair)?,
            }
        }
    }
    Ok(elements)
}

/// What a trusted proxy's `Forwarded` says, if there is one.
pub(super) fn told(
    headers: &HeaderMap,
    proxy: IpAddr,
    proxies: &TrustedProxies,
) -> Result<Option<Told>, RequestFactsError> {
    let values = headers.get_all(::http::header::FORWARDED).iter().map(|value| value.as_bytes());
    let elements =
        parse_forwarded(values).map_err(|problem| RequestFactsError::Forwarded { proxy, problem })?;
    let addresses: Vec<_> = elements.iter().map(ForwardedElement::for_ip).collect();
    let place = client_place(&addresses, proxies);
    Ok(place.and_then(|place| elements.get(place)).map(|element| Told {
        scheme: element.proto,
        authority: element.host.clone(),
        port: None,
        client_ip: element.for_ip(),
    }))
}

impl ForwardedElement {
    fn for_ip(&self) -> Option<IpAddr> {
        match self.for_node.as_ref()?.name {
            NodeName::Ip(ip) => Some(ip),
            NodeName::Unknown | NodeName::Obfuscated(_) => None,
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), MalformedForwarded> {
        // "Parameter names are case-insensitive" (§4).
        let once = |is_first: bool| if is_first { Ok(()) } else { Err(MalformedForwarded::Repeated) };
        match name.to_ascii_lowercase().as_str() {
            "for" => once(self.for_node.replace(Node::parse(value)?).is_none()),
            "by" => once(self.by.replace(Node::parse(value)?).is_none()),
            "host" => {
                let host = Authority::parse(value).ok_or(MalformedForwarded::Host)?;
                once(self.host.replace(host).is_none())
            }
            "proto" => {
                let proto = Scheme::parse(value).ok_or(MalformedForwarded::Proto)?;
                once(self.proto.replace(proto).is_none())
            }
            _ => Ok(()),
        }
    }
}

impl Node {
    /// Parses a node.
    pub fn parse(text: &str) -> Result<Self, MalformedForwarded> {
        let malformed = MalformedForwarded::Node;
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, rest) = rest.split_once(']').ok_or(malformed)?;
                let address: Ipv6Addr = address.parse().map_err(|_| malformed)?;
                let port = match rest {
                    "" => None,
                    rest => Some(rest.strip_prefix(':').ok_or(malformed)?),
                };
                (NodeName::Ip(IpAddr::from(address).to_canonical()), port)
            }
            None => {
                let (name, port) = match text.split_once(':') {
                    Some((name, port)) => (name, Some(port)),
                    None => (text, None),
                };
                (NodeName::parse(name).ok_or(malformed)?, port)
            }
        };
        let port = port.map(|port| Port::parse(port).ok_or(malformed)).transpose()?;
        Ok(Self { name, port })
    }
}

impl NodeName {
    fn parse(text: &str) -> Option<Self> {
        match text {
            _ if text.eq_ignore_ascii_case("unknown") => Some(Self::Unknown),
            _ if is_obfuscated(text) => Some(Self::Obfuscated(text.to_owned())),
            _ => text.parse::<Ipv4Addr>().ok().map(|address| Self::Ip(address.into())),
        }
    }
}

impl Port {
    fn parse(text: &str) -> Option<Self> {
        match text {
            _ if is_obfuscated(text) => Some(Self::Obfuscated(text.to_owned())),
            _ => port_number(text).map(Self::Number),
        }
    }
}

/// `"_" 1*( ALPHA / DIGIT / "." / "_" / "-" )` (§6).
fn is_obfuscated(text: &str) -> bool {
    text.strip_prefix('_').is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    })
}

/// `OWS = *( SP / HTAB )` (RFC 9110 §5.6.3).
const OWS: [char; 2] = [' ', '\t'];

/// The element `text` begins with, and what follows it.
fn element(text: &str) -> Result<(ForwardedElement, &str), MalformedForwarded> {
    let mut element = ForwardedElement::default();
    let mut rest = text;
    loop {
        if !rest.is_empty() && !rest.starts_with([';', ',', ' ', '\t']) {
            let (name, after) = token(rest).ok_or(MalformedForwarded::Pair)?;
            let after = after.strip_prefix('=').ok_or(MalformedForwarded::Pair)?;
            let (value, after) = value(after).ok_or(MalformedForwarded::Pair)?;
            element.set(name, &value)?;
            rest = after;
        }
        match rest.strip_prefix(';') {
            Some(after) => rest = after,
            None => return Ok((element, rest)),
        }
    }
}

/// `value = token / quoted-string`, unquoted, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        return token(text).map(|(value, rest)| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((value, quoted.get(index + 1..)?)),
            // quoted-pair = "\" ( HTAB / SP / VCHAR / obs-text ) (RFC 9110 §5.6.4)
            '\\' => value.push(characters.next().map(|(_, c)| c).filter(|c| is_quotable(*c))?),
            _ if is_quotable(character) => value.push(character),
            _ => return None,
        }
    }
    None
}

fn is_quotable(character: char) -> bool {
    matches!(character, '\t' | ' '..='~')
}

/// `token = 1*tchar` (RFC 9110 §5.6.2) and what follows it.
fn token(text: &str) -> Option<(&str, &str)> {
    let is_tchar = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_tchar(c)).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(token, _)| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str) -> Result<Vec<ForwardedElement>, MalformedForwarded> {
        parse_forwarded([value.as_bytes()])
    }

    fn nodes(value: &str) -> Vec<NodeName> {
        let elements = parse(value).expect(value);
        elements.into_iter().filter_map(|element| element.for_node).map(|node| node.name).collect()
    }

    fn ip(text: &str) -> NodeName {
        NodeName::Ip(text.parse().expect("an address"))
    }

    #[test]
    fn the_examples_of_rfc_7239_section_4_are_read() {
        let obfuscated = |text: &str| NodeName::Obfuscated(text.to_owned());
        assert_eq!(nodes("for=\"_gazonk\""), [obfuscated("_gazonk")]);
        assert_eq!(nodes("For=\"[2001:db8:cafe::17]:4711\""), [ip("2001:db8:cafe::17")]);
        let [element] = &parse("for=192.0.2.60;proto=http;by=203.0.113.43").expect("RFC 7239 §4")[..] else {
            panic!("one element")
        };
        assert_eq!(element.proto, Some(Scheme::Http));
        assert_eq!(element.by.as_ref().map(|by| by.name.clone()), Some(ip("203.0.113.43")));
        assert_eq!(nodes("for=192.0.2.43, for=198.51.100.17"), [ip("192.0.2.43"), ip("198.51.100.17")]);
    }

    #[test]
    fn the_examples_of_rfc_7239_sections_6_and_7_are_read() {
        assert_eq!(Node::parse("192.0.2.43:47011").map(|node| node.port), Ok(Some(Port::Number(47011))));
        let hidden = Some(Port::Obfuscated("_17".to_owned()));
        assert_eq!(Node::parse("_hidden:_17").map(|node| node.port), Ok(hidden));
        assert_eq!(Node::parse("unknown").map(|node| node.name), Ok(NodeName::Unknown));
        assert_eq!(nodes("for=_SEVKISEK").len(), 1);
        let split: [&[u8]; 2] = [b"for=192.0.2.43,for=\"[2001:db8:cafe::17]\"", b"for=unknown"];
        assert_eq!(parse_forwarded(split), parse("for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown"));
    }

    #[test]
    fn quoted_strings_are_unquoted_and_may_hold_separators() {
        let element = parse(r#"ext="a,b;c=\"d\\";host="as.example:84\43""#).expect("quoted");
        assert_eq!(element[0].host, Authority::parse("as.example:8443"));
    }

    #[test]
    fn empty_elements_and_pairs_are_ignored() {
        assert_eq!(parse(""), Ok(vec![]));
        assert_eq!(nodes(" , for=192.0.2.1\t,, ;for=192.0.2.2; ,"), [ip("192.0.2.1"), ip("192.0.2.2")]);
    }

    #[test]
    fn what_leaves_the_grammar_is_refused() {
        use MalformedForwarded as M;
        for (value, error) in [
            ("for", M::Pair),
            ("for=", M::Pair),
            ("=192.0.2.1", M::Pair),
            ("for =192.0.2.1", M::Pair),
            ("for= 192.0.2.1", M::Pair),
            ("for=192.0.2.1; proto=http", M::Pair),
            ("for=192.0.2.1 proto=http", M::Pair),
            ("for=[2001:db8::1]", M::Pair),
            ("for=192.0.2.1:80", M::Pair),
            ("for=\"192.0.2.1", M::Pair),
            ("for=\"192.0.2.1\\", M::Pair),
            ("for=\"192.0.2.1\"x", M::Pair),
            ("host=\"ä\"", M::Pair),
            ("for=192.0.2.1;FOR=192.0.2.1", M::Repeated),
            ("proto=http;for=192.0.2.1;proto=http", M::Repeated),
            ("for=2001", M::Node),
            ("for=\"2001:db8::1\"", M::Node),
            ("for=\"[192.0.2.1]\"", M::Node),
            ("for=192.0.2.256", M::Node),
            ("for=\"192.0.2.1:\"", M::Node),
            ("for=\"192.0.2.1:0\"", M::Node),
            ("for=\"[::1]80\"", M::Node),
            ("for=_", M::Node),
            ("for=\"_a b\"", M::Node),
            ("for=hidden", M::Node),
            ("by=\"\"", M::Node),
            ("host=\"u@a\"", M::Host),
            ("host=\"\"", M::Host),
            ("proto=ftp", M::Proto),
        ] {
            assert_eq!(parse(value), Err(error), "{value}");
        }
        assert_eq!(parse_forwarded([&b"for=\xff"[..]]), Err(M::Pair));
        assert_eq!(parse(&"for=unknown,".repeat(65)), Err(M::TooMany));
    }
}
