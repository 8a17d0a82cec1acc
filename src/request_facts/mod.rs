//! Where a request comes from and what it was sent to, as far as that can be believed.
//!
//! # The peer
//! The host appends the peer's address to what the client sent as `spin-client-addr`, and its own view of the URL to
//! `spin-full-url`. **Only the last value of each counts**; earlier ones are the client's own. A host that does not append
//! them must not run the server.
//!
//! # Proxies
//! `Forwarded` (RFC 7239) and `X-Forwarded-*` "cannot be relied upon to be correct" (§8.1), as the client may have written
//! them, and are ignored unless the peer is among the [`TrustedProxies`]. From a trusted peer they are read strictly:
//! malformed ones refuse the request. Where both families are there, they must say the same of scheme, host, port and
//! client, silence included, or the request is refused: a proxy that writes one family and passes on the other would
//! otherwise lend the client its word wherever its own family is silent. Two silences are none: a hidden client
//! (`for=unknown`) is one nobody names, and a port not named is the scheme's.
//!
//! A trusted proxy must set or remove every one of these fields. One it passes on as the client sent it is the client's
//! word with the proxy's authority, and where a single family says so, nothing here can tell.
//!
//! Each proxy appends whom it was asked by. The chain is walked from the right, past trusted proxies, to the first
//! address that is none: the client. What stands left of it is the client's own invention. Scheme and host are those the
//! proxy next to the client has seen.
//!
//! # Which host is believed
//! The scheme and the client's address may decide something (`require_https`, a log line). **The host may not**, by
//! itself: without a proxy it is what the client wrote into `Host`, and a URL made of it (an endpoint in the metadata,
//! the `htu` of a DPoP proof, a link) would be the attacker's to choose. So a URL comes from [`CanonicalUrl`]:
//! 1. by default its origin is the issuer's or another configured one, and the request says nothing about it;
//! 2. where the operator has chosen [`CanonicalUrl::Forwarded`], it is the one a trusted proxy *names*, by `host` of
//!    `Forwarded` or by `X-Forwarded-Host`; a `Host` field that a proxy merely passed on is not enough;
//! 3. and where none does so, it is the configured one again.

mod authority;
mod forwarded;
mod proxies;
mod x_forwarded;

use std::net::{IpAddr, SocketAddr};

use ::http::{HeaderMap, HeaderValue};

pub use authority::Authority;
pub use forwarded::{ForwardedElement, MalformedForwarded, Node, NodeName, Port, parse_forwarded};
pub use proxies::{TrustedProxies, TrustedProxyError};

/// The schemes a request can come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// The scheme's name (RFC 9110 §4.2).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that a URL of this scheme leaves out.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// Schemes are case-insensitive (RFC 3986 §3.1).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Http, Self::Https].into_iter().find(|scheme| scheme.as_str().eq_ignore_ascii_case(text))
    }
}

/// What is known of a request's way here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestFacts {
    is_from_trusted_proxy: bool,
    scheme: Scheme,
    authority: Option<Authority>,
    port: Option<u16>,
    host_is_vouched: bool,
    client_ip: Option<IpAddr>,
}

/// Why a request is refused before anything else of it is looked at: 400, and this for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestFactsError {
    /// The last `spin-client-addr` is no address with a port: the host's fault.
    #[error("the last `spin-client-addr` is not an address with a port")]
    Peer,
    /// The last `spin-full-url` is no http URL of a host. The host built it from what the client sent.
    #[error("the last `spin-full-url` is not an http URL with a valid host")]
    Url,
    /// A trusted proxy's `Forwarded` does not follow RFC 7239.
    #[error("`Forwarded` from {proxy}: {problem}")]
    Forwarded {
        /// The peer.
        proxy: IpAddr,
        /// What is wrong.
        problem: MalformedForwarded,
    },
    /// A trusted proxy's `X-Forwarded-…` is not what its name says.
    #[error("`{field}` from {proxy} is malformed")]
    XForwarded {
        /// The peer.
        proxy: IpAddr,
        /// The field.
        field: &'static str,
    },
    /// A trusted proxy's `X-Forwarded-…` has several values, and not one for each address of `X-Forwarded-For`.
    #[error("`{field}` from {proxy} has several values and does not go with `x-forwarded-for`")]
    Ambiguous {
        /// The peer.
        proxy: IpAddr,
        /// The field.
        field: &'static str,
    },
    /// Two fields of a trusted proxy disagree, or its two families do not say the same.
    #[error("the forwarding fields from {proxy} do not say the same of the {about}")]
    Contradiction {
        /// The peer.
        proxy: IpAddr,
        /// What they disagree about.
        about: &'static str,
    },
}

/// What one family of forwarding fields says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Told {
    scheme: Option<Scheme>,
    authority: Option<Authority>,
    port: Option<u16>,
    client_ip: Option<IpAddr>,
}

impl RequestFacts {
    /// The facts of a request with these header fields.
    pub fn of(headers: &HeaderMap, proxies: &TrustedProxies) -> Result<Self, RequestFactsError> {
        let peer = peer(headers)?;
        let direct = direct(headers)?;
        let (scheme, authority) = match direct {
            Some((scheme, authority)) => (scheme, Some(authority)),
            None => (Scheme::Http, None),
        };
        let proxy = peer.filter(|peer| proxies.contains(*peer));
        let is_from_trusted_proxy = proxy.is_some();
        let told = match proxy {
            Some(proxy) => told(headers, proxy, proxies)?,
            None => None,
        };
        let Some(told) = told else {
            return Ok(Self {
                is_from_trusted_proxy,
                scheme,
                authority,
                port: None,
                host_is_vouched: false,
                client_ip: peer,
            });
        };
        Ok(Self {
            is_from_trusted_proxy,
            // A proxy that is silent about the scheme leaves the one it used itself.
            scheme: told.scheme.unwrap_or(scheme),
            host_is_vouched: told.authority.is_some(),
            authority: told.authority.or(authority),
            port: told.port,
            client_ip: told.client_ip,
        })
    }

