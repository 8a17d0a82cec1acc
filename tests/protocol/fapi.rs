//! The token endpoint under FAPI 2.0: assertions, proofs, what is bound to what, and what is good once.

use std::cell::Cell;
use std::sync::OnceLock;

use attesto::client::{Client, ClientAuthMethod};
use attesto::event::EventName;
use attesto::http::{Request, Response};
use attesto::jose::{SigningKey, base64url};
use attesto::params::encode;
use attesto::server::Server;
use http::{HeaderName, StatusCode, header};
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use serde_json::{Value, json};

use crate::host::*;
use crate::proof::{jkt, key, proof};
use crate::token::{BASIC, error};

const TOKEN: &str = "https://auth.example/oauth/token";
const DPOP: HeaderName = HeaderName::from_static("dpop");
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ORDERS: &str = "https://orders.example/v1";

fn fapi() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        server_with(|text| {
            format!("{text}\nprofile = \"fapi2-security\"\nresource_indicators = [\"{ORDERS}\"]")
        })
    })
}

/// A client with a key, at a server.
pub(crate) struct Bank<'a> {
    pub(crate) host: TestHost,
    pub(crate) server: &'a Server,
    pub(crate) key: SigningKey,
    /// Of assertions and proofs.
    pub(crate) jti: Cell<u32>,
}

impl<'a> Bank<'a> {
    pub(crate) fn at(server: &'a Server) -> Self {
        let bank = Self { host: TestHost::new(), server, key: key(7), jti: Cell::new(0) };
        let client = Client {
            client_id: "bank".to_owned(),
            token_endpoint_auth_method: ClientAuthMethod::PrivateKeyJwt,
            redirect_uris: vec![REDIRECT_URI.to_owned()],
            grant_types: ["authorization_code", "refresh_token", "client_credentials"]
                .map(str::to_owned)
                .into(),
            jwks: Some(json!({ "keys": [bank.key.public_jwk(Some("k1")).to_value()] }).to_string()),
            dpop_bound_access_tokens: true,
            ..Client::default()
        };
        bank.host.clients.borrow_mut().insert("bank".to_owned(), (client, None));
        bank
    }

    pub(crate) fn change(&self, client_id: &str, change: impl FnOnce(&mut Client)) {
        change(&mut self.host.clients.borrow_mut().get_mut(client_id).unwrap().0);
    }

    pub(crate) fn next(&self) -> String {
        self.jti.set(self.jti.get() + 1);
        format!("id-{}", self.jti.get())
    }

    pub(crate) fn assertion(&self) -> String {
        self.assertion_with(&self.key, "k1")
    }

    /// An assertion signed with the key that the client registered by this name.
    pub(crate) fn assertion_with(&self, key: &SigningKey, kid: &str) -> String {
        let claims = json!({
            "iss": "bank", "sub": "bank", "aud": "https://auth.example", "jti": self.next(),
            "iat": NOW, "exp": NOW + 60,
        });
        signed(key, &json!({ "alg": key.algorithm(), "kid": kid }), &claims)
    }

    pub(crate) fn proof_of(&self, key: &SigningKey, htu: &str, nonce: Option<&str>) -> String {
        proof(key, "POST", htu, NOW, &self.next(), nonce, None)
    }

    pub(crate) fn proof(&self) -> String {
        self.proof_of(&self.key, TOKEN, None)
    }

    /// A request of the client with an assertion of its own.
    pub(crate) fn request(&self, path: &str, params: &[(&str, &str)]) -> Request {
        asserted(path, params, &self.assertion())
    }

    pub(crate) fn send(&self, request: Request) -> Response {
        self.host.send_to(self.server, request, NOW)
    }

