//! The claims of a request object, under either policy, and the parameters they become.

#![no_main]

use std::time::Duration;

use attesto::config::RequestObjectPolicy;
use attesto::jose::{Claims, NumericDate, json};
use attesto::params::Params;
use attesto::request_object::Expectations;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let Ok(object) = json::object(octets) else { return };
    for policy in [RequestObjectPolicy::Generic, RequestObjectPolicy::FapiMessageSigning] {
        let expectations = Expectations {
            policy,
            client_id: "s6BhdRkqt3",
            issuer: "https://auth.example",
            now: NumericDate::from_secs(1_300_819_380),
            skew: Duration::from_secs(10),
        };
        let Ok(params) = expectations.parameters(Claims::from(object.clone())) else { continue };
        assert_eq!(params.one("client_id"), Ok(Some("s6BhdRkqt3")));
        assert!(!params.has("request") && !params.has("request_uri"));
        // What is stored is read again as it was.
        let text = params.encode();
        assert_eq!(Params::parse(text.as_bytes()).expect("own encoding").encode(), text);
    }
});
