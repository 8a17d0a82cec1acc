//! What clients sign.

use std::sync::LazyLock;

use attesto::jose::{Algorithm, SigningKey, base64url};
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use serde_json::{Value, json};

use crate::host::{NOW, TestHost};

/// The key of the client `confidential`, once it has one.
pub(crate) static CLIENT_KEY: LazyLock<SigningKey> = LazyLock::new(|| key(2));

pub(crate) fn key(seed: u64) -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &mut ChaCha20Rng::seed_from_u64(seed)).unwrap()
}

/// A JWK Set of this key's public half.
pub(crate) fn jwks(key: &SigningKey) -> String {
    json!({ "keys": [key.public_jwk(None).to_value()] }).to_string()
}

/// A host whose client `confidential` has registered [`CLIENT_KEY`].
pub(crate) fn host() -> TestHost {
    let host = TestHost::new();
    host.clients.borrow_mut().get_mut("confidential").unwrap().0.jwks = Some(jwks(&CLIENT_KEY));
    host
}

/// `base` with members changed, added, or (by `null`) left out.
pub(crate) fn changed(mut base: Value, changes: &Value) -> Value {
    let members = base.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(members.remove(name)),
            _ => drop(members.insert(name.clone(), value.clone())),
        }
    }
    base
}

pub(crate) fn signed(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let [header, claims] = [header, claims].map(|part| base64url::encode(part.to_string()));
    let input = format!("{header}.{claims}");
    let signature = key.sign(&mut ChaCha20Rng::seed_from_u64(0), input.as_bytes()).unwrap();
    format!("{input}.{}", base64url::encode(signature))
}

/// A DPoP proof for the pushed authorization request endpoint (RFC 9449 §4.2), claims changed.
pub(crate) fn proof(key: &SigningKey, changes: &Value) -> String {
    let jwk = key.public_jwk(None).to_value();
    let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk });
    let claims =
        json!({ "jti": "proof-1", "htm": "POST", "htu": "https://auth.example/oauth/par", "iat": NOW });
    signed(key, &header, &changed(claims, changes))
}

pub(crate) fn thumbprint(key: &SigningKey) -> String {
    key.public_jwk(None).thumbprint().to_string()
}
