use super::*;

const PROXY: &str = "10.0.0.1:40000";

/// The facts of a request over plain HTTP to `as.internal:8080`, where 10.0.0.0/8 is trusted.
fn facts(peer: &str, fields: &[(&'static str, &str)]) -> Result<RequestFacts, RequestFactsError> {
    let own = [("spin-full-url", "http://as.internal:8080/x?y"), ("spin-client-addr", peer)];
    let proxies = TrustedProxies::parse(["10.0.0.0/8"]).expect("a network");
    RequestFacts::of(&headers(fields.iter().copied().chain(own)), &proxies)
}

fn headers<'f>(fields: impl IntoIterator<Item = (&'static str, &'f str)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(name, HeaderValue::from_str(value).expect("a field value"));
    }
    headers
}

/// `origin from client`
fn told(fields: &[(&'static str, &str)]) -> String {
    let facts = facts(PROXY, fields).expect("well-formed");
    let client = facts.client_ip().map_or("hidden".to_owned(), |ip| ip.to_string());
    format!("{} from {client}", facts.origin().expect("a host"))
}

const DIRECT: &str = "http://as.internal:8080";

#[test]
fn a_peer_that_is_no_trusted_proxy_is_believed_nothing() {
    for field in [
        ("forwarded", "for=192.0.2.1;proto=https;host=evil.example"),
        ("forwarded", "not at all; well-formed"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-port", "no"),
        ("x-forwarded-for", "10.0.0.1"),
    ] {
        for peer in ["192.0.2.9:1", "[2001:db8::9]:1"] {
            let facts = facts(peer, &[field]).expect("ignored");
            assert_eq!(facts.origin().as_deref(), Some(DIRECT));
            assert!(!facts.is_https());
            assert_eq!(facts.client_ip(), peer.parse::<SocketAddr>().ok().map(|peer| peer.ip()));
        }
    }
}

#[test]
fn the_peer_is_the_last_address_and_not_one_the_client_wrote() {
    let forged = [("spin-client-addr", PROXY), ("x-forwarded-proto", "https")];
    let facts = facts("192.0.2.9:1", &forged).expect("well-formed");
    assert!(!facts.is_https());
    let https = [("spin-full-url", "https://evil.example/"), ("spin-client-addr", "junk")];
    assert_eq!(told(&https), format!("{DIRECT} from 10.0.0.1"));
}

#[test]
fn a_dual_stack_listener_shows_an_ipv4_proxy_as_ipv6() {
    let facts = facts("[::ffff:10.0.0.1]:1", &[("x-forwarded-proto", "https")]).expect("well-formed");
    assert!(facts.is_https());
}

#[test]
fn whether_the_peer_is_trusted_does_not_depend_on_what_it_says() {
    assert!(facts(PROXY, &[]).expect("well-formed").is_from_trusted_proxy());
    assert!(facts(PROXY, &[("x-forwarded-for", "192.0.2.1")]).expect("well-formed").is_from_trusted_proxy());
    let forged = [("spin-client-addr", PROXY), ("forwarded", "for=10.0.0.1")];
    assert!(!facts("192.0.2.9:1", &forged).expect("well-formed").is_from_trusted_proxy());
}

#[test]
fn without_a_peer_nobody_is_trusted() {
    let all = TrustedProxies::parse(["0.0.0.0/0", "::/0"]).expect("networks");
    let facts = RequestFacts::of(&headers([("x-forwarded-proto", "https")]), &all).expect("well-formed");
    assert_eq!((facts.is_https(), facts.client_ip(), facts.origin()), (false, None, None));
    assert!(!facts.is_from_trusted_proxy());
}

#[test]
fn what_the_host_appended_must_be_readable() {
    let of = |field| RequestFacts::of(&headers([field]), &TrustedProxies::default());
    for peer in ["", "10.0.0.1", "unknown", "10.0.0.1:1, 10.0.0.2:1", "[::1]"] {
        assert_eq!(of(("spin-client-addr", peer)), Err(RequestFactsError::Peer), "{peer}");
    }
    for url in
        ["", "/path", "as.example", "ftp://as.example/", "http://", "http://u@as.example/", "http://a b/"]
    {
        assert_eq!(of(("spin-full-url", url)), Err(RequestFactsError::Url), "{url}");
    }
}

#[test]
fn a_trusted_proxy_tells_scheme_host_and_client() {
    for fields in [
        &[("forwarded", "for=192.0.2.1;proto=https;host=as.example")][..],
        &[("forwarded", "for=\"192.0.2.1:4711\";proto=HTTPS;host=\"AS.example:443\"")],
        &[
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "as.example"),
        ],
        &[
            ("x-forwarded-for", "192.0.2.1:4711"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "as.example"),
            ("x-forwarded-port", "443"),
        ],
    ] {
        assert_eq!(told(fields), "https://as.example from 192.0.2.1", "{fields:?}");
    }
}

#[test]
fn ports_other_than_the_default_are_part_of_the_origin() {
    assert_eq!(told(&[("forwarded", "for=_a;proto=https;host=\"a:8443\"")]), "https://a:8443 from hidden");
    let x = [("x-forwarded-proto", "https"), ("x-forwarded-host", "a"), ("x-forwarded-port", "8443")];
    assert_eq!(told(&x), "https://a:8443 from hidden");
    let kept = [("x-forwarded-proto", "https"), ("x-forwarded-port", "443")];
    assert_eq!(told(&kept), "https://as.internal from hidden");
}

#[test]
fn what_a_proxy_does_not_tell_stays_as_the_connection_shows_it() {
    assert_eq!(told(&[]), format!("{DIRECT} from 10.0.0.1"));
    assert_eq!(told(&[("forwarded", "for=192.0.2.1")]), format!("{DIRECT} from 192.0.2.1"));
    assert_eq!(told(&[("x-forwarded-for", "unknown")]), format!("{DIRECT} from hidden"));
    assert_eq!(told(&[("forwarded", " , ,")]), format!("{DIRECT} from 10.0.0.1"));
}

#[test]
fn the_chain_is_walked_from_the_right_past_trusted_proxies() {
    for (chain, client) in [
        ("192.0.2.1, 10.0.0.3, 10.0.0.2", "192.0.2.1"),
        // Everything left of the first stranger is the stranger's own invention.
        ("10.9.9.9, 203.0.113.9, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
        ("10.9.9.9, unknown, 10.0.0.2", "hidden"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("::ffff:192.0.2.1, ::ffff:10.0.0.2", "192.0.2.1"),
    ] {
        assert_eq!(told(&[("x-forwarded-for", chain)]), format!("{DIRECT} from {client}"), "{chain}");
        let nodes = chain.split(", ").map(|address| match address.contains(':') {
            true => format!("for=\"[{address}]\""),
            false => format!("for={address}"),
        });
        let forwarded = nodes.collect::<Vec<_>>().join(", ");
        assert_eq!(told(&[("forwarded", &forwarded)]), format!("{DIRECT} from {client}"), "{forwarded}");
    }
    let lines = [("x-forwarded-for", "10.9.9.9"), ("x-forwarded-for", "192.0.2.1, 10.0.0.2")];
    assert_eq!(told(&lines), format!("{DIRECT} from 192.0.2.1"));
}

#[test]
fn scheme_and_host_are_those_the_proxy_next_to_the_client_saw() {
    let chain = "for=10.6.6.6;proto=http;host=evil.example, for=192.0.2.1;proto=https;host=as.example, \
                 for=10.0.0.2;proto=http;host=inner.example";
    assert_eq!(told(&[("forwarded", chain)]), "https://as.example from 192.0.2.1");
    let x = [
        ("x-forwarded-for", "10.6.6.6, 192.0.2.1, 10.0.0.2"),
        ("x-forwarded-proto", "http, https, http"),
        ("x-forwarded-host", "evil.example, as.example, inner.example"),
    ];
    assert_eq!(told(&x), "https://as.example from 192.0.2.1");
}

#[test]
fn several_values_that_go_with_no_chain_are_refused() {
    let proxy = IpAddr::from([10, 0, 0, 1]);
    for fields in [
        &[("x-forwarded-proto", "https, http")][..],
        &[("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https, http")],
        &[("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")],
    ] {
        let field = "x-forwarded-proto";
        assert_eq!(facts(PROXY, fields), Err(RequestFactsError::Ambiguous { proxy, field }), "{fields:?}");
    }
}

#[test]
fn a_trusted_proxys_malformed_fields_refuse_the_request() {
    let proxy = IpAddr::from([10, 0, 0, 1]);
    for (field, value) in [
        ("x-forwarded-proto", "ftp"),
        ("x-forwarded-proto", ""),
        ("x-forwarded-host", "u@a"),
        ("x-forwarded-host", "a/b"),
        ("x-forwarded-port", "0"),
        ("x-forwarded-port", "-1"),
        ("x-forwarded-for", "192.0.2.1,,"),
        ("x-forwarded-for", "localhost"),
        ("x-forwarded-for", "[192.0.2.1]"),
        ("x-forwarded-for", "_hidden"),
    ] {
        let refused = Err(RequestFactsError::XForwarded { proxy, field });
        assert_eq!(facts(PROXY, &[(field, value)]), refused, "{field}: {value}");
    }
    let problem = MalformedForwarded::Proto;
    let refused = Err(RequestFactsError::Forwarded { proxy, problem });
    assert_eq!(facts(PROXY, &[("forwarded", "proto=ftp")]), refused);
}

#[test]
fn two_families_that_do_not_say_the_same_are_refused() {
    let proxy = IpAddr::from([10, 0, 0, 1]);
    let refused = |forwarded: &str, x_forwarded: &[(&'static str, &str)], about| {
        let both = [&[("forwarded", forwarded)], x_forwarded].concat();
        let refused = Err(RequestFactsError::Contradiction { proxy, about });
        assert_eq!(facts(PROXY, &both), refused, "{both:?}");
    };
    let whole = "for=192.0.2.1;proto=https;host=as.example";
    let x_whole = [
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "as.example"),
        ("x-forwarded-port", "443"),
    ];
    for (field, value, about) in [
        ("x-forwarded-proto", "http", "scheme"),
        ("x-forwarded-host", "evil.example", "host"),
        ("x-forwarded-port", "8443", "port"),
        ("x-forwarded-for", "192.0.2.2", "client address"),
        ("x-forwarded-for", "unknown", "client address"),
    ] {
        refused(whole, &x_whole.map(|own| if own.0 == field { (field, value) } else { own }), about);
    }
    refused(whole, &[x_whole[0], x_whole[1], ("x-forwarded-host", "as.example:8443")], "port");
    // One is silent where the other speaks, in either direction.
    refused(whole, &[x_whole[0], x_whole[2]], "scheme");
    refused(whole, &[x_whole[0], x_whole[1]], "host");
    refused(whole, &x_whole[1..], "client address");
    refused("for=192.0.2.1;host=as.example", &x_whole, "scheme");
    refused("for=192.0.2.1;proto=https", &x_whole, "host");
    refused("proto=https;host=as.example", &x_whole, "client address");
    refused("for=192.0.2.1", &[x_whole[0], x_whole[3]], "port");
    refused("for=1.2.3.4", &x_whole[1..2], "scheme");
    refused("for=_hidden;proto=https", &x_whole[..2], "client address");
    refused("by=10.0.0.1", &x_whole, "scheme");
    let own = facts(PROXY, &[("x-forwarded-host", "a:1"), ("x-forwarded-port", "2")]);
    assert!(matches!(own, Err(RequestFactsError::Contradiction { about: "port", .. })));
}

#[test]
fn two_families_that_say_the_same_are_one() {
    let x = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https")];
    let both = |forwarded, more: &[(&'static str, &'static str)]| {
        told(&[&[("forwarded", forwarded)], &x[..], more].concat())
    };
    assert_eq!(both("for=192.0.2.1;proto=https", &[]), "https://as.internal:8080 from 192.0.2.1");
    // A port not named is the scheme's.
    let host = ("x-forwarded-host", "as.example");
    for more in [&[host][..], &[host, ("x-forwarded-port", "443")], &[("x-forwarded-host", "AS.example:443")]]
    {
        let whole = "for=\"192.0.2.1:4711\";proto=https;host=as.example";
        assert_eq!(both(whole, more), "https://as.example from 192.0.2.1", "{more:?}");
    }
    // A hidden client is one nobody names.
    let hidden = [("forwarded", "for=unknown;proto=https"), ("x-forwarded-proto", "https")];
    assert_eq!(told(&hidden), "https://as.internal:8080 from hidden");
    // A field without elements says nothing.
    assert_eq!(both(" , ", &[]), "https://as.internal:8080 from 192.0.2.1");
}

#[test]
fn a_canonical_url_never_follows_the_host_a_client_wrote() {
    let configured = CanonicalUrl::Configured("https://as.example".to_owned());
    let forwarded = CanonicalUrl::Forwarded("https://as.example".to_owned());
    let stranger = facts("192.0.2.9:1", &[("x-forwarded-host", "evil.example")]).expect("ignored");
    let passed_on = facts(PROXY, &[("x-forwarded-proto", "https")]).expect("well-formed");
    for facts in [&stranger, &passed_on] {
        assert_eq!(configured.of(facts, "/oauth/token"), "https://as.example/oauth/token");
        assert_eq!(forwarded.of(facts, "/oauth/token"), "https://as.example/oauth/token");
    }
    let named = [("x-forwarded-proto", "https"), ("x-forwarded-host", "tenant.example")];
    let named = facts(PROXY, &named).expect("well-formed");
    assert_eq!(configured.of(&named, "/oauth/token"), "https://as.example/oauth/token");
    assert_eq!(forwarded.of(&named, "/oauth/token"), "https://tenant.example/oauth/token");
}
