//! base64url, and the code challenge made of it.

#![no_main]

use attesto::jose::base64url;
use attesto::pkce::CodeChallenge;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(octets) = base64url::decode(text) {
        assert_eq!(base64url::encode(&octets), text);
    }
    assert_eq!(base64url::decode(&base64url::encode(text)).as_deref(), Ok(text.as_bytes()));
    if let Ok(challenge) = CodeChallenge::from_request(text, Some("S256")) {
        assert_eq!(base64url::decode(challenge.as_str()).map(|octets| octets.len()), Ok(32));
        assert!(!challenge.is_met_by(text));
    }
});