    /// A code, by way of a pushed request; its key is that of `proof`, where there is one.
    pub(crate) fn code(&self, params: &[(&str, &str)], proof: Option<&str>) -> String {
        let mut all = vec![
            ("response_type", "code"),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "openid offline_access read"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        all.extend_from_slice(params);
        let mut request = self.request("/oauth/par", &all);
        if let Some(proof) = proof {
            request = with_header(request, DPOP, proof);
        }
        let pushed = self.send(request);
        assert_eq!(pushed.status, StatusCode::CREATED, "{pushed:?}");
        let request_uri = json(&pushed)["request_uri"].as_str().unwrap().to_owned();
        let parameters = encode([("client_id", "bank"), ("request_uri", request_uri.as_str())]);
        query(&self.send(get("/oauth/authorize", Some(&parameters))))["code"].clone()
    }

    pub(crate) fn redemption(&self, code: &str, more: &[(&str, &str)]) -> Request {
        let mut params = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ];
        params.extend_from_slice(more);
        self.request("/oauth/token", &params)
    }

    pub(crate) fn redeem(&self, code: &str) -> Response {
        self.send(with_header(self.redemption(code, &[]), DPOP, &self.proof()))
    }

    pub(crate) fn refresh(&self, token: &str, more: &[(&str, &str)]) -> Request {
        let mut params = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
        params.extend_from_slice(more);
        self.request("/oauth/token", &params)
    }

    pub(crate) fn own_token(&self, more: &[(&str, &str)]) -> Request {
        let mut params = vec![("grant_type", "client_credentials"), ("scope", "read")];
        params.extend_from_slice(more);
        self.request("/oauth/token", &params)
    }
}

/// A JWT signed with this key.
pub(crate) fn signed(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let input =
        format!("{}.{}", base64url::encode(header.to_string()), base64url::encode(claims.to_string()));
    let signature = key.sign(&mut ChaCha20Rng::seed_from_u64(0), input.as_bytes()).unwrap();
    format!("{input}.{}", base64url::encode(signature))
}

pub(crate) fn asserted(path: &str, params: &[(&str, &str)], assertion: &str) -> Request {
    let credentials = [("client_assertion_type", JWT_BEARER), ("client_assertion", assertion)];
    post(path, &encode(params.iter().copied().chain(credentials)))
}

fn description(response: &Response) -> String {
    json(response)["error_description"].as_str().unwrap().to_owned()
}

pub(crate) fn refused(response: &Response, status: u16, code: &str) {
    assert_eq!((response.status.as_u16(), error(response).as_str()), (status, code), "{response:?}");
}

/// FAPI 2.0 Security Profile, happy flow.
#[test]
fn a_token_is_bound_to_the_key_of_its_proof() {
    let bank = Bank::at(fapi());
    let code = bank.code(&[("nonce", "n")], None);
    let response = bank.redeem(&code);
    assert_eq!(response.status, StatusCode::OK, "{response:?}");
    let tokens = json(&response);
    assert_eq!(tokens["token_type"], "DPoP");
    assert_eq!(payload(&tokens["access_token"])["cnf"], json!({ "jkt": jkt(&bank.key) }));
    assert_eq!(payload(&tokens["id_token"])["nonce"], "n");
    let header = tokens["id_token"].as_str().unwrap().split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&base64url::decode(header).unwrap()).unwrap();
    assert_eq!(header["alg"], "ES256", "FAPI 2.0 Security Profile §5.4.1");
    let events = bank.host.events.borrow();
    let issued = events.iter().find(|event| event.name == EventName::TokenIssued).unwrap();
    assert_eq!(issued.metadata["sender_constraint"], "dpop");
    assert_eq!(issued.metadata["token_type"], "DPoP");
    assert_eq!(issued.metadata["cnf"], json!({ "jkt": jkt(&bank.key) }));
}

