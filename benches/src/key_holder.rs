//! A client with a key: its assertions (RFC 7523) and its proofs of possession (RFC 9449).

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use attesto::jose::base64url::encode;
use attesto::jose::{Algorithm, SigningKey};
use rand::rngs::ChaCha20Rng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

/// Its `client_id` at both servers.
pub(crate) const CLIENT_ID: &str = "bench-with-key";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The key, which authenticates the client and its tokens are bound to.
pub(crate) struct KeyHolder {
    key: SigningKey,
    rng: ChaCha20Rng,
    issuer: String,
}

impl KeyHolder {
    /// The same key each time: the servers are told of it before they start.
    pub(crate) fn new(issuer: String, worker: u64) -> Result<Self> {
        let key =
            SigningKey::generate(Algorithm::Es256, &mut ChaCha20Rng::seed_from_u64(0)).context("a key")?;
        Ok(Self { key, rng: ChaCha20Rng::seed_from_u64(worker + since_epoch()), issuer })
    }

    /// The public half as a JWK Set.
    pub(crate) fn jwks(&self) -> String {
        json!({ "keys": [self.key.public_jwk(Some("bench")).to_value()] }).to_string()
    }

    /// The fields that authenticate the client.
    pub(crate) fn credentials(&mut self) -> Result<[(&'static str, String); 2]> {
        let now = since_epoch();
        let claims = json!({
            "iss": CLIENT_ID, "sub": CLIENT_ID, "aud": self.issuer, "jti": self.jti(), "iat": now, "exp": now + 60,
        });
        let assertion = self.signed(&json!({ "alg": "ES256", "kid": "bench" }), &claims)?;
        Ok([("client_assertion_type", JWT_BEARER.to_owned()), ("client_assertion", assertion)])
    }

    /// A proof for a `POST` to this path.
    pub(crate) fn proof(&mut self, path: &str) -> Result<String> {
        let header =
            json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.public_jwk(None).to_value() });
        let htu = format!("{}{path}", self.issuer);
        let claims = json!({ "jti": self.jti(), "htm": "POST", "htu": htu, "iat": since_epoch() });
        self.signed(&header, &claims)
    }

    fn jti(&mut self) -> String {
        let mut bytes = [0; 16];
        self.rng.fill_bytes(&mut bytes);
        encode(bytes)
    }

    fn signed(&mut self, header: &Value, claims: &Value) -> Result<String> {
        let input = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = self.key.sign(&mut self.rng, input.as_bytes()).context("a signature")?;
        Ok(format!("{input}.{}", encode(signature)))
    }
}

#[expect(clippy::disallowed_methods, reason = "a client is where the time comes from")]
fn since_epoch() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |duration| duration.as_secs())
}
