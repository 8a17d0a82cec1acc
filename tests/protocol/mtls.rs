//! RFC 8705 at the endpoints: whom the certificate of a connection proves, what is bound to it, and what the metadata says
//! of both. Modules of the FAPI 2.0 plans are named where one tries the same.

use std::collections::HashMap;
use std::sync::OnceLock;

use attesto::client::{Client, ClientAuthMethod, TlsClientAuthSubject};
use attesto::event::{Event, EventName};
use attesto::http::{Request, Response};
use attesto::jose::{SigningKey, base64url};
use attesto::params::encode;
use attesto::secret::Digest;
use attesto::server::Server;
use base64ct::{Base64, Encoding};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::fapi::{Bank, asserted, refused};
use crate::host::*;
use crate::proof::{jkt, key, proof};

const DPOP: HeaderName = HeaderName::from_static("dpop");
const ENVOYS: HeaderName = HeaderName::from_static("x-forwarded-client-cert");
const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");
const CLIENT_CERT_CHAIN: HeaderName = HeaderName::from_static("client-cert-chain");
const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");
/// The trusted one. Requests that do not come from it come from `192.0.2.1`.
const PROXY: &str = "198.51.100.1:4711";

const TOKEN: &str = "https://auth.example/oauth/token";
const OWN_TOKEN: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("scope", "read")];
const PUSH: [(&str, &str); 5] = [
    ("response_type", "code"),
    ("redirect_uri", REDIRECT_URI),
    ("scope", "openid offline_access"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];

/// One client of each method, and its certificate.
const CLIENTS: [(&str, &str); 2] = [("of-authority", "client"), ("self-signed", "self-signed")];

// Certificates

/// A file of `tests/certificates`.
fn pem(name: &str) -> String {
    let path = format!("{}/tests/certificates/{name}.pem", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A certificate as it stands in `x5c` (RFC 7517 §4.7).
fn base64(name: &str) -> String {
    pem(name).lines().filter(|line| !line.starts_with("-----")).collect()
}

/// RFC 8705 §3.1.
fn x5t(name: &str) -> String {
    base64url::encode(Digest::of(&Base64::decode_vec(&base64(name)).unwrap()).as_bytes())
}

fn cnf(name: &str) -> Value {
    json!({ "x5t#S256": x5t(name) })
}

fn url_encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// As Envoy writes it.
fn element(pem: &str) -> String {
    format!("By=spiffe://proxy.example;Cert=\"{}\"", url_encoded(pem))
}

/// RFC 9440 §2.1.
fn byte_sequence(name: &str) -> String {
    format!(":{}:", base64(name))
}

// Servers

/// Settings of mutual TLS, with the certificate in Envoy's header.
fn enabled(more: &str) -> Server {
    server_with(|text| format!("{text}\nmtls_enabled = true\ntrusted_proxies = [\"198.51.100.1\"]\n{more}"))
}

/// With both methods of mutual TLS.
fn authenticating(more: &str) -> Server {
    let methods = r#"["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"]"#;
    let anchors = format!("mtls_trust_anchors = '''\n{}'''", pem("ca"));
    enabled(&format!("token_endpoint_auth_methods_supported = {methods}\n{anchors}\n{more}"))
}

fn fapi() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| authenticating("profile = \"fapi2-security\""))
}

/// Where certificates bind and are not asked for.
fn open() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| enabled(""))
}

/// A host with [`CLIENTS`].
fn host() -> TestHost {
    let host = TestHost::new();
    let mut jwk =
        SigningKey::from_pkcs8_pem(&pem("self-signed.key")).unwrap().public_jwk(Some("k1")).to_value();
    jwk["x5c"] = json!([base64("self-signed")]);
    let subject = "CN=client.example,OU=Payments,O=Example Bank,C=DE";
    let client = |id: &str, method| Client {
        client_id: id.to_owned(),
        token_endpoint_auth_method: method,
        redirect_uris: vec![REDIRECT_URI.to_owned()],
        grant_types: ["authorization_code", "refresh_token", "client_credentials"].map(str::to_owned).into(),
        ..Client::default()
    };
    let of_authority = Client {
        tls_client_auth_subject: Some(TlsClientAuthSubject::SubjectDn(subject.to_owned())),
        ..client("of-authority", ClientAuthMethod::TlsClientAuth)
    };
    let self_signed = Client {
        jwks: Some(json!({ "keys": [jwk] }).to_string()),
        ..client("self-signed", ClientAuthMethod::SelfSignedTlsClientAuth)
    };
    for client in [of_authority, self_signed] {
        host.clients.borrow_mut().insert(client.client_id.clone(), (client, None));
    }
    host
}

fn change(host: &TestHost, client_id: &str, change: impl FnOnce(&mut Client)) {
    change(&mut host.clients.borrow_mut().get_mut(client_id).unwrap().0);
}

/// A client with an assertion, whose tokens must be bound to a certificate.
fn bank() -> Bank<'static> {
    let bank = Bank::at(fapi());
    bank.change("bank", |client| {
        client.dpop_bound_access_tokens = false;
        client.tls_client_certificate_bound_access_tokens = true;
    });
    bank
}

// Requests

/// By way of the trusted proxy. The host writes the address last.
fn proxied(request: Request) -> Request {
    with_header(request, CLIENT_ADDR, PROXY)
}

/// Over a connection on which this certificate was shown.
fn showing(request: Request, certificate: &str) -> Request {
    proxied(with_header(request, ENVOYS, &element(&pem(certificate))))
}

fn showing_or_not(request: Request, certificate: Option<&str>) -> Request {
    match certificate {
        Some(certificate) => showing(request, certificate),
        None => proxied(request),
    }
}

