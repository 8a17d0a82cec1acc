//! The `:path` of a request that comes to the Envoy filter.

#![no_main]

use attesto::scope::Scope;
use envoy_filter::route::{Requirement, Rules};
use percent_encoding::percent_decode;

libfuzzer_sys::fuzz_target!(|target: &[u8]| {
    let admin = Requirement::Token(Scope::parse("admin").expect("a scope"));
    let mut rules = Rules::default();
    rules.add("/", Requirement::Public).expect("a plain prefix");
    rules.add("/admin", admin.clone()).expect("a plain prefix");
    let Ok(requirement) = rules.requirement(target) else { return };
    // Whatever a lenient server would read as a path below `/admin` takes the scope.
    let path = target.split(|octet| *octet == b'?').next().unwrap_or_default();
    let mut segments = path.split(|octet| matches!(octet, b'/' | b'\\')).map(|segment| {
        let name = segment.split(|octet| *octet == b';').next().unwrap_or_default();
        percent_decode(name).collect::<Vec<_>>().to_ascii_lowercase()
    });
    let first = segments.find(|segment| !segment.is_empty() && segment != b".");
    if first.is_some_and(|first| first == b"admin") {
        assert_eq!(requirement, admin, "{}", String::from_utf8_lossy(target));
    }
});
