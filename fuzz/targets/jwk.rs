//! Public keys and sets of them, and a private key's file.

#![no_main]

use attesto::jose::{Jwk, JwkSet, SigningKey};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    if let Ok(jwk) = Jwk::from_json(octets) {
        assert_eq!(Jwk::from_json(jwk.to_value().to_string().as_bytes()).as_ref(), Ok(&jwk));
        let _ = jwk.thumbprint();
    }
    if let Ok(set) = JwkSet::from_json(octets) {
        assert!(set.keys().len() + set.skipped().len() <= attesto::jose::jwk::MAX_KEYS);
    }
    let _ = SigningKey::from_jwk(octets);
    if let Ok(text) = std::str::from_utf8(octets) {
        let _ = SigningKey::from_pkcs8_pem(text);
    }
});
