//! Forwarding fields from a trusted proxy: lines of `name: value`.

#![no_main]

use attesto::request_facts::{CanonicalUrl, RequestFacts, TrustedProxies, parse_forwarded};
use http::{HeaderMap, HeaderName, HeaderValue};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let _ = parse_forwarded([octets]);
    let mut headers = HeaderMap::new();
    for line in octets.split(|octet| *octet == b'\n').take(20) {
        let Some(colon) = line.iter().position(|octet| *octet == b':') else { continue };
        let (name, value) =
            (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(&line[colon + 1..]));
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers.append("spin-client-addr", HeaderValue::from_static("127.0.0.1:1"));
    let proxies = TrustedProxies::parse(["loopback", "10.0.0.0/8"]).expect("networks");
    let Ok(facts) = RequestFacts::of(&headers, &proxies) else { return };
    let url = CanonicalUrl::Forwarded("https://as.example".to_owned()).of(&facts, "/token");
    assert!(url.starts_with("http") && url.ends_with("/token") && !url.contains('@'));
});