/// FAPI 2.0 Security Profile §5.3.2.1.
#[test]
fn refresh_tokens_are_not_rotated_and_serve_another_key_of_the_same_client() {
    let bank = Bank::at(fapi());
    let tokens = json(&bank.redeem(&bank.code(&[], None)));
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    for seed in [8, 9] {
        let other = key(seed);
        let proof = bank.proof_of(&other, TOKEN, None);
        let response = bank.send(with_header(bank.refresh(refresh_token, &[]), DPOP, &proof));
        assert_eq!(response.status, StatusCode::OK, "{response:?}");
        let refreshed = json(&response);
        assert!(refreshed.get("refresh_token").is_none());
        assert_eq!(payload(&refreshed["access_token"])["cnf"]["jkt"], jkt(&other));
    }
    refused(&bank.send(bank.refresh(refresh_token, &[])), 400, "invalid_request");
}

/// RFC 9449 §10; DESIGN: before client authentication, and without spending the code.
#[test]
fn a_code_that_is_bound_to_a_key_asks_for_a_proof_before_anything_else() {
    let bank = Bank::at(fapi());
    let code = bank.code(&[("dpop_jkt", &jkt(&bank.key))], None);
    for request in [
        bank.redemption(&code, &[]),
        post("/oauth/token", &encode([("grant_type", "authorization_code"), ("code", code.as_str())])),
        post(
            "/oauth/token",
            &encode([("grant_type", "authorization_code"), ("code", &code), ("client_id", "x")]),
        ),
    ] {
        let response = bank.send(request);
        refused(&response, 400, "invalid_request");
        assert_eq!(description(&response), "DPoP proof required");
    }
    assert_eq!(bank.redeem(&code).status, StatusCode::OK);
}

/// RFC 9449 §10, §10.1.
#[test]
fn a_code_bound_to_one_key_is_not_redeemed_with_another_and_is_spent() {
    let bank = Bank::at(fapi());
    let by_parameter = bank.code(&[("dpop_jkt", &jkt(&bank.key))], None);
    let by_proof = bank.code(&[], Some(&bank.proof_of(&bank.key, "https://auth.example/oauth/par", None)));
    for code in [by_parameter, by_proof] {
        let other = bank.proof_of(&key(8), TOKEN, None);
        refused(&bank.send(with_header(bank.redemption(&code, &[]), DPOP, &other)), 400, "invalid_grant");
        refused(&bank.redeem(&code), 400, "invalid_grant");
    }
}

/// FAPI 2.0: code bound to client.
#[test]
fn another_client_does_not_redeem_the_code_nor_spend_it() {
    let bank = Bank::at(fapi());
    let code = bank.code(&[], None);
    let mut thief = Bank::at(fapi());
    thief.host = bank.host;
    thief.key = key(11);
    thief.jti.set(100);
    let jwks = json!({ "keys": [thief.key.public_jwk(Some("k1")).to_value()] }).to_string();
    let mut registered = thief.host.clients.borrow()["bank"].clone();
    registered.0.client_id = "thief".to_owned();
    registered.0.jwks = Some(jwks);
    thief.host.clients.borrow_mut().insert("thief".to_owned(), registered);
    let claims = json!({
        "iss": "thief", "sub": "thief", "aud": "https://auth.example", "jti": "t-1", "exp": NOW + 60,
    });
    let assertion = signed(&thief.key, &json!({ "alg": "ES256", "kid": "k1" }), &claims);
    let params = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    let request = with_header(asserted("/oauth/token", &params, &assertion), DPOP, &thief.proof());
    refused(&thief.send(request), 400, "invalid_grant");
    let own = Bank { host: thief.host, server: fapi(), key: key(7), jti: Cell::new(200) };
    assert_eq!(own.redeem(&code).status, StatusCode::OK);
}

/// RFC 9449 §5.2 and the reference's SenderConstraint.
#[test]
fn a_client_whose_tokens_are_bound_gets_none_without_a_proof() {
    let bank = Bank::at(fapi());
    for change in [true, false] {
        // Where the client's registration is silent, the profile asks for a constraint all the same.
        bank.change("bank", |client| client.dpop_bound_access_tokens = change);
        let response = bank.send(bank.own_token(&[]));
        refused(&response, 400, "invalid_request");
    }
    let code = bank.code(&[], None);
    refused(&bank.send(bank.redemption(&code, &[])), 400, "invalid_request");
    assert_eq!(bank.redeem(&code).status, StatusCode::OK, "it was not spent");
    let events = bank.host.events.borrow();
    let denied = events.iter().find(|event| event.name == EventName::TokenDenied).unwrap();
    assert_eq!(denied.metadata["reason"], "invalid_request");
    assert_eq!(denied.client_id.as_deref(), Some("bank"));
}

