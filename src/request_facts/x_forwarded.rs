//! `X-Forwarded-For`, `-Proto`, `-Host` and `-Port`: no standard, but what most proxies speak.

use std::net::{IpAddr, SocketAddr};

use ::http::HeaderMap;

use super::authority::port_number;
use super::{Authority, RequestFactsError, Scheme, Told, TrustedProxies, client_place};

const FOR: &str = "x-forwarded-for";
const PROTO: &str = "x-forwarded-proto";
const HOST: &str = "x-forwarded-host";
const PORT: &str = "x-forwarded-port";

/// What a trusted proxy's fields say, if there is one of them.
///
/// A field of one value is what the proxy next to the client saw. One of several has been appended to hop by hop as
/// `X-Forwarded-For` has, so its value for the client stands at the same place; if their lengths differ, nobody can say
/// which value is whose.
pub(super) fn told(
    headers: &HeaderMap,
    proxy: IpAddr,
    proxies: &TrustedProxies,
) -> Result<Option<Told>, RequestFactsError> {
    if ![FOR, PROTO, HOST, PORT].iter().any(|field| headers.contains_key(*field)) {
        return Ok(None);
    }
    let malformed = |field| RequestFactsError::XForwarded { proxy, field };
    let addresses = values(headers, FOR).and_then(|values| values.into_iter().map(address).collect());
    let addresses: Vec<Option<IpAddr>> = addresses.ok_or(malformed(FOR))?;
    let place = client_place(&addresses, proxies);
    let one = |field| {
        let values = values(headers, field).ok_or(malformed(field))?;
        match (&values[..], place) {
            ([], _) => Ok(None),
            ([value], _) => Ok(Some(*value)),
            (_, Some(place)) if values.len() == addresses.len() => Ok(values.get(place).copied()),
            _ => Err(RequestFactsError::Ambiguous { proxy, field }),
        }
    };
    let scheme = one(PROTO)?.map(|text| Scheme::parse(text).ok_or(malformed(PROTO))).transpose()?;
    let authority = one(HOST)?.map(|text| Authority::parse(text).ok_or(malformed(HOST))).transpose()?;
    let port = one(PORT)?.map(|text| port_number(text).ok_or(malformed(PORT))).transpose()?;
    if let (Some(port), Some(named)) = (port, authority.as_ref().and_then(Authority::port))
        && port != named
    {
        return Err(RequestFactsError::Contradiction { proxy, about: "port" });
    }
    let client_ip = place.and_then(|place| addresses.get(place).copied().flatten());
    Ok(Some(Told { scheme, authority, port, client_ip }))
}

/// Every value of a list field, over all of its lines. `None` for one that is empty or not ASCII.
fn values<'h>(headers: &'h HeaderMap, field: &str) -> Option<Vec<&'h str>> {
    let mut values = Vec::new();
    for line in headers.get_all(field) {
        for value in line.to_str().ok()?.split(',') {
            values.push(Some(value.trim_matches([' ', '\t'])).filter(|value| !value.is_empty())?);
        }
    }
    Some(values)
}

/// An address, bare or with a port, an IPv6 address with or without brackets; hidden where it is `unknown`. The outer
/// `None` is for what is no address.
fn address(text: &str) -> Option<Option<IpAddr>> {
    if text.eq_ignore_ascii_case("unknown") {
        return Some(None);
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).filter(|ip| ip.contains(':'));
    let ip = match bare.unwrap_or(text).parse::<IpAddr>() {
        Ok(ip) => ip,
        Err(_) => text.parse::<SocketAddr>().ok()?.ip(),
    };
    Some(Some(ip.to_canonical()))
}
