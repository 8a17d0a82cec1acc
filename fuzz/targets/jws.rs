//! A token somebody sent.

#![no_main]

use std::sync::LazyLock;

use attesto::jose::jws::Policy;
use attesto::jose::{Algorithm, JwkSet, UnverifiedJws};

/// The EC key of RFC 7515 A.3 and the RSA key of RFC 7517 A.1: the seeds are signed with the former.
static KEYS: LazyLock<JwkSet> =
    LazyLock::new(|| JwkSet::from_json(include_bytes!("../seeds/jwk/rfc7517-a1")).expect("a JWK Set"));

libfuzzer_sys::fuzz_target!(|token: &str| {
    let Ok(token) = UnverifiedJws::parse(token) else { return };
    let typ = token.header().typ.clone();
    let policy = Policy { algorithms: Algorithm::ALL, typ: typ.as_deref() };
    if let Ok(verified) = token.verify(&KEYS, &policy) {
        let _ = verified.into_claims();
    }
});