/// RFC 9449 §4.3 (1).
#[test]
fn two_proofs_are_refused() {
    let bank = Bank::at(fapi());
    let request = with_header(bank.own_token(&[]), DPOP, &bank.proof());
    refused(&bank.send(with_header(request, DPOP, &bank.proof())), 400, "invalid_dpop_proof");
}

/// RFC 9449 §4.3: the proof is for this endpoint and method.
#[test]
fn a_proof_for_another_request_is_refused() {
    let bank = Bank::at(fapi());
    for (method, url) in [
        ("GET", TOKEN),
        ("POST", "https://auth.example/oauth/par"),
        ("POST", "https://evil.example/oauth/token"),
        ("POST", "http://auth.example/oauth/token"),
    ] {
        let wrong = proof(&bank.key, method, url, NOW, &bank.next(), None, None);
        let request = with_header(bank.own_token(&[]), DPOP, &wrong);
        refused(&bank.send(request), 400, "invalid_dpop_proof");
    }
}

/// RFC 9449 §11.1.
#[test]
fn a_proof_is_good_once() {
    let bank = Bank::at(fapi());
    let proof = bank.proof();
    assert_eq!(bank.send(with_header(bank.own_token(&[]), DPOP, &proof)).status, StatusCode::OK);
    refused(&bank.send(with_header(bank.own_token(&[]), DPOP, &proof)), 400, "invalid_dpop_proof");
}

/// RFC 7523 §3 (7).
#[test]
fn an_assertion_is_good_once_at_whatever_endpoint() {
    let bank = Bank::at(fapi());
    for (first, second) in [("/oauth/token", "/oauth/introspect"), ("/oauth/introspect", "/oauth/revoke")] {
        let assertion = bank.assertion();
        let params = [("grant_type", "client_credentials"), ("scope", "read"), ("token", "x")];
        let request = |path| with_header(asserted(path, &params, &assertion), DPOP, &bank.proof());
        assert_eq!(bank.send(request(first)).status, StatusCode::OK);
        refused(&bank.send(request(second)), 400, "invalid_client");
        refused(&bank.send(request(first)), 400, "invalid_client");
    }
}

#[test]
fn a_refused_request_uses_up_neither_assertion_nor_proof() {
    let bank = Bank::at(fapi());
    let (assertion, proof) = (bank.assertion(), bank.proof());
    let request = |params: &[(&str, &str)]| {
        bank.send(with_header(asserted("/oauth/token", params, &assertion), DPOP, &proof))
    };
    refused(&request(&[("grant_type", "password")]), 400, "unsupported_grant_type");
    refused(&request(&[("grant_type", "client_credentials"), ("scope", "openid")]), 400, "invalid_scope");
    let unserved = [("grant_type", "client_credentials"), ("resource", "https://x.example")];
    refused(&request(&unserved), 400, "invalid_target");
    let unknown = [("grant_type", "authorization_code"), ("code", "x"), ("redirect_uri", REDIRECT_URI)];
    refused(&request(&unknown), 400, "invalid_grant");
    bank.host.fault.set("sign");
    let own = [("grant_type", "client_credentials"), ("scope", "read")];
    refused(&request(&own), 500, "server_error");
    bank.host.fault.set("");
    assert!(bank.host.claimed.borrow().is_empty());
    assert_eq!(request(&own).status, StatusCode::OK);
    assert_eq!(bank.host.claimed.borrow().len(), 2);
}

