//! Whatever is sent, the answer is the RFC's: never a 500, never a trap.

use attesto::jose::base64url::encode;
use rand::rngs::ChaCha20Rng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use test_support::attesto::{Attesto, CLIENT_ID};
use test_support::browser::Browser;
use test_support::fapi_client::FapiClient;
use test_support::http::{Request, exchange};

use test_support::person::{authorize, token_request};

use crate::code_flow::base64;

#[test]
fn malformed_token_requests_are_invalid_request() {
    let attesto = Attesto::start();
    let browser = Browser::new(attesto.issuer());
    let form = "application/x-www-form-urlencoded";
    let large = format!("code={}", "a".repeat(100_000));
    for (media_type, body, status) in [
        ("text/plain", "grant_type=authorization_code", 400),
        ("multipart/form-data; boundary=x", "--x--", 400),
        (form, "client_id=demo&client_id=demo", 400),
        (form, "client_id=%zz", 400),
        (form, "client_id=%ff", 400),
        (form, "client_id=demo", 400),
        (form, large.as_str(), 413),
    ] {
        let answer = browser.post_body("/oauth/token", media_type, body.as_bytes());
        let shown = body.get(..40).unwrap_or(body);
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (status, Some("invalid_request")),
            "{shown}"
        );
        assert_eq!(answer.header("cache-control"), "no-store", "{shown}");
    }
    let in_query = browser.post("/oauth/token?client_secret=x", &token_request("x"));
    assert_eq!((in_query.status, in_query.json()["error"].as_str()), (400, Some("invalid_request")));
    let repeatable = browser
        .post("/oauth/token", &[&token_request("x")[..], &[("audience", "a"), ("audience", "b")]].concat());
    assert_eq!(repeatable.json()["error"], "invalid_grant");
    assert_eq!(browser.get("/oauth/token").status, 405);
}

#[test]
fn an_untrusted_redirect_uri_gets_a_page_and_no_redirect() {
    let attesto = Attesto::start();
    let browser = Browser::new(attesto.issuer());
    for request in [
        authorize("nobody", "openid"),
        authorize(CLIENT_ID, "openid").replace("callback", "elsewhere"),
        authorize(CLIENT_ID, "openid").replace("http%3A//127.0.0.1", "http%3A//evil.example"),
        "/oauth/authorize".to_owned(),
        "/oauth/authorize?%ff=%".to_owned(),
    ] {
        let page = browser.get(&request);
        assert_eq!((page.status, page.header("location")), (400, ""), "{request}");
    }
}

/// Under which settings everything is read that a client or a proxy sends.
const SETTINGS: [&str; 3] = ["", BEHIND_ENVOY, BEHIND_A_PROXY_OF_RFC_9440];

const BEHIND_ENVOY: &str = r#"
trusted_proxies = ["loopback"]
canonical_url = "forwarded"
mtls_enabled = true
mtls_listener_verifies = true
token_endpoint_auth_methods_supported = ["client_secret_basic", "private_key_jwt", "none", "tls_client_auth"]
"#;

const BEHIND_A_PROXY_OF_RFC_9440: &str = r#"
trusted_proxies = ["loopback"]
mtls_enabled = true
mtls_certificate_header = "client-cert"
mtls_listener_verifies = true
token_endpoint_auth_methods_supported = ["client_secret_basic", "private_key_jwt", "none", "tls_client_auth"]
"#;

/// A server, and a client of it that has a key.
fn bank(settings: &str) -> (Attesto, FapiClient) {
    let settings = |text: String| format!("{text}\nrevoked_tokens_enabled = true\n{settings}");
    let attesto = Attesto::start_with(|manifest| manifest, settings);
    let client = FapiClient::register(&attesto, "bank", &[]);
    (attesto, client)
}

/// The server still answers, and no component has trapped.
fn is_unharmed(attesto: &Attesto) {
    assert_eq!(Request::get("/.well-known/jwks.json").send(attesto.port()).status, 200);
    let output = attesto.output();
    assert!(!output.contains("panicked") && !output.contains("trap"), "{output}");
}