    /// Whether the peer is a trusted proxy, so that what it says of its client counts.
    pub const fn is_from_trusted_proxy(&self) -> bool {
        self.is_from_trusted_proxy
    }

    /// How the client's request was sent.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether the request was protected by TLS on its way from the client.
    pub const fn is_https(&self) -> bool {
        matches!(self.scheme, Scheme::Https)
    }

    /// The host the request names, in lower case, an IPv6 address in brackets. The client's word, see the module.
    pub fn host(&self) -> Option<&str> {
        self.authority.as_ref().map(Authority::host)
    }

    /// The port the request was sent to, as far as it is told.
    pub fn port(&self) -> u16 {
        let named = self.authority.as_ref().and_then(Authority::port);
        self.port.or(named).unwrap_or(self.scheme.default_port())
    }

    /// The client's address: the peer's, or the one trusted proxies tell. `None` where they hide it or tell none.
    pub const fn client_ip(&self) -> Option<IpAddr> {
        self.client_ip
    }

    /// The origin the request was sent to, as the client or its proxy says (RFC 6454 §6.2). Not for URLs: those are
    /// made by [`CanonicalUrl`].
    pub fn origin(&self) -> Option<String> {
        let host = self.host()?;
        let scheme = self.scheme.as_str();
        Some(match self.port() {
            port if port == self.scheme.default_port() => format!("{scheme}://{host}"),
            port => format!("{scheme}://{host}:{port}"),
        })
    }

    /// The origin, where a trusted proxy names the host.
    fn vouched_origin(&self) -> Option<String> {
        if self.host_is_vouched { self.origin() } else { None }
    }
}

/// Where the URLs of this server begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CanonicalUrl {
    /// With this origin, whatever the request says. The issuer's, unless another one is configured.
    Configured(String),
    /// With the origin a trusted proxy names, and this one where none does.
    Forwarded(String),
}

impl CanonicalUrl {
    /// The URL of `path` (which begins with `/`), without query and fragment.
    pub fn of(&self, facts: &RequestFacts, path: &str) -> String {
        match self {
            Self::Configured(origin) => format!("{origin}{path}"),
            Self::Forwarded(origin) => match facts.vouched_origin() {
                Some(vouched) => format!("{vouched}{path}"),
                None => format!("{origin}{path}"),
            },
        }
    }
}

/// The address that is at the other end of the connection.
fn peer(headers: &HeaderMap) -> Result<Option<IpAddr>, RequestFactsError> {
    let Some(value) = last(headers, "spin-client-addr") else { return Ok(None) };
    let address = value.to_str().ok().and_then(|text| text.parse::<SocketAddr>().ok());
    address.map(|address| Some(address.ip().to_canonical())).ok_or(RequestFactsError::Peer)
}

/// Scheme and authority as the host has seen them.
fn direct(headers: &HeaderMap) -> Result<Option<(Scheme, Authority)>, RequestFactsError> {
    let Some(value) = last(headers, "spin-full-url") else { return Ok(None) };
    let parts = value.to_str().ok().and_then(|url| {
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        Some((Scheme::parse(scheme)?, Authority::parse(authority)?))
    });
    parts.map(Some).ok_or(RequestFactsError::Url)
}

fn last<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h HeaderValue> {
    headers.get_all(name).iter().next_back()
}

/// What the trusted `proxy` tells, if it tells anything.
fn told(
    headers: &HeaderMap,
    proxy: IpAddr,
    proxies: &TrustedProxies,
) -> Result<Option<Told>, RequestFactsError> {
    let forwarded = forwarded::told(headers, proxy, proxies)?;
    let x_forwarded = x_forwarded::told(headers, proxy, proxies)?;
    if let (Some(one), Some(other)) = (&forwarded, &x_forwarded)
        && let Some(about) = one.contradicts(other)
    {
        return Err(RequestFactsError::Contradiction { proxy, about });
    }
    Ok(forwarded.or(x_forwarded))
}

impl Told {
    /// What the two families do not say the same of. Where one is silent and the other speaks, they differ.
    fn contradicts(&self, other: &Self) -> Option<&'static str> {
        [
            (self.scheme != other.scheme, "scheme"),
            (self.told_host() != other.told_host(), "host"),
            (self.told_port() != other.told_port(), "port"),
            (self.client_ip != other.client_ip, "client address"),
        ]
        .into_iter()
        .find_map(|(differ, about)| differ.then_some(about))
    }

    fn told_host(&self) -> Option<&str> {
        self.authority.as_ref().map(Authority::host)
    }

    /// The port it names, or implies by naming the scheme.
    fn told_port(&self) -> Option<u16> {
        let named = self.port.or(self.authority.as_ref().and_then(Authority::port));
        named.or(self.scheme.map(Scheme::default_port))
    }
}

/// The client's place in a chain of addresses each proxy has appended to, nearest last: the last one that is no trusted
/// proxy's, or the first of all. `None` stands for an address that is hidden.
fn client_place(chain: &[Option<IpAddr>], proxies: &TrustedProxies) -> Option<usize> {
    let is_proxy = |address: &Option<IpAddr>| address.is_some_and(|ip| proxies.contains(ip));
    chain.iter().rposition(|address| !is_proxy(address)).or(chain.len().checked_sub(1).map(|_| 0))
}

#[cfg(test)]
mod tests;