/// A request of a client that names itself, as it leaves the client.
fn naming(client_id: &str, path: &str, params: &[(&str, &str)]) -> Request {
    post(path, &encode(params.iter().copied().chain([("client_id", client_id)])))
}

fn redemption(code: &str) -> [(&str, &str); 4] {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ]
}

fn refreshing(token: &str) -> [(&str, &str); 2] {
    [("grant_type", "refresh_token"), ("refresh_token", token)]
}

fn send(host: &TestHost, request: Request) -> Response {
    host.send_to(fapi(), request, NOW)
}

/// A code, by way of a pushed request (FAPI 2.0 Security Profile §5.3.2.2).
fn code(host: &TestHost, client_id: &str, certificate: &str) -> String {
    let pushed = send(host, showing(naming(client_id, "/oauth/par", &PUSH), certificate));
    assert_eq!(pushed.status, StatusCode::CREATED, "{pushed:?}");
    let pushed = json(&pushed);
    let request_uri = pushed["request_uri"].as_str().unwrap();
    let parameters = encode([("client_id", client_id), ("request_uri", request_uri)]);
    query(&send(host, get("/oauth/authorize", Some(&parameters))))["code"].clone()
}

/// The members of a token response.
#[track_caller]
fn granted(response: &Response) -> HashMap<String, String> {
    assert_eq!(response.status, StatusCode::OK, "{response:?}");
    let members = json(response);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    members.as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// The tokens of a grant to this client.
fn tokens(host: &TestHost, client_id: &str, certificate: &str) -> HashMap<String, String> {
    let code = code(host, client_id, certificate);
    granted(&send(host, showing(naming(client_id, "/oauth/token", &redemption(&code)), certificate)))
}

fn cnf_of(tokens: &HashMap<String, String>) -> Value {
    payload(&json!(tokens["access_token"]))["cnf"].clone()
}

fn at_userinfo(token: &str) -> Request {
    with_header(get("/oauth/userinfo", None), header::AUTHORIZATION, &format!("Bearer {token}"))
}

fn last_event(host: &TestHost) -> Event {
    host.events.borrow().last().cloned().unwrap()
}

/// Refused with this error, and the operator is told this.
#[track_caller]
fn denied(host: &TestHost, response: &Response, error: &str, description: &str, result: &str) {
    refused(response, 400, error);
    assert_eq!(json(response)["error_description"], description);
    let event = last_event(host);
    assert_eq!((event.name, event.result.as_deref()), (EventName::TokenDenied, Some(result)));
}

// The flow

/// FAPI 2.0 Security Profile, happy flow with mutual TLS; RFC 8705 §3.
#[test]
fn a_code_is_redeemed_for_a_token_that_is_bound_to_the_certificate() {
    for (client_id, certificate) in CLIENTS {
        let host = host();
        let tokens = tokens(&host, client_id, certificate);
        assert_eq!(tokens["token_type"], "Bearer");
        assert_eq!(cnf_of(&tokens), cnf(certificate), "{client_id}");
        assert!(tokens.contains_key("refresh_token") && tokens.contains_key("id_token"));
        let event = last_event(&host);
        assert_eq!((event.name, event.client_id.as_deref()), (EventName::TokenIssued, Some(client_id)));
        assert_eq!(event.metadata["sender_constraint"], "mtls");
        assert_eq!(event.metadata["token_type"], "Bearer");
        assert_eq!(event.metadata["cnf"], cnf(certificate));
        assert!(host.event_names().contains(&EventName::RefreshIssued));
    }
}

/// RFC 8705 §3, §4.
#[test]
fn a_clients_own_token_is_bound_to_its_certificate() {
    for (client_id, certificate) in CLIENTS {
        let host = host();
        let request = naming(client_id, "/oauth/token", &OWN_TOKEN);
        assert_eq!(cnf_of(&granted(&send(&host, showing(request, certificate)))), cnf(certificate));
    }
}

/// FAPI 2.0 Security Profile §5.3.2.1: no rotation. RFC 8705 §7.1: the client authenticates with its certificate.
#[test]
fn a_refresh_token_is_good_again_and_again_with_the_certificate_and_for_nothing_without() {
    for (client_id, certificate) in CLIENTS {
        let host = host();
        let token = tokens(&host, client_id, certificate)["refresh_token"].clone();
        let request = || naming(client_id, "/oauth/token", &refreshing(&token));
        for _ in 0..2 {
            let refreshed = granted(&send(&host, showing(request(), certificate)));
            assert_eq!(cnf_of(&refreshed), cnf(certificate));
            assert!(!refreshed.contains_key("refresh_token"));
        }
        for other in [None, Some("other-client")] {
            refused(&send(&host, showing_or_not(request(), other)), 400, "invalid_client");
        }
        granted(&send(&host, showing(request(), certificate)));
    }
}

/// RFC 8705 §7.1: "refresh tokens are indirectly certificate-bound by way of the client ID", and so outlive the certificate.
/// §6.3: after a client "updates the certificate" it gets access tokens for the new one.
#[test]
fn a_refresh_token_outlives_the_certificate_that_its_client_replaces() {
    let host = host();
    let token = tokens(&host, "self-signed", "self-signed")["refresh_token"].clone();
    let again = SigningKey::from_pkcs8_pem(&pem("client.key")).unwrap().public_jwk(Some("k2")).to_value();
    change(&host, "self-signed", |client| client.jwks = Some(json!({ "keys": [again] }).to_string()));
    let request = || naming("self-signed", "/oauth/token", &refreshing(&token));
    refused(&send(&host, showing(request(), "self-signed")), 400, "invalid_client");
    assert_eq!(cnf_of(&granted(&send(&host, showing(request(), "client")))), cnf("client"));
}

/// RFC 8705 §3: "If they do not match, the resource access attempt MUST be rejected with an error, per [RFC6750], using an
/// HTTP 401 status code and the `invalid_token` error code." FAPI 2.0: access token of another client's key.
#[test]
fn userinfo_answers_over_the_connection_the_token_is_bound_to_and_over_no_other() {
    for (client_id, certificate) in CLIENTS {
        let host = host();
        let token = tokens(&host, client_id, certificate)["access_token"].clone();
        let response = send(&host, showing(at_userinfo(&token), certificate));
        assert_eq!((response.status, json(&response)["sub"].clone()), (StatusCode::OK, json!(ALICE)));
        assert_eq!(last_event(&host).name, EventName::AuthSucceeded);
        let without = "invalid_token: sender-constrained token without its proof";
        let other = "invalid_token: token bound to another key";
        for (request, result) in [
            (at_userinfo(&token), without),
            (proxied(at_userinfo(&token)), without),
            // Not by way of the proxy: the client's own word.
            (with_header(at_userinfo(&token), ENVOYS, &element(&pem(certificate))), without),
            (showing(at_userinfo(&token), "other-client"), other),
            // The same key in another certificate is another certificate.
            (showing(at_userinfo(&token), "self-signed-again"), other),
        ] {
            let response = send(&host, request);
            refused(&response, 401, "invalid_token");
            let challenge = response.headers["www-authenticate"].to_str().unwrap();
            assert!(challenge.starts_with("Bearer error=\"invalid_token\""), "{challenge}");
            let event = last_event(&host);
            assert_eq!((event.name, event.result.as_deref()), (EventName::AuthDenied, Some(result)));
        }
    }
}

/// RFC 6750 §3.1.
#[test]
fn a_certificate_that_is_none_is_an_invalid_request_at_userinfo() {
    let host = host();
    let token = tokens(&host, "of-authority", "client")["access_token"].clone();
    for request in [
        proxied(with_header(at_userinfo(&token), ENVOYS, "junk")),
        showing(with_header(at_userinfo(&token), ENVOYS, &element(&pem("client"))), "client"),
    ] {
        refused(&send(&host, request), 400, "invalid_request");
        let event = last_event(&host);
        let result = Some("invalid_request: malformed client certificate");
        assert_eq!((event.name, event.result.as_deref()), (EventName::AuthDenied, result));
    }
}

/// RFC 8705 §3.2.
#[test]
fn introspection_tells_the_certificate_a_token_is_bound_to() {
    for (client_id, certificate) in CLIENTS {
        let host = host();
        let tokens = tokens(&host, client_id, certificate);
        let ask = |token: &str| {
            let request = naming(client_id, "/oauth/introspect", &[("token", token)]);
            json(&send(&host, showing(request, certificate)))
        };
        let access = ask(&tokens["access_token"]);
        assert_eq!((&access["active"], &access["token_type"]), (&json!(true), &json!("Bearer")));
        assert_eq!(access["cnf"], cnf(certificate));
        let event = last_event(&host);
        assert_eq!((event.name, event.client_id.as_deref()), (EventName::TokenIntrospected, Some(client_id)));
        assert_eq!(ask(&tokens["refresh_token"])["active"], true);
        let request = naming(client_id, "/oauth/introspect", &[("token", &tokens["access_token"])]);
        refused(&send(&host, proxied(request)), 400, "invalid_client");
        assert_eq!(last_event(&host).metadata["endpoint"], "introspection");
    }
}

/// RFC 7009 §2.1: by its own client, which its certificate proves.
#[test]
fn a_token_is_revoked_by_its_own_client_with_its_certificate() {
    for ((client_id, certificate), (other_id, others)) in [(CLIENTS[0], CLIENTS[1]), (CLIENTS[1], CLIENTS[0])]
    {
        let host = host();
        let tokens = tokens(&host, client_id, certificate);
        let (access, refresh) = (&tokens["access_token"], &tokens["refresh_token"]);
        let revoke = |client_id: &str, certificate: Option<&str>, token: &str| {
            let request = naming(client_id, "/oauth/revoke", &[("token", token)]);
            send(&host, showing_or_not(request, certificate))
        };
        for shown in [None, Some(others), Some("other-client")] {
            refused(&revoke(client_id, shown, access), 400, "invalid_client");
            let event = last_event(&host);
            assert_eq!(event.name, EventName::AuthDenied);
            assert_eq!(event.metadata["endpoint"], "revocation");
        }
        assert_eq!(revoke(other_id, Some(others), access).status, StatusCode::OK);
        assert_eq!(send(&host, showing(at_userinfo(access), certificate)).status, StatusCode::OK);

        assert_eq!(revoke(client_id, Some(certificate), access).status, StatusCode::OK);
        let event = last_event(&host);
        assert_eq!((event.name, event.client_id.as_deref()), (EventName::TokenRevoked, Some(client_id)));
        refused(&send(&host, showing(at_userinfo(access), certificate)), 401, "invalid_token");
        assert_eq!(revoke(client_id, Some(certificate), refresh).status, StatusCode::OK);
        let request = naming(client_id, "/oauth/token", &refreshing(refresh));
        refused(&send(&host, showing(request, certificate)), 400, "invalid_grant");
    }
}

// Other clients

/// FAPI 2.0: refresh token with another client. RFC 6749 §6.
#[test]
fn another_client_does_not_refresh_with_the_token_nor_spend_it() {
    for ((client_id, certificate), (thief, others)) in [(CLIENTS[0], CLIENTS[1]), (CLIENTS[1], CLIENTS[0])] {
        let host = host();
        let token = tokens(&host, client_id, certificate)["refresh_token"].clone();
        let signatures = host.signatures.get();
        let request = |client_id| naming(client_id, "/oauth/token", &refreshing(&token));
        let response = send(&host, showing(request(thief), others));
        let told = "the grant is invalid, expired, or not for this client and request";
        denied(&host, &response, "invalid_grant", told, "invalid_grant: OtherClient");
        assert_eq!(last_event(&host).client_id.as_deref(), Some(thief));
        // Nor under the owner's name.
        refused(&send(&host, showing(request(client_id), others)), 400, "invalid_client");
        assert_eq!(host.signatures.get(), signatures);
        granted(&send(&host, showing(request(client_id), certificate)));
    }
}

/// FAPI 2.0: code bound to client. RFC 6749 §4.1.3.
#[test]
fn another_client_does_not_redeem_the_code_nor_spend_it() {
    for ((client_id, certificate), (thief, others)) in [(CLIENTS[0], CLIENTS[1]), (CLIENTS[1], CLIENTS[0])] {
        let host = host();
        let code = code(&host, client_id, certificate);
        let request = |client_id| naming(client_id, "/oauth/token", &redemption(&code));
        refused(&send(&host, showing(request(thief), others)), 400, "invalid_grant");
        assert_eq!(last_event(&host).result.as_deref(), Some("invalid_grant: OtherClient"));
        refused(&send(&host, showing(request(client_id), others)), 400, "invalid_client");
        granted(&send(&host, showing(request(client_id), certificate)));
    }
}

// Public clients

fn as_public(host: &TestHost, params: &[(&str, &str)], certificate: Option<&str>) -> Response {
    host.send_to(open(), showing_or_not(naming("public", "/oauth/token", params), certificate), NOW)
}

fn code_of_public(host: &TestHost) -> String {
    let request = authorize(&[("scope", "openid offline_access")]);
    query(&host.send_to(open(), request, NOW))["code"].clone()
}

/// RFC 8705 §4: "it SHOULD also bind the refresh token to the respective certificate and check the binding when the refresh
/// token is presented".
#[test]
fn a_public_clients_refresh_token_is_good_with_its_certificate_and_with_nothing_else() {
    let host = TestHost::new();
    let first = granted(&as_public(&host, &redemption(&code_of_public(&host)), Some("self-signed")));
    assert_eq!((first["token_type"].as_str(), cnf_of(&first)), ("Bearer", cnf("self-signed")));
    let first = &first["refresh_token"];
    let invalid_grant = "the grant is invalid, expired, or not for this client and request";
    let signatures = host.signatures.get();

    let response = as_public(&host, &refreshing(first), None);
    let result = "invalid_request: CertificateRequired";
    denied(&host, &response, "invalid_request", "client certificate required", result);
    // The second has the same key and name.
    for other in ["client", "self-signed-again"] {
        let response = as_public(&host, &refreshing(first), Some(other));
        denied(&host, &response, "invalid_grant", invalid_grant, "invalid_grant: ProofKey");
    }
    assert_eq!(host.signatures.get(), signatures);

    let second = granted(&as_public(&host, &refreshing(first), Some("self-signed")));
    assert_eq!(cnf_of(&second), cnf("self-signed"));
    let second = second.get("refresh_token").unwrap_or(first);
    granted(&as_public(&host, &refreshing(second), Some("self-signed")));
}

/// RFC 9700 §4.14.2: the family ends when a rotated token comes back from somebody who could have used it.
#[test]
fn who_lacks_the_certificate_does_not_end_the_family_with_a_rotated_token() {
    let host = TestHost::new();
    let refresh = |token: &str, certificate| as_public(&host, &refreshing(token), certificate);
    let first = granted(&as_public(&host, &redemption(&code_of_public(&host)), Some("self-signed")));
    let first = &first["refresh_token"];
    let second = granted(&refresh(first, Some("self-signed")))["refresh_token"].clone();
    let third = granted(&refresh(&second, Some("self-signed")))["refresh_token"].clone();
    refused(&refresh(first, None), 400, "invalid_request");
    refused(&refresh(first, Some("client")), 400, "invalid_grant");
    assert!(!host.event_names().contains(&EventName::RefreshReuseDetected));
    let fourth = granted(&refresh(&third, Some("self-signed")))["refresh_token"].clone();
    // Whoever has it does.
    refused(&refresh(first, Some("self-signed")), 400, "invalid_grant");
    assert!(host.event_names().contains(&EventName::RefreshReuseDetected));
    refused(&refresh(&fourth, Some("self-signed")), 400, "invalid_grant");
}

/// RFC 8705 §4, RFC 9449 §5: what it is bound to can not be exchanged.
#[test]
fn a_public_clients_refresh_token_takes_no_proof_for_its_certificate_and_no_certificate_for_its_proof() {
    let host = TestHost::new();
    let proof = |jti| proof(&key(7), "POST", TOKEN, NOW, jti, None, None);
    let proving = |params: &[(&str, &str)], jti| {
        let request = with_header(naming("public", "/oauth/token", params), DPOP, &proof(jti));
        host.send_to(open(), proxied(request), NOW)
    };
    let of_certificate = granted(&as_public(&host, &redemption(&code_of_public(&host)), Some("self-signed")));
    refused(&proving(&refreshing(&of_certificate["refresh_token"]), "1"), 400, "invalid_grant");
    assert!(host.claimed.borrow().is_empty());
    granted(&as_public(&host, &refreshing(&of_certificate["refresh_token"]), Some("self-signed")));

    let of_key = granted(&proving(&redemption(&code_of_public(&host)), "2"));
    let response = as_public(&host, &refreshing(&of_key["refresh_token"]), Some("self-signed"));
    denied(&host, &response, "invalid_request", "DPoP proof required", "invalid_request: ProofRequired");
    granted(&proving(&refreshing(&of_key["refresh_token"]), "3"));
}

/// RFC 8705 §3.4.
#[test]
fn a_public_client_whose_tokens_are_bound_gets_none_without_a_certificate_and_spends_nothing() {
    let host = TestHost::new();
    change(&host, "public", |client| client.tls_client_certificate_bound_access_tokens = true);
    let code = code_of_public(&host);
    let result = "invalid_request: CertificateRequired";
    let response = as_public(&host, &redemption(&code), None);
    denied(&host, &response, "invalid_request", "client certificate required", result);
    let tokens = granted(&as_public(&host, &redemption(&code), Some("client")));
    assert_eq!(cnf_of(&tokens), cnf("client"));
    let response = as_public(&host, &refreshing(&tokens["refresh_token"]), None);
    denied(&host, &response, "invalid_request", "client certificate required", result);
    granted(&as_public(&host, &refreshing(&tokens["refresh_token"]), Some("client")));
}

// What binds

/// RFC 8705 §3.4; FAPI 2.0 Security Profile §5.3.2.1 (5). FAPI 2.0: mTLS, without certificate.
#[test]
fn a_client_whose_tokens_are_bound_gets_none_without_a_certificate_and_spends_nothing() {
    let bank = bank();
    let code = bank.code(&[], None);
    let claimed = bank.host.claimed.borrow().len();
    let assertion = bank.assertion();
    let request = || asserted("/oauth/token", &redemption(&code), &assertion);
    for request in [
        proxied(request()),
        // A certificate from anyone but the proxy is none.
        with_header(request(), ENVOYS, &element(&pem("client"))),
    ] {
        let response = bank.send(request);
        let result = "invalid_request: CertificateRequired";
        denied(&bank.host, &response, "invalid_request", "client certificate required", result);
        let event = last_event(&bank.host);
        assert_eq!(
            (event.client_id.as_deref(), event.grant_type),
            (Some("bank"), Some("authorization_code"))
        );
        assert_eq!(event.metadata["sender_constraint"], "none");
    }
    assert_eq!(bank.host.claimed.borrow().len(), claimed, "the assertion is not used up");
    let tokens = granted(&bank.send(showing(request(), "client")));
    assert_eq!((tokens["token_type"].as_str(), cnf_of(&tokens)), ("Bearer", cnf("client")));

    let assertion = bank.assertion();
    let request = || proxied(asserted("/oauth/token", &refreshing(&tokens["refresh_token"]), &assertion));
    refused(&bank.send(request()), 400, "invalid_request");
    granted(&bank.send(showing(request(), "client")));
}

/// FAPI 2.0 Security Profile §5.3.2.1 (5): where the registration is silent, the profile asks for a constraint all the same,
/// and is content with either.
#[test]
fn the_profile_takes_a_proof_or_a_certificate_and_never_neither() {
    let bank = bank();
    bank.change("bank", |client| client.tls_client_certificate_bound_access_tokens = false);
    let response = bank.send(proxied(bank.own_token(&[])));
    let told = "a DPoP proof or a client certificate is required";
    denied(&bank.host, &response, "invalid_request", told, "invalid_request: ConstraintRequired");
    assert!(bank.host.claimed.borrow().is_empty());
    let tokens = granted(&bank.send(showing(bank.own_token(&[]), "client")));
    assert_eq!(cnf_of(&tokens), cnf("client"));
    let tokens = granted(&bank.send(proxied(with_header(bank.own_token(&[]), DPOP, &bank.proof()))));
    assert_eq!(cnf_of(&tokens), json!({ "jkt": jkt(&bank.key) }));
}

/// RFC 9449 §5.2: "the authorization server MUST reject token requests from the client that do not contain the DPoP header".
#[test]
fn a_certificate_is_no_proof_for_a_client_that_requires_dpop_and_nothing_is_spent() {
    for (client_id, certificate) in CLIENTS {
        let host = host();
        change(&host, client_id, |client| client.dpop_bound_access_tokens = true);
        let code = code(&host, client_id, certificate);
        let redeem = || showing(naming(client_id, "/oauth/token", &redemption(&code)), certificate);
        let result = "invalid_request: ProofRequired";
        denied(&host, &send(&host, redeem()), "invalid_request", "DPoP proof required", result);
        let proof = |jti| proof(&key(7), "POST", TOKEN, NOW, jti, None, None);
        let tokens = granted(&send(&host, with_header(redeem(), DPOP, &proof("1"))));
        assert_eq!(tokens["token_type"], "DPoP");
        assert_eq!(cnf_of(&tokens), json!({ "jkt": jkt(&key(7)) }));

        let params = refreshing(&tokens["refresh_token"]);
        let refresh = || showing(naming(client_id, "/oauth/token", &params), certificate);
        denied(&host, &send(&host, refresh()), "invalid_request", "DPoP proof required", result);
        granted(&send(&host, with_header(refresh(), DPOP, &proof("2"))));
    }
}

/// RFC 8705 §3.4: the client's intention is a token bound to its certificate, and no other.
#[test]
fn a_proof_is_no_certificate_for_a_client_that_requires_one_and_nothing_is_spent() {
    let bank = bank();
    let code = bank.code(&[], None);
    let claimed = bank.host.claimed.borrow().len();
    let (assertion, proof) = (bank.assertion(), bank.proof());
    let request = || with_header(asserted("/oauth/token", &redemption(&code), &assertion), DPOP, &proof);
    let response = bank.send(proxied(request()));
    let result = "invalid_request: CertificateRequired";
    denied(&bank.host, &response, "invalid_request", "client certificate required", result);
    assert_eq!(bank.host.claimed.borrow().len(), claimed, "neither assertion nor proof is used up");
    let tokens = granted(&bank.send(showing(request(), "client")));
    assert_eq!((tokens["token_type"].as_str(), cnf_of(&tokens)), ("Bearer", cnf("client")));
}

/// A token has one `cnf` member here, and would be good without the other.
#[test]
fn a_client_that_requires_both_constraints_gets_no_token_and_spends_nothing() {
    let bank = bank();
    bank.change("bank", |client| client.dpop_bound_access_tokens = true);
    let code = bank.code(&[], None);
    let claimed = bank.host.claimed.borrow().len();
    let request = with_header(bank.redemption(&code, &[]), DPOP, &bank.proof());
    let response = bank.send(showing(request, "client"));
    let told = "the client is registered for two sender constraints, and a token has one";
    denied(&bank.host, &response, "unauthorized_client", told, "unauthorized_client: Contradictory");
    assert_eq!(bank.host.claimed.borrow().len(), claimed);
    bank.change("bank", |client| client.dpop_bound_access_tokens = false);
    granted(&bank.send(showing(bank.redemption(&code, &[]), "client")));
}

/// `mtls_enabled` decides, and not that a proxy is trusted with something else.
#[test]
fn without_mutual_tls_in_the_settings_a_certificate_binds_nothing_and_is_not_read() {
    let server = server_with(|text| format!("{text}\ntrusted_proxies = [\"198.51.100.1\"]"));
    let host = TestHost::new();
    for value in ["junk", &element(&pem("client"))] {
        let code = code_of_public(&host);
        let request = naming("public", "/oauth/token", &redemption(&code));
        let request = proxied(with_header(request, ENVOYS, value));
        assert_eq!(cnf_of(&granted(&host.send_to(&server, request, NOW))), Value::Null);
    }
}

// Client authentication

/// Refused at the token endpoint and at the one of pushed requests, and nothing came of it.
#[track_caller]
fn unauthenticated(client_id: &str, sent: impl Fn(Request) -> Request, error: &str, result: &str) {
    let host = host();
    let description = match error {
        "invalid_client" => "client authentication failed",
        _ => "invalid client certificate",
    };
    let response = send(&host, sent(naming(client_id, "/oauth/token", &OWN_TOKEN)));
    denied(&host, &response, error, description, result);
    let response = send(&host, sent(naming(client_id, "/oauth/par", &PUSH)));
    refused(&response, 400, error);
    assert_eq!(json(&response)["error_description"], description);
    let event = last_event(&host);
    assert_eq!((event.name, event.result.as_deref()), (EventName::AuthDenied, Some(result)));
    assert_eq!(event.metadata["endpoint"], "pushed_authorization_request");
    assert!(host.pushed.borrow().is_empty());
    assert_eq!(host.signatures.get(), 0);
}

/// RFC 8705 §2: "If no certificate is presented […] the `invalid_client` error code". FAPI 2.0: mTLS, without certificate;
/// PAR without client authentication.
#[test]
fn a_client_without_a_certificate_is_not_authenticated() {
    for (client_id, _) in CLIENTS {
        unauthenticated(client_id, proxied, "invalid_client", "invalid_client");
    }
}

/// RFC 8705 §2.1, §2.2. FAPI 2.0: mTLS, with another certificate.
#[test]
fn a_client_with_another_certificate_is_not_authenticated() {
    let subject =
        "invalid_client: client certificate: not the client's: it does not name the registered subject";
    let path = "invalid_client: client certificate: not the client's: no path to a trust anchor";
    let unregistered =
        "invalid_client: client certificate: not the client's: neither it nor its key is registered";
    for (client_id, certificate, result) in [
        ("of-authority", "other-client", subject),
        ("of-authority", "nameless", subject),
        // The registered name, by an authority that only has the trusted one's name.
        ("of-authority", "of-impostor", &format!("{path}: InvalidSignatureForPublicKey")),
        ("of-authority", "server-only", &format!("{path}: RequiredEkuNotFoundContext")),
        ("self-signed", "other-client", unregistered),
        // The registered name, and a trusted authority's word for it.
        ("self-signed", "client", unregistered),
        // The registered key, in another certificate than the registered one.
        ("self-signed", "self-signed-again", unregistered),
    ] {
        unauthenticated(client_id, |request| showing(request, certificate), "invalid_client", result);
    }
}

/// RFC 8705 §2.1. FAPI 2.0: self-signed where PKI is registered.
#[test]
fn a_self_signed_certificate_is_worth_nothing_where_an_authoritys_is_registered() {
    let result =
        "invalid_client: client certificate: not the client's: no path to a trust anchor: UnknownIssuer";
    unauthenticated("of-authority", |request| showing(request, "self-signed"), "invalid_client", result);
}

/// RFC 5280 §4.1.2.5.
#[test]
fn a_certificate_of_an_authority_authenticates_until_it_expires() {
    const NOT_AFTER: u64 = 4_922_899_200;
    let host = host();
    let request = || showing(naming("of-authority", "/oauth/token", &OWN_TOKEN), "client");
    granted(&host.send_to(fapi(), request(), NOT_AFTER));
    let response = host.send_to(fapi(), request(), NOT_AFTER + 1);
    let result =
        "invalid_client: client certificate: not the client's: no path to a trust anchor: CertExpired";
    denied(&host, &response, "invalid_client", "client authentication failed", result);
}

/// RFC 9440 §4: whoever is not the proxy says what it likes.
#[test]
fn a_certificate_from_an_untrusted_peer_authenticates_nobody() {
    for (client_id, certificate) in CLIENTS {
        let own_word = |request| with_header(request, ENVOYS, &element(&pem(certificate)));
        unauthenticated(client_id, own_word, "invalid_client", "invalid_client");
        // The host writes the peer's address after whatever the client has written.
        let forged = |request: Request| {
            let mut request = own_word(request);
            let stranger = request.headers.insert(CLIENT_ADDR, HeaderValue::from_static(PROXY)).unwrap();
            request.headers.append(CLIENT_ADDR, stranger);
            with_header(request, HeaderName::from_static("x-forwarded-for"), "198.51.100.1")
        };
        unauthenticated(client_id, forged, "invalid_client", "invalid_client");
        // Not even looked at.
        let junk = |request| with_header(request, ENVOYS, "junk");
        unauthenticated(client_id, junk, "invalid_client", "invalid_client");
    }
}

/// RFC 9440 §2.4, §4: the second one is the client's, which the proxy let through.
#[test]
fn a_certificate_header_that_is_there_twice_is_refused() {
    let result = "invalid_request: client certificate: malformed: the header field is there twice";
    for (client_id, certificate) in CLIENTS {
        for other in [certificate, "other-client"] {
            let sent = |request| showing(with_header(request, ENVOYS, &element(&pem(other))), certificate);
            unauthenticated(client_id, sent, "invalid_request", result);
        }
    }
}

/// RFC 6749 §5.2: "otherwise malformed". There is nothing to authenticate with yet.
#[test]
fn octets_that_are_no_certificate_are_an_invalid_request() {
    let told = |problem: &str| format!("invalid_request: client certificate: {problem}");
    let not_x509 = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (value, problem) in [
        (element(not_x509), "malformed: not an X.509 certificate"),
        (element(&pem("client.key")), "malformed: not PEM certificates, or too many"),
        ("junk".to_owned(), "malformed: not `key=value` pairs"),
        (format!("{0},{0}", element(&pem("client"))), "malformed: more than one element"),
    ] {
        for (client_id, _) in CLIENTS {
            let sent = |request| proxied(with_header(request, ENVOYS, &value));
            unauthenticated(client_id, sent, "invalid_request", &told(problem));
        }
    }
}

/// A key that is too weak binds nothing either.
#[test]
fn a_certificate_with_a_key_that_is_not_accepted_is_an_invalid_request() {
    for certificate in ["weak", "p384"] {
        let host = host();
        let request = naming("of-authority", "/oauth/token", &OWN_TOKEN);
        refused(&send(&host, showing(request, certificate)), 400, "invalid_request");
        let result = last_event(&host).result.unwrap();
        assert!(result.starts_with("invalid_request: client certificate: unacceptable key: "), "{result}");
    }
}

/// RFC 8705 §2: the method is the registered one.
#[test]
fn a_certificate_proves_no_client_that_registered_another_method() {
    let bank = bank();
    let response = bank.send(showing(naming("bank", "/oauth/token", &OWN_TOKEN), "client"));
    let told = "client authentication failed";
    denied(&bank.host, &response, "invalid_client", told, "invalid_client");
    let request = naming("unknown", "/oauth/token", &OWN_TOKEN);
    denied(&bank.host, &bank.send(showing(request, "client")), "invalid_client", told, "invalid_client");
}

/// RFC 6749 §2.3: a secret beside the certificate is another method than the registered one.
#[test]
fn a_client_of_mutual_tls_authenticates_with_nothing_else() {
    for (client_id, certificate) in CLIENTS {
        let host = host();
        let params: Vec<_> = OWN_TOKEN.into_iter().chain([("client_secret", "x")]).collect();
        let request = naming(client_id, "/oauth/token", &params);
        refused(&send(&host, showing(request, certificate)), 400, "invalid_client");
    }
}

/// RFC 9440, and Envoy's own: the settings say which of them the proxy writes, and so keeps clients from writing.
#[test]
fn the_certificate_counts_in_the_header_of_the_settings_and_in_no_other() {
    for setting in ["x-forwarded-client-cert", "client-cert"] {
        let server = authenticating(&format!("mtls_certificate_header = \"{setting}\""));
        for (client_id, certificate) in CLIENTS {
            for (name, value) in
                [(ENVOYS, element(&pem(certificate))), (CLIENT_CERT, byte_sequence(certificate))]
            {
                let host = host();
                let is_read = name == setting;
                let request = naming(client_id, "/oauth/token", &OWN_TOKEN);
                let response = host.send_to(&server, proxied(with_header(request, name, &value)), NOW);
                match is_read {
                    true => assert_eq!(cnf_of(&granted(&response)), cnf(certificate)),
                    false => refused(&response, 400, "invalid_client"),
                }
            }
        }
    }
}

/// RFC 8705 §2.1, RFC 9440 §2.3.
#[test]
fn the_certificates_between_the_clients_and_an_authority_come_along() {
    let standard = authenticating("mtls_certificate_header = \"client-cert\"");
    let host = host();
    let request = || proxied(naming("of-authority", "/oauth/token", &OWN_TOKEN));
    let chain = format!("Chain=\"{}\"", url_encoded(&(pem("of-intermediate") + &pem("intermediate"))));
    let tokens = granted(&send(&host, with_header(request(), ENVOYS, &chain)));
    assert_eq!(cnf_of(&tokens), cnf("of-intermediate"));
    let request = || with_header(request(), CLIENT_CERT, &byte_sequence("of-intermediate"));
    let whole = with_header(request(), CLIENT_CERT_CHAIN, &byte_sequence("intermediate"));
    assert_eq!(cnf_of(&granted(&host.send_to(&standard, whole, NOW))), cnf("of-intermediate"));
    refused(&host.send_to(&standard, request(), NOW), 400, "invalid_client");
}

// Metadata

const METHODS: [&str; 3] = [
    "token_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_methods_supported",
];

/// What both documents of the server say.
fn metadata(server: &Server) -> Value {
    let document = |path| json(&TestHost::new().send_to(server, get(path, None), NOW));
    let metadata = document("/.well-known/oauth-authorization-server");
    assert_eq!(metadata, document("/.well-known/openid-configuration"));
    metadata
}

/// RFC 8705 §3.3, RFC 9728 §2.
#[test]
fn certificate_bound_tokens_are_announced_exactly_where_certificates_are_read() {
    let member = "tls_client_certificate_bound_access_tokens";
    let resource = |server| {
        json(&TestHost::new().send_to(server, get("/.well-known/oauth-protected-resource", None), NOW))
    };
    for server in [open(), fapi()] {
        assert_eq!(metadata(server)[member], true);
        assert_eq!(resource(server)[member], true);
    }
    let off = server_with(|text| format!("{text}\ntrusted_proxies = [\"198.51.100.1\"]"));
    for server in [&off, server()] {
        for document in [metadata(server), resource(server)] {
            assert!(document.get(member).is_none(), "{document}");
            assert!(document.get("mtls_endpoint_aliases").is_none(), "{document}");
            assert!(!document.to_string().contains("tls_client_auth"), "{document}");
        }
    }
}

/// RFC 8705 §2.1.1, §2.2.1.
#[test]
fn the_methods_of_mutual_tls_are_announced_and_work_where_the_settings_name_them_and_nowhere_else() {
    let anchors = format!("mtls_trust_anchors = '''\n{}'''", pem("ca"));
    for methods in [
        &["private_key_jwt"][..],
        &["tls_client_auth"],
        &["self_signed_tls_client_auth"],
        &["tls_client_auth", "self_signed_tls_client_auth"],
    ] {
        let server =
            enabled(&format!("token_endpoint_auth_methods_supported = {}\n{anchors}", json!(methods)));
        let metadata = metadata(&server);
        for member in METHODS {
            assert_eq!(metadata[member], json!(methods), "{member}");
        }
        let host = host();
        for (client_id, certificate) in CLIENTS {
            let method = host.clients.borrow()[client_id].0.token_endpoint_auth_method.as_str();
            for (path, params) in [("/oauth/token", &OWN_TOKEN[..]), ("/oauth/par", &PUSH[..])] {
                let request = showing(naming(client_id, path, params), certificate);
                let response = host.send_to(&server, request, NOW);
                match methods.contains(&method) {
                    true => assert!(response.status.is_success(), "{method}: {response:?}"),
                    false => refused(&response, 400, "invalid_client"),
                }
            }
        }
    }
    for member in METHODS {
        let methods = metadata(open())[member].to_string();
        assert!(!methods.contains("tls_client_auth"), "{methods}");
    }
}

/// RFC 8705 §5.
#[test]
fn every_endpoint_where_a_certificate_counts_has_an_alias_at_the_origin_of_mutual_tls() {
    let origin = "mtls_origin = \"https://mtls.auth.example:8443\"";
    assert_eq!(
        metadata(&authenticating(origin))["mtls_endpoint_aliases"],
        json!({
            "token_endpoint": "https://mtls.auth.example:8443/oauth/token",
            "revocation_endpoint": "https://mtls.auth.example:8443/oauth/revoke",
            "introspection_endpoint": "https://mtls.auth.example:8443/oauth/introspect",
            "pushed_authorization_request_endpoint": "https://mtls.auth.example:8443/oauth/par",
            "userinfo_endpoint": "https://mtls.auth.example:8443/oauth/userinfo",
        })
    );
    for settings in [
        "",
        "profile = \"fapi2-security\"",
        "revocation_enabled = false",
        "introspection_enabled = false",
        "par_enabled = false",
        "grant_types_supported = [\"client_credentials\"]",
        "oauth_path_prefix = \"/o\"\npar_path = \"/push\"",
    ] {
        let server = authenticating(&format!("{origin}\n{settings}"));
        let metadata = metadata(&server);
        // Nobody but a browser goes to the authorization endpoint.
        let endpoints: serde_json::Map<_, _> = metadata
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| name.ends_with("_endpoint") && *name != "authorization_endpoint")
            .map(|(name, url)| {
                let path = url.as_str().unwrap().strip_prefix("https://auth.example").unwrap();
                let found = TestHost::new().send_to(&server, get(path, None), NOW).status;
                assert_ne!(found, StatusCode::NOT_FOUND, "{url}");
                (name.clone(), json!(format!("https://mtls.auth.example:8443{path}")))
            })
            .collect();
        assert_eq!(metadata["mtls_endpoint_aliases"], Value::Object(endpoints), "{settings}");
    }
    // Where certificates are asked for at the issuer's own origin there is nothing else to name.
    for server in [open(), fapi()] {
        assert!(metadata(server).get("mtls_endpoint_aliases").is_none());
    }
}
