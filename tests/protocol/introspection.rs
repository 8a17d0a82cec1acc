//! RFC 7662.

use attesto::event::EventName;
use attesto::http::Response;
use attesto::jose::{Algorithm, UnverifiedJws, jws};
use attesto::server::Server;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::host::*;
use crate::token::{BASIC, error};

fn introspect_at(host: &TestHost, token: &str, now: u64) -> Value {
    introspect_by(host, server(), token, now)
}

/// As `confidential`.
fn introspect_by(host: &TestHost, server: &Server, token: &str, now: u64) -> Value {
    let form = attesto::params::encode([("token", token)]);
    let request = with_header(post("/oauth/introspect", &form), header::AUTHORIZATION, BASIC);
    let response = host.send_to(server, request, now);
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(response.headers["cache-control"], "no-store");
    json(&response)
}

fn introspect(host: &TestHost, token: &str) -> Value {
    introspect_at(host, token, NOW)
}

/// The tokens of a grant to this client.
fn tokens(host: &TestHost, client_id: &str) -> (String, String) {
    let request = authorize(&[("client_id", client_id), ("scope", "openid offline_access")]);
    let code = query(&host.send(request))["code"].clone();
    let redeem = match client_id {
        "confidential" => {
            with_header(token(&[("client_id", ""), ("code", &code)]), header::AUTHORIZATION, BASIC)
        }
        _ => token(&[("client_id", client_id), ("code", &code)]),
    };
    let tokens = json(&host.send(redeem));
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

fn inactive() -> Value {
    json!({ "active": false })
}

#[test]
fn an_active_access_token_is_described() {
    let host = TestHost::new();
    let (access, _) = tokens(&host, "public");
    let members = introspect(&host, &access);
    assert_eq!(
        members,
        json!({
            "active": true, "iss": "https://auth.example", "sub": ALICE, "aud": "https://api.example",
            "client_id": "public", "scope": "openid offline_access", "token_type": "Bearer", "iat": NOW,
            "exp": NOW + 900, "jti": members["jti"],
        })
    );
    let event = host.events.borrow().last().cloned().unwrap();
    assert_eq!(
        (event.name, event.client_id.as_deref()),
        (EventName::TokenIntrospected, Some("confidential"))
    );
    assert_eq!(event.metadata["active"], true);
}

#[test]
fn a_token_signed_with_a_key_retired_since_is_active() {
    let host = TestHost::new();
    let (access, _) = tokens(&host, "public");
    assert_eq!(introspect_by(&host, &server_without_es256(), &access, NOW)["active"], true);
}

#[test]
fn a_clients_own_token_is_active_without_a_person() {
    let host = TestHost::new();
    let form = "grant_type=client_credentials&client_id=machine&client_secret=m4chine&scope=read";
    let token = json(&host.send(post("/oauth/token", form)))["access_token"].as_str().unwrap().to_owned();
    assert_eq!(introspect(&host, &token)["sub"], "client_machine");
    host.clients.borrow_mut().remove("machine");
    assert_eq!(introspect(&host, &token), inactive());
}

#[test]
fn a_refresh_token_is_active_for_its_own_client_alone() {
    let host = TestHost::new();
    let (_, own) = tokens(&host, "confidential");
    let members = introspect(&host, &own);
    assert_eq!((&members["active"], &members["scope"]), (&json!(true), &json!("openid offline_access")));
    assert_eq!(members["exp"], NOW + 1_209_600);
    let (_, of_another) = tokens(&host, "public");
    assert_eq!(introspect(&host, &of_another), inactive());
    let form = attesto::params::encode([("grant_type", "refresh_token"), ("refresh_token", &own)]);
    host.send(with_header(post("/oauth/token", &form), header::AUTHORIZATION, BASIC));
    assert_eq!(introspect(&host, &own), inactive(), "rotated");
}

#[test]
fn nothing_is_said_of_a_token_that_is_not_active() {
    let host = TestHost::new();
    let (access, _) = tokens(&host, "public");
    assert_eq!(introspect_at(&host, &access, NOW + 900), inactive(), "expired");
    for token in ["x", "a.b.c", "..", &access[1..], &format!("{access}x")] {
        assert_eq!(introspect(&host, token), inactive(), "{token}");
    }
    host.disabled.borrow_mut().insert(ALICE.to_owned());
    assert_eq!(introspect(&host, &access), inactive(), "a disabled person");
    host.disabled.borrow_mut().clear();
    let removed = host.clients.borrow_mut().remove("public");
    assert_eq!(introspect(&host, &access), inactive(), "a revoked client");
    host.clients.borrow_mut().insert("public".to_owned(), removed.unwrap());
    host.send(post("/oauth/revoke", &format!("client_id=public&token={access}")));
    assert_eq!(introspect(&host, &access), inactive(), "revoked");
}

#[test]
fn an_id_token_is_not_introspected() {
    let host = TestHost::new();
    let tokens = json(&host.redeem(&host.code("openid")));
    assert_eq!(introspect(&host, tokens["id_token"].as_str().unwrap()), inactive());
}

#[test]
fn only_a_confidential_client_may_ask() {
    let host = TestHost::new();
    let refused = |response: Response, status| {
        assert_eq!((response.status, error(&response).as_str()), (status, "invalid_client"));
    };
    refused(host.send(post("/oauth/introspect", "token=x")), StatusCode::BAD_REQUEST);
    refused(host.send(post("/oauth/introspect", "token=x&client_id=public")), StatusCode::BAD_REQUEST);
    let wrong = with_header(
        post("/oauth/introspect", "token=x"),
        header::AUTHORIZATION,
        "Basic Y29uZmlkZW50aWFsOndyb25n",
    );
    refused(host.send(wrong), StatusCode::UNAUTHORIZED);
    let bearer = with_header(post("/oauth/introspect", "token=x"), header::AUTHORIZATION, "Bearer x");
    refused(host.send(bearer), StatusCode::UNAUTHORIZED);
}

#[test]
fn malformed_requests_are_invalid_request() {
    let host = TestHost::new();
    let basic = |form| with_header(post("/oauth/introspect", form), header::AUTHORIZATION, BASIC);
    for form in ["", "token=", "token=a&token=b", "token=%"] {
        assert_eq!(error(&host.send(basic(form))), "invalid_request", "{form}");
    }
    let mut request = basic("token=x");
    request.method = Method::GET;
    assert_eq!(host.send(request).status, StatusCode::METHOD_NOT_ALLOWED);
}

#[test]
fn a_part_that_fails_is_a_server_error_and_not_inactive() {
    let host = TestHost::new();
    let (access, refresh) = tokens(&host, "confidential");
    for (fault, token) in
        [("is_revoked", &access), ("load_principal", &access), ("peek_refresh_token", &refresh)]
    {
        host.fault.set(fault);
        let form = attesto::params::encode([("token", token.as_str())]);
        let request = with_header(post("/oauth/introspect", &form), header::AUTHORIZATION, BASIC);
        assert_eq!(host.send(request).status, StatusCode::INTERNAL_SERVER_ERROR, "{fault}");
    }
}

fn ask(host: &TestHost, token: &str, accept: &str) -> Response {
    let form = attesto::params::encode([("token", token)]);
    let request = with_header(post("/oauth/introspect", &form), header::AUTHORIZATION, BASIC);
    host.send(with_header(request, header::ACCEPT, accept))
}

/// RFC 9701 §5.
#[test]
fn a_caller_that_prefers_it_gets_a_signed_response_about_active_and_inactive_tokens() {
    let host = TestHost::new();
    let (access, _) = tokens(&host, "public");
    for (token, active) in [(access.as_str(), true), ("x", false)] {
        let response = ask(&host, token, "application/token-introspection+jwt");
        assert_eq!(response.status, StatusCode::OK);
        assert_eq!(response.headers[header::CONTENT_TYPE], "application/token-introspection+jwt");
        assert_eq!(response.headers[header::CACHE_CONTROL], "no-store");
        let jwt = String::from_utf8(response.body).unwrap();
        let policy = jws::Policy { algorithms: &[Algorithm::Rs256], typ: Some("token-introspection+jwt") };
        let verified = UnverifiedJws::parse(&jwt).unwrap().verify(server().keys.public(), &policy);
        let claims: Value = serde_json::from_slice(verified.unwrap().payload()).unwrap();
        assert_eq!(claims["iss"], "https://auth.example");
        assert_eq!(claims["aud"], "confidential");
        assert_eq!(claims["iat"], NOW);
        assert_eq!(claims["token_introspection"]["active"], active);
        let members = claims["token_introspection"].as_object().unwrap();
        assert_eq!(members.contains_key("sub"), active, "nothing is said of an inactive token");
        assert!(!claims.as_object().unwrap().contains_key("exp"), "RFC 9701 §5");
    }
}

#[test]
fn a_signed_response_is_not_for_those_who_did_not_ask_for_it() {
    let host = TestHost::new();
    let signed = |accept| {
        let response = ask(&host, "x", accept);
        response.headers[header::CONTENT_TYPE] == "application/token-introspection+jwt"
    };
    for accept in [
        "application/token-introspection+jwt",
        "APPLICATION/Token-Introspection+JWT",
        "application/json;q=0.5, application/token-introspection+jwt",
        "application/json, application/token-introspection+jwt",
    ] {
        assert!(signed(accept), "{accept}");
    }
    for accept in [
        "*/*",
        "application/*",
        "application/json",
        "application/token-introspection+jwt;q=0",
        "application/json, application/token-introspection+jwt;q=0.9",
        "application/token-introspection+jwt;q=x",
        "token-introspection+jwt",
        "",
    ] {
        assert!(!signed(accept), "{accept}");
    }
}

#[test]
fn a_callers_registered_algorithm_signs_its_responses() {
    let host = TestHost::new();
    let header_of = |host: &TestHost| {
        let response = ask(host, "x", "application/token-introspection+jwt");
        let jwt = String::from_utf8(response.body).unwrap();
        let header = attesto::jose::base64url::decode(jwt.split('.').next().unwrap()).unwrap();
        serde_json::from_slice::<Value>(&header).unwrap()["alg"].clone()
    };
    let register = |alg: &str| {
        let mut clients = host.clients.borrow_mut();
        let (client, _) = clients.get_mut("confidential").unwrap();
        client.introspection_signed_response_alg = Some(alg.to_owned());
    };
    assert_eq!(header_of(&host), "RS256");
    register("ES256");
    assert_eq!(header_of(&host), "ES256");
    for unusable in ["PS256", "none", "HS256"] {
        register(unusable);
        let response = ask(&host, "x", "application/token-introspection+jwt");
        assert_eq!(
            (response.status, error(&response).as_str()),
            (StatusCode::INTERNAL_SERVER_ERROR, "server_error")
        );
    }
}

/// RFC 7662 §4, RFC 9701 §5.
#[test]
fn the_policy_can_make_a_token_inactive_and_never_active() {
    let host = TestHost::new();
    let (access, _) = tokens(&host, "public");
    host.hides_tokens.set(true);
    assert_eq!(introspect(&host, &access), inactive());
    host.hides_tokens.set(false);
    assert_eq!(introspect(&host, "x"), inactive());
    host.fault.set("authorize_introspection");
    let response = ask(&host, &access, "application/json");
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(introspect(&host, "x"), inactive(), "it is not asked about an inactive token");
}
