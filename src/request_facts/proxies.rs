//! The proxies whose word about a request counts.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// Addresses of proxies. None by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// An entry that names no addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustedProxyError {
    /// Neither an address, nor a network, nor `loopback`.
    #[error("`{0}` is not an address, a network like `10.0.0.0/8`, or `loopback`")]
    Unreadable(String),
    /// A network written with an address inside it. Whether the one or the whole was meant is not to be guessed.
    #[error("`{entry}` has bits beyond its prefix: write `{network}` or the single address")]
    HostBits {
        /// As written.
        entry: String,
        /// The network it lies in.
        network: IpNet,
    },
}

impl TrustedProxies {
    /// Parses addresses, networks (RFC 4632 §3.1, RFC 4291 §2.3) and the word `loopback` (127.0.0.0/8 and ::1).
    pub fn parse<T: AsRef<str>>(entries: impl IntoIterator<Item = T>) -> Result<Self, TrustedProxyError> {
        let mut networks = Vec::new();
        for entry in entries {
            match entry.as_ref() {
                "loopback" => networks.extend(loopback()),
                entry => networks.push(network(entry)?),
            }
        }
        Ok(Self(networks))
    }

    /// Whether every address of a family is trusted, by one network or by several together.
    pub fn include_everyone(&self) -> bool {
        IpNet::aggregate(&self.0).iter().any(|network| network.prefix_len() == 0)
    }

    /// Whether a peer of this address is trusted. An IPv4 address mapped into IPv6, which is how a dual-stack listener
    /// shows it (RFC 4291 §2.5.5.2), is that IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

fn loopback() -> [IpNet; 2] {
    [
        IpNet::new_assert(IpAddr::from([127, 0, 0, 0]), 8),
        IpNet::new_assert(IpAddr::from(std::net::Ipv6Addr::LOCALHOST), 128),
    ]
}

fn network(entry: &str) -> Result<IpNet, TrustedProxyError> {
    let parsed: Result<IpNet, _> = match entry.parse::<IpAddr>() {
        Ok(address) => Ok(IpNet::from(address)),
        Err(_) => entry.parse(),
    };
    let network = parsed.map_err(|_| TrustedProxyError::Unreadable(entry.to_owned()))?;
    if network.addr() != network.network() {
        return Err(TrustedProxyError::HostBits { entry: entry.to_owned(), network: network.trunc() });
    }
    Ok(folded(network))
}

/// A network of IPv4 addresses mapped into IPv6, as the IPv4 network it is.
fn folded(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let v4 = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    v4.and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok()).map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusts(entry: &str, address: &str) -> bool {
        TrustedProxies::parse([entry]).expect("an entry").contains(address.parse().expect("an address"))
    }

    #[test]
    fn addresses_networks_and_loopback_are_trusted_as_written() {
        for (entry, inside, outside) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:1::1", "2001:db9::1"),
            ("::1", "::1", "::2"),
            ("loopback", "127.3.2.1", "128.0.0.1"),
            ("loopback", "::1", "::"),
        ] {
            assert!(trusts(entry, inside), "{inside} in {entry}");
            assert!(!trusts(entry, outside), "{outside} not in {entry}");
        }
    }

    #[test]
    fn ipv4_addresses_mapped_into_ipv6_are_folded_on_both_sides() {
        assert!(trusts("172.16.0.0/12", "::ffff:172.20.0.3"));
        assert!(trusts("::ffff:172.16.0.0/108", "172.20.0.3"));
        assert!(trusts("::ffff:192.0.2.1", "::ffff:192.0.2.1"));
        assert!(trusts("loopback", "::ffff:127.0.0.1"));
        assert!(!trusts("::/0", "::ffff:192.0.2.1"));
        assert!(!trusts("172.16.0.0/12", "::172.20.0.3"));
    }

    #[test]
    fn everyone_is_everyone_however_it_is_spelled() {
        let parse = |entries: &[&str]| TrustedProxies::parse(entries).expect("entries");
        for everyone in [
            &["0.0.0.0/0"][..],
            &["::/0"],
            &["0.0.0.0/00"],
            &["::ffff:0.0.0.0/96"],
            &["0.0.0.0/1", "10.0.0.0/8", "128.0.0.0/1"],
            &["::/1", "8000::/1"],
        ] {
            assert!(parse(everyone).include_everyone(), "{everyone:?}");
        }
        for some in [&["10.0.0.0/8", "::1"][..], &["0.0.0.0/1"], &["loopback"], &["::ffff:0.0.0.0/97"], &[]] {
            assert!(!parse(some).include_everyone(), "{some:?}");
        }
    }

    #[test]
    fn nobody_is_trusted_unless_named() {
        let none = TrustedProxies::parse([""; 0]).expect("no entries");
        assert_eq!(none, TrustedProxies::default());
        assert!(!none.contains(IpAddr::from([127, 0, 0, 1])));
    }

    #[test]
    fn what_names_no_addresses_is_refused() {
        for entry in [
            "",
            "any",
            "Loopback",
            "localhost",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0/8",
            "10.0.0.0/08x",
            "10.0.0.1-9",
            "10.0.0.0/255.0.0.0",
            "::/129",
            "[::1]",
            "::1%lo",
            " 10.0.0.1",
            "010.0.0.1",
            "10.0.0.1:80",
        ] {
            assert_eq!(
                TrustedProxies::parse([entry]),
                Err(TrustedProxyError::Unreadable(entry.to_owned())),
                "{entry:?}"
            );
        }
    }

    #[test]
    fn a_network_with_host_bits_is_refused_with_both_ways_to_write_it() {
        let error = TrustedProxies::parse(["10.1.2.3/8"]).expect_err("bits beyond the prefix");
        assert_eq!(
            error.to_string(),
            "`10.1.2.3/8` has bits beyond its prefix: write `10.0.0.0/8` or the single address"
        );
    }
}
