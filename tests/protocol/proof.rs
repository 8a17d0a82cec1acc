//! DPoP proofs, as clients make them (RFC 9449 §4).

use attesto::jose::{Algorithm, SigningKey, base64url};
use attesto::secret::Digest;
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use serde_json::{Map, Value, json};

/// A client's key.
pub(crate) fn key(seed: u64) -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &mut ChaCha20Rng::seed_from_u64(seed)).unwrap()
}

/// What tokens are bound to that this key proves possession for.
pub(crate) fn jkt(key: &SigningKey) -> String {
    key.public_jwk(None).thumbprint().to_string()
}

/// A proof for this request; `ath` is for the access token, not its hash.
pub(crate) fn proof(
    key: &SigningKey,
    htm: &str,
    htu: &str,
    iat: u64,
    jti: &str,
    nonce: Option<&str>,
    ath: Option<&str>,
) -> String {
    let ath = ath.map(|token| base64url::encode(Digest::of(token.as_bytes()).as_bytes()));
    let claims = json!({ "jti": jti, "htm": htm, "htu": htu, "iat": iat, "nonce": nonce, "ath": ath });
    signed(key, json!({}), claims)
}

/// A proof with these claims, and these members in its header beside the usual ones; `null` leaves one out.
pub(crate) fn signed(key: &SigningKey, header: Value, claims: Value) -> String {
    let usual = json!({
        "typ": "dpop+jwt",
        "alg": key.algorithm(),
        "jwk": key.public_jwk(None).to_value(),
    });
    let members = |value: Value| value.as_object().unwrap().clone();
    let mut merged = members(usual);
    merged.extend(members(header));
    let part = |mut members: Map<String, Value>| {
        members.retain(|_, value| !value.is_null());
        base64url::encode(Value::Object(members).to_string())
    };
    let input = format!("{}.{}", part(merged), part(members(claims)));
    let signature = key.sign(&mut ChaCha20Rng::seed_from_u64(0), input.as_bytes()).unwrap();
    format!("{input}.{}", base64url::encode(signature))
}
