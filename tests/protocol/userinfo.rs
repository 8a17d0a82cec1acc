//! OIDC Core §5.3, RFC 6750 §3, RFC 9728 §5.1.

use attesto::event::EventName;
use http::{Method, StatusCode, header};
use serde_json::json;

use crate::host::*;

const METADATA: &str = "resource_metadata=\"https://api.example/.well-known/oauth-protected-resource\"";

fn access_token(host: &TestHost, scope: &str) -> String {
    let body = json(&host.redeem(&host.code(scope)));
    host.events.take();
    body["access_token"].as_str().unwrap().to_owned()
}

fn ask(host: &TestHost, token: &str) -> attesto::http::Response {
    host.send(with_header(get("/oauth/userinfo", None), header::AUTHORIZATION, &format!("Bearer {token}")))
}

#[test]
fn the_subject_and_the_claims_of_the_scope_are_released() {
    let host = TestHost::new();
    let token = access_token(&host, "openid email");
    let response = ask(&host, &token);
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(response.headers["cache-control"], "no-store");
    assert_eq!(json(&response), json!({ "sub": ALICE, "email": "alice@example.com" }));
    assert_eq!(host.event_names(), [EventName::AuthSucceeded]);

    let token = access_token(&host, "openid");
    assert_eq!(json(&ask(&host, &token)), json!({ "sub": ALICE }));
}

#[test]
fn post_is_answered_like_get() {
    let host = TestHost::new();
    let token = access_token(&host, "openid");
    let mut request =
        with_header(get("/oauth/userinfo", None), header::AUTHORIZATION, &format!("bearer {token}"));
    request.method = Method::POST;
    assert_eq!(host.send(request).status, StatusCode::OK);
}

/// FAPI 2.0 Security Profile §5.3.4: "shall not accept access tokens in the URI query component"; RFC 6750 §2.3, §2.2 leave
/// query and body to servers that want them, and the metadata says `header` alone (RFC 9728 §2).
#[test]
fn a_token_in_the_query_or_in_the_body_opens_nothing() {
    let host = TestHost::new();
    let parameter = format!("access_token={}", access_token(&host, "openid"));
    for request in [get("/oauth/userinfo", Some(&parameter)), post("/oauth/userinfo", &parameter)] {
        let response = host.send(request);
        assert_eq!(response.status, StatusCode::UNAUTHORIZED);
        assert!(response.body.is_empty() || !json(&response).as_object().unwrap().contains_key("sub"));
    }
}

#[test]
fn without_credentials_the_challenge_carries_no_error() {
    let response = TestHost::new().send(get("/oauth/userinfo", None));
    assert_eq!(response.status, StatusCode::UNAUTHORIZED);
    let challenge = response.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with(&format!("Bearer {METADATA}, DPoP ")), "{challenge}");
    assert!(!challenge.contains("error"), "{challenge}");
}

#[test]
fn without_a_metadata_url_the_challenge_names_a_realm() {
    let without = |text: &str| {
        text.lines().filter(|line| !line.contains("resource_metadata")).collect::<Vec<_>>().join("\n")
    };
    let response = TestHost::new().send_to(&server_with(without), get("/oauth/userinfo", None), NOW);
    let challenge = response.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with("Bearer realm=\"OAuth\", DPoP realm=\"OAuth\", algs="), "{challenge}");
}

#[test]
fn a_token_without_openid_is_insufficient_scope() {
    let host = TestHost::new();
    let token = access_token(&host, "read");
    let response = ask(&host, &token);
    assert_eq!(response.status, StatusCode::FORBIDDEN);
    let challenge = response.headers["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.contains("error=\"insufficient_scope\"") && challenge.contains("scope=\"openid\""),
        "{challenge}"
    );
}

#[test]
fn a_revoked_expired_or_orphaned_token_is_invalid() {
    let host = TestHost::new();
    let invalid = |response: attesto::http::Response| {
        assert_eq!(response.status, StatusCode::UNAUTHORIZED);
        assert!(response.headers["www-authenticate"].to_str().unwrap().contains("error=\"invalid_token\""));
        assert_eq!(json(&response)["error"], "invalid_token");
    };
    let token = access_token(&host, "openid");
    let header = format!("Bearer {token}");
    let request = with_header(get("/oauth/userinfo", None), header::AUTHORIZATION, &header);
    invalid(host.send_to(server(), request, NOW + 900));

    host.disabled.borrow_mut().insert(ALICE.to_owned());
    invalid(ask(&host, &token));
    host.disabled.take();

    host.clients.borrow_mut().remove("public");
    invalid(ask(&host, &token));
    let host = TestHost::new();

    let jti = payload(&token.as_str().into())["jti"].as_str().unwrap().to_owned();
    host.revoked.borrow_mut().insert(jti, NOW + 900);
    invalid(ask(&host, &token));
}

#[test]
fn a_token_outlives_the_last_active_key_of_its_algorithm() {
    let host = TestHost::new();
    let signed_before = access_token(&host, "openid");
    let request = get("/oauth/userinfo", None);
    let request = with_header(request, header::AUTHORIZATION, &format!("Bearer {signed_before}"));
    assert_eq!(host.send_to(&server_without_es256(), request, NOW).status, StatusCode::OK);
}

#[test]
fn an_id_token_opens_nothing() {
    let host = TestHost::new();
    let body = json(&host.redeem(&host.code("openid")));
    assert_eq!(ask(&host, body["id_token"].as_str().unwrap()).status, StatusCode::UNAUTHORIZED);
}

#[test]
fn a_part_that_claims_another_subject_is_a_fault() {
    let host = TestHost::new();
    host.userinfo.replace(object(json!({ "sub": "user:mallory" })));
    let token = access_token(&host, "openid email");
    let response = ask(&host, &token);
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(json(&response)["error"], "server_error");
}

#[test]
fn a_fault_of_any_part_is_a_fixed_server_error() {
    let host = TestHost::new();
    let token = access_token(&host, "openid email");
    for fault in ["is_revoked", "load_client", "load_principal", "userinfo_claims"] {
        host.fault.set(fault);
        let response = ask(&host, &token);
        assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR, "{fault}");
        assert!(host.faults.take()[0].contains("is down"), "{fault}");
    }
}
