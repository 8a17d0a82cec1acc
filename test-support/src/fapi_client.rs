//! A client with a key: it authenticates with assertions, pushes its requests and proves possession (RFC 7523, RFC 9126,
//! RFC 9449).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use attesto::jose::base64url::encode;
use attesto::jose::{Algorithm, SigningKey};
use attesto::secret::Digest;
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use serde_json::{Value, json};

use crate::attesto::{Attesto, REDIRECT_URI};
use crate::browser::{Browser, Page};
use crate::person::CHALLENGE;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The client, registered at a server.
#[derive(Debug)]
pub struct FapiClient {
    /// Its identifier.
    pub client_id: String,
    issuer: String,
    key: SigningKey,
    jti: AtomicU64,
}

impl FapiClient {
    /// Makes a key and registers its public half with further options of `attesto clients add`.
    pub fn register(attesto: &Attesto, client_id: &str, options: &[&str]) -> Self {
        let key = key(client_id);
        let jwks = json!({ "keys": [key.public_jwk(Some("client-1")).to_value()] }).to_string();
        let file = attesto.file(&format!("{client_id}.jwks.json"), &jwks);
        Self::add(attesto, client_id, key, &[&["--jwks", &file][..], options].concat())
    }

    /// Registers a client whose keys are at this URL.
    pub fn register_with_jwks_uri(attesto: &Attesto, client_id: &str, jwks_uri: &str) -> Self {
        Self::add(attesto, client_id, key(client_id), &["--jwks-uri", jwks_uri])
    }

    fn add(attesto: &Attesto, client_id: &str, key: SigningKey, options: &[&str]) -> Self {
        let mut arguments = vec!["clients", "add", "--state", "state.db", "--client-id", client_id];
        arguments.extend(["--name", "Budget app", "--redirect-uri", REDIRECT_URI]);
        arguments.extend(["--auth-method", "private_key_jwt", "--dpop-bound", "--id-token-alg", "ES256"]);
        for grant in ["authorization_code", "refresh_token", "client_credentials"] {
            arguments.extend(["--grant-type", grant]);
        }
        arguments.extend(options);
        attesto.command(&arguments);
        Self { client_id: client_id.to_owned(), issuer: attesto.issuer(), key, jti: AtomicU64::new(0) }
    }

    /// A new assertion.
    pub fn assertion(&self) -> String {
        let claims = json!({
            "iss": self.client_id, "sub": self.client_id, "aud": self.issuer, "jti": self.jti(),
            "iat": now(), "exp": now() + 60,
        });
        self.signed(&json!({ "alg": "ES256", "kid": "client-1" }), &claims)
    }

    /// A new proof for a `POST` to, or with an access token a `GET` of, this path.
    pub fn proof(&self, path: &str, access_token: Option<&str>) -> String {
        let header =
            json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.public_jwk(None).to_value() });
        let mut claims = json!({
            "jti": self.jti(),
            "htm": if access_token.is_some() { "GET" } else { "POST" },
            "htu": format!("{}{path}", self.issuer),
            "iat": now(),
        });
        if let (Some(token), Some(members)) = (access_token, claims.as_object_mut()) {
            let hash = encode(Digest::of(token.as_bytes()).as_bytes());
            members.insert("ath".to_owned(), hash.into());
        }
        self.signed(&header, &claims)
    }

    /// Sends a request with this assertion and this proof.
    pub fn send(&self, path: &str, fields: &[(&str, &str)], assertion: &str, proof: &str) -> Page {
        let credentials = [("client_assertion_type", JWT_BEARER), ("client_assertion", assertion)];
        let fields: Vec<_> = fields.iter().chain(&credentials).copied().collect();
        Browser::new(&self.issuer).post_with(path, &fields, &[("dpop", proof)])
    }

    /// Sends a request with an assertion and a proof of its own.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.send(path, fields, &self.assertion(), &self.proof(path, None))
    }

    /// Pushes an authorization request for a scope; answers with the path the browser is to be sent to.
    pub fn push(&self, scope: &str) -> String {
        self.push_to(REDIRECT_URI, scope)
    }

    /// The same, to be answered at another of its redirect URIs.
    pub fn push_to(&self, redirect_uri: &str, scope: &str) -> String {
        let pushed = self.post(
            "/oauth/par",
            &[
                ("response_type", "code"),
                ("redirect_uri", redirect_uri),
                ("scope", scope),
                ("state", "af0ifjsldkj"),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
            ],
        );
        assert_eq!(pushed.status, 201, "{}", pushed.body);
        let answer = pushed.json();
        let request_uri = answer.get("request_uri").and_then(Value::as_str).expect("a request_uri");
        let request_uri = request_uri.replace(':', "%3A");
        format!("/oauth/authorize?client_id={}&request_uri={request_uri}", self.client_id)
    }

    /// The fields that redeem a code.
    pub fn redemption(code: &str) -> [(&str, &str); 4] {
        [
            ("grant_type", "authorization_code"),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", crate::person::VERIFIER),
            ("code", code),
        ]
    }

    fn jti(&self) -> String {
        format!("{}-{}", self.client_id, self.jti.fetch_add(1, Ordering::Relaxed))
    }

    fn signed(&self, header: &Value, claims: &Value) -> String {
        signed(&self.key, header, claims)
    }
}

/// A JWT signed with this key.
pub fn signed(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let input = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let signature = key.sign(&mut ChaCha20Rng::seed_from_u64(now()), input.as_bytes());
    format!("{input}.{}", encode(signature.expect("a key can sign")))
}

fn key(client_id: &str) -> SigningKey {
    let seed = Digest::of(client_id.as_bytes());
    let mut rng = ChaCha20Rng::from_seed(*seed.as_bytes());
    SigningKey::generate(Algorithm::Es256, &mut rng).expect("a key can be made")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after 1970").as_secs()
}