#[test]
fn no_octets_at_any_endpoint_make_a_500_or_stop_the_server() {
    for (seed, settings) in (7..).zip(SETTINGS) {
        let (attesto, _) = bank(settings);
        let mut noise = Noise(ChaCha20Rng::seed_from_u64(seed));
        for _ in 0..1000 {
            let message = noise.message();
            let answer = exchange(attesto.port(), &message).unwrap_or_default();
            let line = String::from_utf8_lossy(answer.get(..12).unwrap_or_default()).into_owned();
            assert!(!line.starts_with("HTTP/1.1 5"), "{line} to {}", String::from_utf8_lossy(&message));
        }
        is_unharmed(&attesto);
    }
}

#[test]
fn nothing_that_a_client_with_a_key_sends_makes_a_500_or_stops_the_server() {
    let (attesto, client) = bank("");
    let mut noise = Noise(ChaCha20Rng::seed_from_u64(10));
    for round in 0..200 {
        let path = noise.pick(&["/oauth/par", "/oauth/token", "/oauth/introspect", "/oauth/revoked"]);
        let (assertion, proof) = match round % 4 {
            0 => (noise.jwt(), client.proof(path, None)),
            1 => (client.assertion(), noise.jwt()),
            _ => (client.assertion(), client.proof(path, None)),
        };
        let name = noise.pick(&["request", "request_uri", "resource"]);
        let value = noise.value(name);
        let fields =
            [("grant_type", "client_credentials"), ("response_type", "code"), (name, value.as_str())];
        let page = client.send(path, &fields, &assertion, &proof);
        assert!(page.status < 500, "{} to {path} with {fields:?}: {}", page.status, page.body);
    }
    is_unharmed(&attesto);
}

const PATHS: [&str; 14] = [
    "/oauth/authorize",
    "/oauth/par",
    "/oauth/token",
    "/oauth/userinfo",
    "/oauth/revoke",
    "/oauth/revoked",
    "/oauth/introspect",
    "/account/sign-in",
    "/account/consent",
    "/account/switch",
    "/account/sign-out",
    "/account",
    "/.well-known/jwks.json",
    "/",
];

const FIELDS: [&str; 6] =
    ["authorization", "cookie", "dpop", "x-forwarded-client-cert", "client-cert", "forwarded"];

const PARAMETERS: [&str; 4] = ["client_assertion", "request", "request_uri", "resource"];

/// Noise, some of it in the shape of what belongs in its place.
struct Noise(ChaCha20Rng);

