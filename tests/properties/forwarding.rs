//! `Forwarded`, and the facts of a request.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use attesto::request_facts::{CanonicalUrl, NodeName, RequestFacts, TrustedProxies, parse_forwarded};
use http::{HeaderMap, HeaderValue};
use proptest::collection::vec;
use proptest::prelude::*;

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::from(Ipv4Addr::from(bits))),
        (0..4u8).prop_map(|last| IpAddr::from([10, 0, 0, last])),
        any::<u128>().prop_map(|bits| IpAddr::from(Ipv6Addr::from(bits)).to_canonical()),
    ]
}

fn node(address: &IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("\"[{v6}]\""),
    }
}

fn facts(fields: &[(&'static str, &[u8])]) -> Option<RequestFacts> {
    let proxies = TrustedProxies::parse(["10.0.0.0/8"]).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_bytes(value).ok()?);
    }
    RequestFacts::of(&headers, &proxies).ok()
}

/// Octets, mostly of what forwarding fields are made of.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..60),
        "(for|by|host|proto|x|=|;|,| |\"|\\\\|_a|unknown|https|10\\.0\\.0\\.1|\\[::1\\]|:80){0,12}"
            .prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn a_chain_is_read_as_it_is_written(chain in vec(address(), 0..6), lines in any::<bool>()) {
        let elements: Vec<_> = chain.iter().map(|ip| format!("proto=https;for={};ext=\"a,b\"", node(ip))).collect();
        let values = if lines { elements } else { vec![elements.join(", ")] };
        let parsed = parse_forwarded(values.iter().map(|value| value.as_bytes())).unwrap();
        let names: Vec<_> = parsed.into_iter().map(|element| element.for_node.unwrap().name).collect();
        prop_assert_eq!(names, chain.into_iter().map(NodeName::Ip).collect::<Vec<_>>());
    }

    #[test]
    fn any_octets_are_a_chain_or_refused(values in vec(octets(), 0..3)) {
        let _ = parse_forwarded(values.iter().map(Vec::as_slice));
    }

    #[test]
    fn an_untrusted_peer_changes_nothing_whatever_it_sends(
        forwarded in octets(), for_ in octets(), proto in octets(), host in octets(), url in octets(),
    ) {
        let own: [(&str, &[u8]); 2] =
            [("spin-full-url", b"http://as.internal/x"), ("spin-client-addr", b"192.0.2.9:1")];
        let sent = [
            ("forwarded", forwarded.as_slice()), ("x-forwarded-for", &for_), ("x-forwarded-proto", &proto),
            ("x-forwarded-host", &host), ("spin-full-url", &url), ("spin-client-addr", &for_),
        ];
        let sendable: Vec<_> = sent.into_iter().filter(|(_, value)| HeaderValue::from_bytes(value).is_ok()).collect();
        prop_assert_eq!(facts(&[&sendable[..], &own].concat()), facts(&own));
    }

    #[test]
    fn a_trusted_proxys_octets_never_reach_a_configured_url(forwarded in octets(), host in octets(), url in octets()) {
        let fields: [(&str, &[u8]); 4] = [
            ("forwarded", &forwarded), ("x-forwarded-host", &host), ("spin-full-url", &url),
            ("spin-client-addr", b"10.0.0.1:1"),
        ];
        if let Some(facts) = facts(&fields) {
            let configured = CanonicalUrl::Configured("https://as.example".to_owned());
            prop_assert_eq!(configured.of(&facts, "/t"), "https://as.example/t");
            let forwarded = CanonicalUrl::Forwarded("https://as.example".to_owned()).of(&facts, "/t");
            prop_assert!(url::Url::parse(&forwarded).is_ok_and(|url| url.path() == "/t"), "{}", forwarded);
        }
    }

    #[test]
    fn the_client_is_the_last_stranger_of_the_chain(left in vec(address(), 0..4), hops in 0..4u8) {
        let client = Ipv4Addr::new(198, 51, 100, 7);
        let proxies = (0..hops).map(|last| IpAddr::from([10, 0, 0, last]));
        let chain: Vec<_> = left.into_iter().chain([IpAddr::from(client)]).chain(proxies).collect();
        let forwarded = chain.iter().map(|ip| format!("for={}", node(ip))).collect::<Vec<_>>().join(",");
        let x_forwarded = chain.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        for (name, value) in [("forwarded", forwarded), ("x-forwarded-for", x_forwarded)] {
            let facts = facts(&[(name, value.as_bytes()), ("spin-client-addr", b"10.0.0.1:1")]).unwrap();
            prop_assert_eq!(facts.client_ip(), Some(client.into()));
        }
    }

    #[test]
    fn any_entry_is_a_proxy_or_refused(entry in prop_oneof![".{0,20}", "[0-9a-f.:/]{0,20}"]) {
        let _ = TrustedProxies::parse([entry]);
    }
}
