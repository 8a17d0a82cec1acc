//! One table of Bearer credentials and the verdicts that RFC 6750, RFC 9068 and RFC 9728 give them. Every door of the
//! verifier is led through it.

use std::time::{SystemTime, UNIX_EPOCH};

use attesto::jose::base64url::encode;
use attesto::jose::{Algorithm, JwkSet, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use serde_json::{Map, Value, json};
use sha2::Sha256;

/// The scope that the resource of the table requires.
pub const REQUIRED_SCOPE: &str = "orders:read";

/// An issuer with its keys, and a resource server that trusts it.
#[derive(Debug)]
pub struct World {
    /// The issuer's identifier.
    pub issuer: String,
    /// The resource server's identifier.
    pub audience: String,
    /// Where the resource server describes itself (RFC 9728).
    pub resource_metadata: String,
    /// Seconds since the epoch at which the table is judged.
    pub now: u64,
    /// The issuer's key `ec-1`.
    pub ec: SigningKey,
    /// The issuer's key `rsa-1`.
    pub rsa: SigningKey,
    /// A key that the issuer does not have.
    pub stranger: SigningKey,
}

/// One request and its verdict.
#[derive(Debug)]
pub struct Case {
    /// What is particular about the request.
    pub name: &'static str,
    /// The value of each `Authorization` header.
    pub authorization: Vec<Vec<u8>>,
    /// What must come of it.
    pub verdict: Verdict,
}

/// What must come of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It reaches the resource.
    Pass,
    /// It is answered with this status and this `WWW-Authenticate`.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The whole header value.
        www_authenticate: String,
    },
}

