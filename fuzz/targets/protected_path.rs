//! The `:path` of a request that comes to the Envoy filter.

#![no_main]

use attesto::scope::Scope;
use envoy_filter::route::{Requirement, Rules};

libfuzzer_sys::fuzz_target!(|target: &[u8]| {
    let admin = Requirement::Token(Scope::parse("admin").expect("a scope"));
    let mut rules = Rules::default();
    rules.add("/", Requirement::Public).expect("a plain prefix");
    rules.add("/admin", admin.clone()).expect("a plain prefix");
    let Ok(requirement) = rules.requirement(target) else { return };
    // Whatever a lenient server would read as a path below `/admin` takes the scope.
    let path = target.split(|octet| *octet == b'?').next().unwrap_or_default();
    let segments = path.split(|octet| matches!(octet, b'/' | b'\\')).map(|segment| {
        let name = segment.split(|octet| *octet == b';').next().unwrap_or_default();
        percent_decoded(name).to_ascii_lowercase()
    });
    let first = segments.into_iter().find(|segment| !segment.is_empty() && segment != b".");
    if first.is_some_and(|first| first == b"admin") {
        assert_eq!(requirement, admin, "{}", String::from_utf8_lossy(target));
    }
});

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut octets = text.iter().copied();
    let mut decoded = Vec::new();
    while let Some(octet) = octets.next() {
        let mut digit = || octets.next().and_then(|octet| char::from(octet).to_digit(16));
        match octet {
            b'%' => decoded
                .extend(digit().zip(digit()).and_then(|(high, low)| u8::try_from(high * 16 + low).ok())),
            _ => decoded.push(octet),
        }
    }
    decoded
}