impl Noise {
    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0.next_u32() as usize % bound
    }

    fn octets(&mut self) -> Vec<u8> {
        let mut octets = vec![0; 1 + self.below(200)];
        self.0.fill_bytes(&mut octets);
        octets
    }

    /// Octets of which some are no text.
    fn printable(&mut self) -> Vec<u8> {
        self.octets().into_iter().filter(|octet| !matches!(octet, 0..0x20 | 0x7f)).collect()
    }

    fn visible(&mut self) -> String {
        let octets = self.octets();
        octets.iter().map(|octet| char::from(0x21 + octet % 0x5e)).filter(|char| *char != '#').collect()
    }

    fn percent(&mut self) -> String {
        self.octets().iter().map(|octet| format!("%{octet:02x}")).collect()
    }

    /// What looks like an assertion, a proof or a request object until its signature is checked, or almost.
    fn jwt(&mut self) -> String {
        let mut header = json!({
            "alg": self.pick(&["ES256", "RS256", "PS256", "EdDSA", "none", "HS256"]),
            "typ": self.pick(&["JWT", "dpop+jwt", "oauth-authz-req+jwt"]),
            "jwk": { "kty": "EC", "crv": "P-256", "x": encode(self.octets()), "y": encode(self.octets()) },
        });
        if self.pick(&[true, false]) {
            header["kid"] = self.pick(&["client-1", "another"]).into();
        }
        let claims = json!({
            "iss": "bank", "sub": "bank", "client_id": "bank", "aud": self.visible(), "jti": self.visible(),
            "htm": "POST", "htu": self.visible(), "iat": self.0.next_u32(), "exp": self.0.next_u64(),
        });
        let claims = if self.pick(&[true, false]) { claims.to_string().into() } else { self.octets() };
        format!("{}.{}.{}", encode(header.to_string()), encode(claims), encode(self.octets()))
    }

    /// A value of a header field or a parameter.
    fn value(&mut self, name: &str) -> String {
        match (self.below(4), name) {
            (0, _) => self.visible(),
            (1, _) => self.percent(),
            (_, "authorization") => {
                let scheme = self.pick(&["Bearer", "DPoP", "Basic"]);
                format!("{scheme} {}", if scheme == "Basic" { base64(&self.octets()) } else { self.jwt() })
            }
            (_, "cookie") => format!("attesto_session={}", self.visible()),
            (_, "x-forwarded-client-cert") => {
                let certificate = base64(&self.octets()).replace('+', "%2B").replace('/', "%2F");
                let key = self.pick(&["Cert", "Chain", "Hash", "URI"]);
                format!(
                    "{key}=\"-----BEGIN%20CERTIFICATE-----%0A{certificate}%0A-----END%20CERTIFICATE-----%0A\""
                )
            }
            (_, "client-cert") => format!(":{}:", base64(&self.octets())),
            (_, "forwarded") => {
                let host = self.pick(&["localhost", "[::1]:0", "\"a\\\"\"", "_x"]);
                let node = self.pick(&["192.0.2.1", "unknown", "\"[::\""]);
                format!("for={node};proto=https;host={host}")
            }
            (_, "request_uri") => format!("urn:ietf:params:oauth:request_uri:{}", self.visible()),
            (_, "resource") => format!("https://{}", self.visible()),
            _ => self.jwt(),
        }
    }

    /// The parameters of a request.
    fn parameters(&mut self) -> String {
        let values = PARAMETERS.map(|name| (name, self.value(name)));
        let mut parameters = vec![
            ("client_id", self.pick(&["demo", "bank", "backend"])),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("grant_type", self.pick(&["authorization_code", "refresh_token", "client_credentials"])),
        ];
        for (name, value) in &values {
            if self.pick(&[true, false]) {
                parameters.push((name, value));
            }
        }
        attesto::params::encode(parameters)
    }

    /// A request to any endpoint.
    fn message(&mut self) -> Vec<u8> {
        let query = match self.below(8) {
            0 => format!("?client_id=demo&{}", self.percent()),
            1 => format!("?{}", self.visible()),
            2..5 => format!("?{}", self.parameters()),
            _ => String::new(),
        };
        let body = if self.below(4) == 0 { self.octets() } else { self.parameters().into() };
        let form = "application/x-www-form-urlencoded";
        let media_type = self.pick(&[form, form, form, form, "application/json", "\u{e9}", ""]);
        let (method, path) = (self.pick(&["GET", "POST"]), self.pick(&PATHS));
        let mut message =
            format!("{method} {path}{query} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n")
                .into_bytes();
        for name in FIELDS {
            let value = match self.below(40) {
                // The host refuses these itself.
                0 => self.printable(),
                1..10 => self.value(name).into_bytes(),
                _ => continue,
            };
            message.extend([name.as_bytes(), b": ", &value, b"\r\n"].concat());
        }
        message.extend(
            format!("content-type: {media_type}\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(),
        );
        message.extend(&body);
        message
    }
}

/// A component is handed text only, so the host refuses other header values itself.
#[test]
fn a_header_that_is_no_text_is_a_bad_request() {
    let attesto = Attesto::start();
    let answer =
        Request::get("/oauth/userinfo").header("authorization", b"Bearer \xff\xfe").send(attesto.port());
    assert_eq!(answer.status, 400);
}

#[test]
fn bad_authorization_headers_are_refused() {
    let attesto = Attesto::start();
    for (headers, status) in [
        (&[&b"Bearer a"[..], b"Bearer b"][..], 400),
        (&[b"Bearer"], 400),
        (&[b"Basic YTpi"], 401),
        (&[b"Bearer a.b.c"], 401),
    ] {
        let request = headers
            .iter()
            .fold(Request::get("/oauth/userinfo"), |request, value| request.header("authorization", value));
        let answer = request.send(attesto.port());
        assert_eq!(answer.status, status, "{headers:?}");
        assert!(
            answer.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer")),
            "{headers:?}"
        );
    }
}
