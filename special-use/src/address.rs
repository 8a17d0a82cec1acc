//! Addresses that are not somewhere on the public Internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is special-use (RFC 6890 and its registries): this machine, the local network, or nobody.
///
/// A server that fetches what strangers name must not reach these.
pub fn is_special_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_special_v4(v4),
        IpAddr::V6(v6) => is_special_v6(v6),
    }
}

fn is_special_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (0, ..) // this network, RFC 791
        | (10, ..) // private, RFC 1918
        | (100, 64..=127, _) // shared, RFC 6598
        | (127, ..) // loopback, RFC 1122
        | (169, 254, _) // link-local, RFC 3927
        | (172, 16..=31, _) // private
        | (192, 0, 0) // protocol assignments, RFC 6890
        | (192, 0, 2) // documentation, RFC 5737
        | (192, 31, 196) // AS112, RFC 7535
        | (192, 52, 193) // AMT, RFC 7450
        | (192, 88, 99) // 6to4 relays, RFC 7526
        | (192, 168, _) // private
        | (192, 175, 48) // AS112, RFC 7534
        | (198, 18..=19, _) // benchmarks, RFC 2544
        | (198, 51, 100) // documentation
        | (203, 0, 113) // documentation
        | (224..=255, ..) => true, // multicast, reserved, broadcast
        _ => false,
    }
}

fn is_special_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_special_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b, c, d, e, f) {
        // IPv4-mapped and the well-known translation prefix (RFC 6052) are what they carry.
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => embedded(g, h),
        // 6to4 (RFC 3056) carries the address in the prefix.
        (0x2002, ..) => embedded(b, c),
        // Documentation (RFC 3849, RFC 9637), and 2001::/23: Teredo (RFC 4380), benchmarks, ORCHIDv2 (RFC
        // 7343), …
        (0x2001, 0xdb8, ..) | (0x3fff, 0..=0xfff, ..) | (0x2001, 0..=0x1ff, ..) => true,
        // AS112 (RFC 7534).
        (0x2620, 0x4f, 0x8000, ..) => true,
        // Everything outside global unicast, 2000::/3: unspecified, loopback, unique local, link-local, multicast, …
        _ => a & 0xe000 != 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_addresses_are_told_from_public_ones() {
        for special in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "2001:2::1",
            "2001:20::1",
            "2001:2f:ffff::1",
            "2620:4f:8000::1",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "5f00::1",
        ] {
            assert!(is_special_address(special.parse().unwrap()), "{special}");
        }
        for public in [
            "1.1.1.1",
            "9.9.9.9",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "193.0.0.1",
            "223.255.255.1",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::",
        ] {
            assert!(!is_special_address(public.parse().unwrap()), "{public}");
        }
    }
}