impl World {
    /// A world judged by this machine's clock.
    pub fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after 1970").as_secs();
        let key = |algorithm, seed| {
            SigningKey::generate(algorithm, &mut ChaCha20Rng::seed_from_u64(seed)).expect("a key can be made")
        };
        Self {
            issuer: "https://as.example".to_owned(),
            audience: "https://api.example/orders".to_owned(),
            resource_metadata: "https://api.example/.well-known/oauth-protected-resource/orders".to_owned(),
            now,
            ec: key(Algorithm::Es256, now),
            rsa: key(Algorithm::Rs256, now),
            stranger: key(Algorithm::Es256, now + 1),
        }
    }

    /// The issuer's keys.
    pub fn keys(&self) -> JwkSet {
        JwkSet::new([self.ec.public_jwk(Some("ec-1")), self.rsa.public_jwk(Some("rsa-1"))])
    }

    /// The issuer's keys as it publishes them.
    pub fn jwks(&self) -> String {
        serde_json::to_string(&self.keys()).expect("keys can be written")
    }

    /// The claims of a token that opens the resource (RFC 9068 §2.2), with changes: a `null` removes a claim.
    pub fn claims(&self, changes: Value) -> Value {
        let claims = json!({
            "iss": self.issuer,
            "aud": self.audience,
            "sub": "248289761001",
            "client_id": "s6BhdRkqt3",
            "scope": "profile orders:read",
            "iat": self.now - 10,
            "exp": self.now + 300,
            "jti": "dbe39bf3a3ba4238a513f51d6e1691c4",
        });
        changed(claims, changes)
    }

    /// A token signed with `key`: the header an access token has under that algorithm, and `claims`.
    pub fn token(&self, key: &SigningKey, header: Value, claims: &Value) -> String {
        let usual = json!({ "typ": "at+jwt", "alg": key.algorithm().name(), "kid": "ec-1" });
        let input = format!("{}.{}", encode(changed(usual, header).to_string()), encode(claims.to_string()));
        let signature = key.sign(&mut ChaCha20Rng::seed_from_u64(self.now), input.as_bytes());
        format!("{input}.{}", encode(signature.expect("a key can sign")))
    }

    /// A token that opens the resource.
    pub fn good_token(&self) -> String {
        self.token(&self.ec, json!({}), &self.claims(json!({})))
    }

    /// No credentials: "SHOULD NOT include an error code or other error information" (RFC 6750 §3.1).
    pub fn unauthenticated(&self) -> Verdict {
        self.refusal(401, None)
    }

    /// `invalid_request`, 400.
    pub fn invalid_request(&self) -> Verdict {
        let description = "The request carries a malformed credential or more than one";
        self.refusal(400, Some(format!(r#"error="invalid_request", error_description="{description}""#)))
    }

    /// `invalid_token`, 401.
    pub fn invalid_token(&self) -> Verdict {
        let description = "The access token is not valid for this resource";
        self.refusal(401, Some(format!(r#"error="invalid_token", error_description="{description}""#)))
    }

    /// `insufficient_scope`, 403, with the scope it takes.
    pub fn insufficient_scope(&self, scope: &str) -> Verdict {
        let description = "The access token lacks a scope that this resource requires";
        let error =
            format!(r#"error="insufficient_scope", error_description="{description}", scope="{scope}""#);
        self.refusal(403, Some(error))
    }

    fn refusal(&self, status: u16, error: Option<String>) -> Verdict {
        let metadata = format!(r#"resource_metadata="{}""#, self.resource_metadata);
        let parameters = error.into_iter().chain([metadata]).collect::<Vec<_>>().join(", ");
        Verdict::Refuse { status, www_authenticate: format!("Bearer {parameters}") }
    }

    /// The table.
    pub fn cases(&self) -> Vec<Case> {
        let groups =
            [self.passing(), self.credentials(), self.headers(), self.signatures(), self.claim_sets()];
        groups.into_iter().flatten().collect()
    }

    fn passing(&self) -> Vec<Case> {
        let token = |header, changes| self.token(&self.ec, header, &self.claims(changes));
        let good = self.good_token();
        let rs256 = self.token(&self.rsa, json!({ "kid": "rsa-1" }), &self.claims(json!({})));
        let cases = [
            ("a good ES256 token", bearer(&good)),
            ("a good RS256 token", bearer(&rs256)),
            ("the scheme in lower case", format!("bearer {good}")),
            ("more than one space after the scheme", format!("Bearer   {good}")),
            ("typ with its prefix", bearer(&token(json!({ "typ": "application/at+jwt" }), json!({})))),
            ("no kid and one key that fits", bearer(&token(json!({ "kid": null }), json!({})))),
            (
                "two audiences",
                bearer(&token(json!({}), json!({ "aud": ["https://b.example", self.audience] }))),
            ),
            ("a not-before that has come", bearer(&token(json!({}), json!({ "nbf": self.now })))),
            ("unknown claims and header members", bearer(&token(json!({ "x": 1 }), json!({ "x": [{}] })))),
        ];
        cases.into_iter().map(|(name, value)| Case::new(name, [value], Verdict::Pass)).collect()
    }

    /// What is wrong before there is a token.
    fn credentials(&self) -> Vec<Case> {
        let good = bearer(&self.good_token());
        let mut cases = vec![
            Case::new("no credentials", [""; 0], self.unauthenticated()),
            Case::new("another scheme", ["Basic czZCaGRSa3F0Mzo3RmpmcDBa"], self.unauthenticated()),
            Case::new("a bound token's scheme", [good.replace("Bearer", "DPoP")], self.unauthenticated()),
            Case::new("the good header twice", [good.clone(), good.clone()], self.invalid_request()),
            Case::new(
                "a bad and a good header",
                ["Bearer x".to_owned(), good.clone()],
                self.invalid_request(),
            ),
            Case::new(
                "Basic and a good header",
                ["Basic YTpi".to_owned(), good.clone()],
                self.invalid_request(),
            ),
            Case::new("two credentials in one header", [format!("{good}, {good}")], self.invalid_request()),
        ];
        let malformed: [(_, &[u8]); 7] = [
            ("an empty header", b""),
            ("no token", b"Bearer"),
            ("a token outside b64token", b"Bearer a b"),
            ("a quoted token", b"Bearer \"abc\""),
            ("a token with an octet that is not UTF-8", b"Bearer abc\xff"),
            ("a scheme with octets that are not UTF-8", b"\xfe\xff abc"),
            ("a token in Latin-1", b"Bearer caf\xe9"),
        ];
        cases.extend(malformed.map(|(name, value)| Case::new(name, [value], self.invalid_request())));
        cases
    }

    /// What is wrong with the token's form or header.
    fn headers(&self) -> Vec<Case> {
        let claims = self.claims(json!({}));
        let token = |header| self.token(&self.ec, header, &claims);
        let twice = |member: &str| {
            let header = format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"ec-1",{member}}}"#);
            self.sign_text(&header, &claims.to_string())
        };
        let cases = [
            ("an opaque token", "2YotnFZFEjr1zCsicMWpAA".to_owned()),
            ("two segments", "a.b".to_owned()),
            ("five segments", "a.b.c.d.e".to_owned()),
            ("empty segments", "..".to_owned()),
            ("a token of 20 KiB", "a".repeat(20 * 1024)),
            ("alg none without a signature", self.unsigned(json!({ "alg": "none" }), "")),
            ("alg none with a signature", self.unsigned(json!({ "alg": "none" }), "AAAA")),
            ("alg NONE in capitals", self.unsigned(json!({ "alg": "nOnE" }), "")),
            ("HS256 with the public key as secret", self.hs256()),
            ("alg RS256 on the EC key", token(json!({ "alg": "RS256" }))),
            ("an algorithm nobody knows", token(json!({ "alg": "ES256K" }))),
            ("no alg", token(json!({ "alg": null }))),
            ("an unknown kid", token(json!({ "kid": "ec-2" }))),
            ("a kid in other case", token(json!({ "kid": "EC-1" }))),
            ("a kid that is no string", token(json!({ "kid": 1 }))),
            ("the typ of an ID token", token(json!({ "typ": "JWT" }))),
            ("no typ", token(json!({ "typ": null }))),
            ("the typ of a DPoP proof", token(json!({ "typ": "dpop+jwt" }))),
            ("a critical extension", token(json!({ "crit": ["exp"], "exp": 1 }))),
            ("an unencoded payload announced", token(json!({ "b64": false }))),
            ("a header member twice", twice(r#""alg":"none""#)),
        ];
        self.invalid_tokens(cases)
    }

    /// What is wrong with the signature.
    fn signatures(&self) -> Vec<Case> {
        let claims = self.claims(json!({}));
        let good = self.good_token();
        let (input, signature) = good.rsplit_once('.').expect("three segments");
        let (header, _) = input.split_once('.').expect("three segments");
        let payload = encode(self.claims(json!({ "scope": "admin orders:read" })).to_string());
        let own_key = self.stranger.public_jwk(Some("ec-1")).to_value();
        let cases = [
            ("a tampered payload", format!("{header}.{payload}.{signature}")),
            ("a tampered signature", format!("{input}.{}", flipped(signature))),
            ("a truncated signature", format!("{input}.{}", encode([1; 63]))),
            ("a signature of zeros", format!("{input}.{}", encode([0; 64]))),
            ("no signature", format!("{input}.")),
            ("a padded signature", format!("{input}.{signature}==")),
            ("a stranger's signature", self.token(&self.stranger, json!({}), &claims)),
            (
                "a stranger's key in the header",
                self.token(&self.stranger, json!({ "jwk": own_key }), &claims),
            ),
            (
                "a signature by another key of the issuer",
                self.token(&self.rsa, json!({ "alg": "ES256" }), &claims),
            ),
        ];
        self.invalid_tokens(cases)
    }

    /// What is wrong with the claims.
    fn claim_sets(&self) -> Vec<Case> {
        let token = |changes| self.token(&self.ec, json!({}), &self.claims(changes));
        let text = |claims: &str| self.sign_text(r#"{"alg":"ES256","typ":"at+jwt","kid":"ec-1"}"#, claims);
        let expired = self.claims(json!({ "exp": self.now - 3_600 })).to_string();
        let twice = expired.replacen('{', &format!(r#"{{"exp":{},"#, self.now + 300), 1);
        let cases = [
            ("expired", token(json!({ "exp": self.now - 3_600 }))),
            ("expiring at this very second", token(json!({ "exp": self.now }))),
            ("no expiry", token(json!({ "exp": null }))),
            ("an expiry that is no number", token(json!({ "exp": (self.now + 300).to_string() }))),
            ("an expiry before time began", token(json!({ "exp": -1 }))),
            ("an expiry no clock will show", token(json!({ "exp": 1e300 }))),
            ("not valid yet", token(json!({ "nbf": self.now + 3_600 }))),
            ("another issuer", token(json!({ "iss": "https://evil.example" }))),
            ("the issuer with a slash more", token(json!({ "iss": format!("{}/", self.issuer) }))),
            ("no issuer", token(json!({ "iss": null }))),
            ("another audience", token(json!({ "aud": "https://other.example" }))),
            ("no audience", token(json!({ "aud": null }))),
            ("an empty list of audiences", token(json!({ "aud": [] }))),
            ("an audience that is no string", token(json!({ "aud": [self.audience, 1] }))),
            (
                "bound to a key by DPoP",
                token(json!({ "cnf": { "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } })),
            ),
            (
                "bound to a certificate",
                token(json!({ "cnf": { "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" } })),
            ),
            ("bound in a way nobody knows", token(json!({ "cnf": {} }))),
            ("no subject", token(json!({ "sub": null }))),
            ("no client", token(json!({ "client_id": null }))),
            ("no time of issue", token(json!({ "iat": null }))),
            ("no token id", token(json!({ "jti": null }))),
            ("a scope that is a list", token(json!({ "scope": ["orders:read"] }))),
            ("a malformed scope", token(json!({ "scope": "orders:read  profile" }))),
            ("claims that are no object", text("[]")),
            ("claims that are no JSON", text("{")),
            ("a claim twice", text(&twice)),
        ];
        let mut cases = self.invalid_tokens(cases);
        for (name, scope) in [
            ("none of the scope", json!("profile")),
            ("no scope at all", json!(null)),
            ("the scope in other case", json!("Orders:Read")),
            ("the beginning of the scope", json!("orders")),
        ] {
            let value = bearer(&token(json!({ "scope": scope })));
            cases.push(Case::new(name, [value], self.insufficient_scope(REQUIRED_SCOPE)));
        }
        cases
    }

    fn invalid_tokens<const N: usize>(&self, cases: [(&'static str, String); N]) -> Vec<Case> {
        let case = |(name, token): (_, String)| Case::new(name, [bearer(&token)], self.invalid_token());
        cases.into_iter().map(case).collect()
    }

    /// Signs header and claims exactly as they are written.
    fn sign_text(&self, header: &str, claims: &str) -> String {
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature = self.ec.sign(&mut ChaCha20Rng::seed_from_u64(self.now), input.as_bytes());
        format!("{input}.{}", encode(signature.expect("a key can sign")))
    }

    fn unsigned(&self, header: Value, signature: &str) -> String {
        let header = changed(json!({ "typ": "at+jwt", "kid": "ec-1" }), header).to_string();
        format!("{}.{}.{signature}", encode(header), encode(self.claims(json!({})).to_string()))
    }

    /// The confusion of CVE-2015-9235: the public key, which everybody has, as the secret of an HMAC.
    fn hs256(&self) -> String {
        let input = self.unsigned(json!({ "alg": "HS256", "kid": "rsa-1" }), "");
        let input = input.trim_end_matches('.');
        let public = self.rsa.public_jwk(Some("rsa-1")).to_value().to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(public.as_bytes()).expect("any length is a key");
        mac.update(input.as_bytes());
        format!("{input}.{}", encode(mac.finalize().into_bytes()))
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl Case {
    fn new<V: AsRef<[u8]>>(
        name: &'static str,
        authorization: impl IntoIterator<Item = V>,
        verdict: Verdict,
    ) -> Self {
        let authorization = authorization.into_iter().map(|value| value.as_ref().to_vec()).collect();
        Self { name, authorization, verdict }
    }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// `object` with the members of `changes` set, or removed where they are `null`.
fn changed(object: Value, changes: Value) -> Value {
    let (Value::Object(mut members), Value::Object(changes)) = (object, changes) else {
        panic!("both must be objects");
    };
    members.extend(changes);
    Value::Object(members.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
}

/// The text with its first character exchanged.
fn flipped(text: &str) -> String {
    let first = if text.starts_with('A') { 'B' } else { 'A' };
    text.chars().skip(1).fold(first.to_string(), |text, character| text + &character.to_string())
}
