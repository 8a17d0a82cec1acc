//! A client assertion: whom it claims to be from, and what its claims are worth.

#![no_main]

use attesto::client_assertion::{Expectation, check, claimed_client_id};
use attesto::jose::{Claims, base64url, json};

const NOW: u64 = 1_800_000_000;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    if let Ok(text) = std::str::from_utf8(octets) {
        let _ = claimed_client_id(text);
    }
    let Ok(object) = json::object(octets) else { return };
    let subject = object.get("sub").and_then(|sub| sub.as_str().map(str::to_owned));
    // An unsigned token around the same claims claims the same.
    let token = format!("{}.{}.", base64url::encode(r#"{"alg":"ES256"}"#), base64url::encode(octets));
    if let Some(claimed) = claimed_client_id(&token) {
        assert_eq!(Some(claimed), subject);
    }
    let claims = Claims::from(object);
    for token_endpoint in [None, Some("https://auth.example/oauth/token")] {
        let expectation = Expectation {
            client_id: "bank",
            issuer: "https://auth.example",
            token_endpoint,
            max_lifetime: 300,
            clock_skew: 30,
        };
        let Ok(claim) = check(&claims, &expectation, NOW) else { continue };
        assert!(claim.expires_at > NOW && claim.expires_at <= NOW + 300 + 2 * 30 + 1);
        for name in ["iss", "sub"] {
            assert_eq!(claims.get(name).and_then(|value| value.as_str()), Some("bank"));
        }
        assert!(claims.string("jti").is_ok_and(|jti| jti.is_some_and(|jti| !jti.is_empty())));
        if token_endpoint.is_none() {
            assert_eq!(claims.get("aud").and_then(|value| value.as_str()), Some("https://auth.example"));
        }
    }
});