/// RFC 9449 §8.
#[test]
fn a_nonce_is_asked_for_before_the_assertion_is_used_up() {
    for nonces in ["stateless", "single_use"] {
        let server = server_with(|text| {
            let nonces = format!("dpop_nonce_required = true\ndpop_nonces = \"{nonces}\"");
            format!("{text}\nprofile = \"fapi2-security\"\n{nonces}")
        });
        let bank = Bank::at(&server);
        let assertion = bank.assertion();
        let own = [("grant_type", "client_credentials"), ("scope", "read")];
        let request = |proof: &str| with_header(asserted("/oauth/token", &own, &assertion), DPOP, proof);
        let response = bank.send(request(&bank.proof()));
        refused(&response, 400, "use_dpop_nonce");
        let nonce = response.headers[HeaderName::from_static("dpop-nonce")].to_str().unwrap().to_owned();
        let stale = bank.proof_of(&bank.key, TOKEN, Some("stale"));
        refused(&bank.send(request(&stale)), 400, "use_dpop_nonce");
        assert!(bank.host.claimed.borrow().is_empty());
        let proof = bank.proof_of(&bank.key, TOKEN, Some(&nonce));
        let response = bank.send(request(&proof));
        assert_eq!(response.status, StatusCode::OK, "{nonces}");
        let again = bank.proof_of(&bank.key, TOKEN, Some(&nonce));
        let response = bank.send(with_header(bank.own_token(&[]), DPOP, &again));
        match nonces {
            "single_use" => refused(&response, 400, "use_dpop_nonce"),
            _ => assert_eq!(response.status, StatusCode::OK),
        }
    }
}

/// "the refresh token MUST be bound to the respective public key" (RFC 9449 §5).
#[test]
fn a_public_clients_refresh_token_is_bound_to_its_key() {
    let bank = Bank::at(server());
    let send = |params: &[(&str, &str)], proof: Option<&str>| {
        let request = post("/oauth/token", &encode(params.iter().copied()));
        bank.send(match proof {
            Some(proof) => with_header(request, DPOP, proof),
            None => request,
        })
    };
    let code = bank.host.code("openid offline_access");
    let redemption = [
        ("grant_type", "authorization_code"),
        ("client_id", "public"),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
        ("code", code.as_str()),
    ];
    let tokens = json(&send(&redemption, Some(&bank.proof())));
    assert_eq!(tokens["token_type"], "DPoP");
    let first = tokens["refresh_token"].as_str().unwrap().to_owned();
    fn refresh(token: &str) -> [(&str, &str); 3] {
        [("grant_type", "refresh_token"), ("client_id", "public"), ("refresh_token", token)]
    }
    let response = send(&refresh(&first), None);
    refused(&response, 400, "invalid_request");
    assert_eq!(description(&response), "DPoP proof required");
    let other = bank.proof_of(&key(8), TOKEN, None);
    refused(&send(&refresh(&first), Some(&other)), 400, "invalid_grant");
    let second = json(&send(&refresh(&first), Some(&bank.proof())));
    let second = second["refresh_token"].as_str().unwrap().to_owned();
    // A thief who lacks the key does not end the family by showing a token that was rotated.
    let third = json(&send(&refresh(&second), Some(&bank.proof())));
    refused(&send(&refresh(&first), Some(&bank.proof_of(&key(8), TOKEN, None))), 400, "invalid_grant");
    let third = third["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(send(&refresh(&third), Some(&bank.proof())).status, StatusCode::OK);
}

#[test]
fn without_a_proof_a_client_that_need_not_send_one_gets_a_bearer_token() {
    let bank = Bank::at(server());
    bank.change("bank", |client| client.dpop_bound_access_tokens = false);
    let tokens = json(&bank.send(bank.own_token(&[])));
    assert_eq!(tokens["token_type"], "Bearer");
    assert!(payload(&tokens["access_token"]).get("cnf").is_none());
}

/// FAPI 2.0 Security Profile §5.3.2.1: private_key_jwt or mutual TLS, and nothing else.
#[test]
fn clients_with_a_secret_or_without_any_are_no_clients_of_the_profile() {
    let bank = Bank::at(fapi());
    let own = [("grant_type", "client_credentials"), ("scope", "read")];
    let request = post("/oauth/token", &encode(own));
    let basic = with_header(with_header(request, header::AUTHORIZATION, BASIC), DPOP, &bank.proof());
    refused(&bank.send(basic), 401, "invalid_client");
    let with = |more: &[(&'static str, &'static str)]| {
        let all: Vec<_> = own.iter().chain(more).copied().collect();
        with_header(post("/oauth/token", &encode(all)), DPOP, &bank.proof())
    };
    for more in [
        &[("client_id", "machine"), ("client_secret", "m4chine")][..],
        &[("client_id", "public")],
        &[("client_id", "bank")],
        &[],
    ] {
        refused(&bank.send(with(more)), 400, "invalid_client");
    }
}

/// RFC 6749 §2.3, RFC 7521 §4.2.
#[test]
fn an_assertion_stands_alone_and_names_the_client_that_the_request_names() {
    let bank = Bank::at(fapi());
    let own = |more: &[(&str, &str)]| with_header(bank.own_token(more), DPOP, &bank.proof());
    refused(&bank.send(own(&[("client_secret", "x")])), 400, "invalid_request");
    let basic = with_header(own(&[]), header::AUTHORIZATION, BASIC);
    refused(&bank.send(basic), 400, "invalid_request");
    refused(&bank.send(own(&[("client_id", "public")])), 400, "invalid_request");
    assert_eq!(bank.send(own(&[("client_id", "bank")])).status, StatusCode::OK);
    for (assertion_type, assertion) in [
        ("urn:ietf:params:oauth:client-assertion-type:saml2-bearer", bank.assertion()),
        (JWT_BEARER, "x".to_owned()),
        (JWT_BEARER, "a.b.c".to_owned()),
    ] {
        let params = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", assertion_type),
            ("client_assertion", assertion.as_str()),
        ];
        refused(&bank.send(post("/oauth/token", &encode(params))), 400, "invalid_client");
    }
}

