//! JSON with unique names, and what is read of it as claims.

#![no_main]

use std::time::Duration;

use attesto::jose::{Claims, NumericDate, json};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let Ok(object) = json::object(octets) else { return };
    let again = serde_json::to_vec(&object).expect("a JSON object");
    assert!(json::object(&again).is_ok());
    let claims = Claims::from(object);
    let (now, skew) = (NumericDate::from_secs(1_300_819_380), Duration::from_secs(60));
    let _ = (claims.check_exp(now, skew), claims.check_nbf(now, skew), claims.check_iat(now, skew));
    let _ =
        (claims.check_iss("joe"), claims.check_aud(&["https://api.example"]), claims.required_string("sub"));
});
