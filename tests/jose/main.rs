//! JOSE: the RFCs' own vectors, then one test for every rejection.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy allows these in test functions, and their helpers are test code too"
)]

mod claims;
mod cookbook;
mod keys;
mod tokens;
mod vectors;
mod wycheproof;

use attesto::jose::{Algorithm, Jwk, SigningInput, SigningKey};
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;

/// Reproducible randomness.
fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(7519)
}

fn es256_key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &mut rng()).unwrap()
}

/// The RSA key of RFC 7515 A.2: finding a fresh one takes seconds.
fn rs256_key() -> SigningKey {
    SigningKey::from_jwk(vectors::RFC_7515_A2_KEY.as_bytes()).unwrap().0
}

fn ps256_key() -> SigningKey {
    rs256_key().with_algorithm(Algorithm::Ps256).unwrap()
}

/// The key of RFC 8037 A.1.
fn ed25519_key() -> SigningKey {
    SigningKey::from_jwk(vectors::RFC_8037_A1_KEY.as_bytes()).unwrap().0
}

fn public(key: &SigningKey, kid: &str) -> Jwk {
    Jwk::new(key.verifying_key()).with_kid(kid)
}

/// Signs a token with whatever header text is given, as an attacker with a key of their own could.
fn token_with_header(key: &SigningKey, header: &str, payload: &[u8]) -> String {
    use attesto::jose::base64url::encode;
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = key.sign(&mut rng(), input.as_bytes()).unwrap();
    format!("{input}.{}", encode(signature))
}

fn token(key: &SigningKey, kid: Option<&str>, typ: Option<&str>, payload: &[u8]) -> String {
    let input = SigningInput::new(key.algorithm(), kid, typ, payload);
    let signature = key.sign(&mut rng(), input.as_bytes()).unwrap();
    input.join(&signature).unwrap()
}