#[test]
fn an_assertion_of_a_client_that_registered_another_method_proves_nothing() {
    let bank = Bank::at(server());
    bank.change("bank", |client| client.token_endpoint_auth_method = ClientAuthMethod::ClientSecretBasic);
    refused(&bank.send(bank.own_token(&[])), 400, "invalid_client");
    let events = bank.host.events.borrow();
    assert_eq!(events.last().unwrap().name, EventName::TokenDenied);
}

#[test]
fn why_an_assertion_is_refused_is_told_to_the_operator_alone() {
    let bank = Bank::at(fapi());
    bank.change("bank", |client| client.jwks = Some(r#"{"keys":[]}"#.to_owned()));
    let response = bank.send(with_header(bank.own_token(&[]), DPOP, &bank.proof()));
    refused(&response, 400, "invalid_client");
    assert_eq!(description(&response), "client authentication failed");
    let events = bank.host.events.borrow();
    let told = events.last().unwrap().result.clone().unwrap();
    assert!(told.starts_with("invalid_client: client assertion: "), "{told}");
}

/// RFC 8707 §2, §2.2.
#[test]
fn resources_become_the_audience_and_are_narrowed_and_never_widened() {
    const API: &str = "https://api.example";
    let bank = Bank::at(fapi());
    let audience = |response: &Response| payload(&json(response)["access_token"])["aud"].clone();
    let own = |more: &[(&str, &str)]| bank.send(with_header(bank.own_token(more), DPOP, &bank.proof()));
    assert_eq!(audience(&own(&[])), API);
    assert_eq!(audience(&own(&[("resource", ORDERS)])), ORDERS);
    assert_eq!(audience(&own(&[("resource", ORDERS), ("resource", API)])), json!([ORDERS, API]));
    for unserved in
        ["https://x.example", "orders", "https://orders.example/v1#x", "https://orders.example/v1/"]
    {
        refused(&own(&[("resource", unserved)]), 400, "invalid_target");
    }
    bank.change("bank", |client| client.resources = Some(vec![ORDERS.to_owned()]));
    refused(&own(&[("resource", API)]), 400, "invalid_target");
    bank.change("bank", |client| client.resources = None);
    bank.host.allowed_resources.replace(Some(vec![API.to_owned()]));
    refused(&own(&[("resource", ORDERS)]), 400, "invalid_target");
    bank.host.allowed_resources.replace(None);

    let code = bank.code(&[("resource", ORDERS), ("resource", API)], None);
    let redeem = |code: &str, more: &[(&str, &str)]| {
        bank.send(with_header(bank.redemption(code, more), DPOP, &bank.proof()))
    };
    refused(&redeem(&code, &[("resource", "https://x.example")]), 400, "invalid_target");
    let tokens = redeem(&code, &[("resource", ORDERS)]);
    assert_eq!(audience(&tokens), ORDERS);
    let refresh_token = json(&tokens)["refresh_token"].as_str().unwrap().to_owned();
    let refresh = |more: &[(&str, &str)]| {
        bank.send(with_header(bank.refresh(&refresh_token, more), DPOP, &bank.proof()))
    };
    assert_eq!(audience(&refresh(&[])), json!([ORDERS, API]), "what was granted stays granted");
    assert_eq!(audience(&refresh(&[("resource", API)])), API);
    refused(&refresh(&[("resource", "https://x.example")]), 400, "invalid_target");
}

/// What an operator takes away is gone with the next token.
#[test]
fn a_resource_that_server_client_or_policy_has_no_more_is_gone_from_the_grant() {
    const API: &str = "https://api.example";
    let bank = Bank::at(fapi());
    let tokens = json(&bank.redeem(&bank.code(&[("resource", ORDERS), ("resource", API)], None)));
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let refresh = |server: &Server, more: &[(&str, &str)]| {
        let request = with_header(bank.refresh(refresh_token, more), DPOP, &bank.proof());
        bank.host.send_to(server, request, NOW)
    };
    let audience = |response: &Response| payload(&json(response)["access_token"])["aud"].clone();
    let without_orders = server_with(|text| format!("{text}\nprofile = \"fapi2-security\""));
    assert_eq!(audience(&refresh(&without_orders, &[])), API);
    refused(&refresh(&without_orders, &[("resource", ORDERS)]), 400, "invalid_target");
    bank.change("bank", |client| client.resources = Some(vec![ORDERS.to_owned()]));
    assert_eq!(audience(&refresh(fapi(), &[])), ORDERS);
    bank.host.allowed_resources.replace(Some(vec![API.to_owned()]));
    refused(&refresh(fapi(), &[]), 400, "invalid_target");
    refused(&refresh(fapi(), &[("resource", API)]), 400, "invalid_target");
    bank.change("bank", |client| client.resources = None);
    assert_eq!(audience(&refresh(fapi(), &[])), API);
}

/// RFC 7009 §2.2: a token is revoked wherever it would have been accepted.
#[test]
fn a_token_for_a_resource_that_is_gone_can_still_be_revoked() {
    let bank = Bank::at(fapi());
    let request = bank.own_token(&[("resource", ORDERS)]);
    let token = json(&bank.send(with_header(request, DPOP, &bank.proof())))["access_token"].clone();
    let without_orders = server_with(|text| format!("{text}\nprofile = \"fapi2-security\""));
    let request = bank.request("/oauth/revoke", &[("token", token.as_str().unwrap())]);
    assert_eq!(bank.host.send_to(&without_orders, request, NOW).status, StatusCode::OK);
    assert!(bank.host.revoked.borrow().contains_key(payload(&token)["jti"].as_str().unwrap()));
}

/// FAPI 2.0 Security Profile §5.3.2.2.
#[test]
fn a_pushed_request_of_the_profile_names_its_redirect_uri() {
    let bank = Bank::at(fapi());
    let params = [
        ("response_type", "code"),
        ("scope", "read"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    refused(&bank.send(bank.request("/oauth/par", &params)), 400, "invalid_request");
}

/// FAPI 2.0 Security Profile §5.4.1.
#[test]
fn nothing_is_signed_with_rs256_under_a_profile_and_the_metadata_says_so() {
    let bank = Bank::at(fapi());
    let metadata = json(&bank.send(get("/.well-known/openid-configuration", None)));
    for member in [
        "id_token_signing_alg_values_supported",
        "authorization_signing_alg_values_supported",
        "introspection_signing_alg_values_supported",
    ] {
        assert_eq!(metadata[member], json!(["ES256"]), "{member}");
    }
    bank.change("bank", |client| client.introspection_signed_response_alg = Some("RS256".to_owned()));
    let request = bank.request("/oauth/introspect", &[("token", "x")]);
    let request = with_header(request, header::ACCEPT, "application/token-introspection+jwt");
    refused(&bank.send(request), 500, "server_error");
}

/// RFC 6749 §5.2 has no code for it: nothing is known to be wrong with the client.
#[test]
fn keys_that_can_not_be_looked_up_are_a_fault_and_not_the_clients() {
    let bank = Bank::at(fapi());
    bank.change("bank", |client| {
        client.jwks = None;
        client.jwks_uri = Some("https://bank.example/jwks.json".to_owned());
    });
    bank.host.fault.set("cached_document");
    let response = bank.send(with_header(bank.own_token(&[]), DPOP, &bank.proof()));
    refused(&response, 500, "server_error");
}

#[test]
fn a_request_that_is_no_question_uses_no_assertion_up() {
    let bank = Bank::at(fapi());
    let assertion = bank.assertion();
    for path in ["/oauth/introspect", "/oauth/revoke"] {
        refused(&bank.send(asserted(path, &[], &assertion)), 400, "invalid_request");
    }
    assert_eq!(
        bank.send(asserted("/oauth/introspect", &[("token", "x")], &assertion)).status,
        StatusCode::OK
    );
}

/// RFC 9449 §11.1: a used proof leads to nothing, and leaves nothing.
#[test]
fn a_used_proof_leaves_no_refresh_token_behind() {
    let bank = Bank::at(fapi());
    let proof = bank.proof();
    assert_eq!(bank.send(with_header(bank.own_token(&[]), DPOP, &proof)).status, StatusCode::OK);
    let code = bank.code(&[], None);
    bank.host.fault.set("put_refresh_token");
    let response = bank.send(with_header(bank.redemption(&code, &[]), DPOP, &proof));
    refused(&response, 400, "invalid_dpop_proof");
    bank.host.fault.set("");
    assert_eq!(bank.redeem(&code).status, StatusCode::OK, "the code is not spent");
}

/// Introspection knows the tokens of every resource this server issues for, and of no others (RFC 7662 §4).
#[test]
fn tokens_for_trusted_resources_are_introspected_and_partly_untrusted_ones_are_inactive() {
    let bank = Bank::at(fapi());
    let request = bank.own_token(&[("resource", ORDERS), ("resource", "https://api.example")]);
    let token = json(&bank.send(with_header(request, DPOP, &bank.proof())))["access_token"].clone();
    let ask = |server: &Server| {
        let request = bank.request("/oauth/introspect", &[("token", token.as_str().unwrap())]);
        json(&bank.host.send_to(server, request, NOW))
    };
    let known = ask(fapi());
    assert_eq!((&known["active"], &known["token_type"]), (&json!(true), &json!("DPoP")));
    assert_eq!(known["cnf"]["jkt"], jkt(&bank.key));
    let without_orders = server_with(|text| format!("{text}\nprofile = \"fapi2-security\""));
    assert_eq!(ask(&without_orders), json!({ "active": false }));
}
