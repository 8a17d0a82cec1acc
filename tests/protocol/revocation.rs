//! RFC 7009.

use attesto::event::EventName;
use attesto::http::Response;
use http::{Method, StatusCode, header};

use crate::host::*;
use crate::token::{BASIC, error};

fn revoke(host: &TestHost, client_id: &str, token: &str) -> Response {
    let form = attesto::params::encode([("client_id", client_id), ("token", token)]);
    host.send(post("/oauth/revoke", &form))
}

fn tokens(host: &TestHost) -> (String, String) {
    let tokens = json(&host.redeem(&host.code("openid offline_access")));
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

fn userinfo(host: &TestHost, token: &str) -> StatusCode {
    host.send(with_header(get("/oauth/userinfo", None), header::AUTHORIZATION, &format!("Bearer {token}")))
        .status
}

fn refresh(host: &TestHost, token: &str) -> StatusCode {
    let form = format!("grant_type=refresh_token&client_id=public&refresh_token={token}");
    host.send(post("/oauth/token", &form)).status
}

#[test]
fn a_revoked_access_token_opens_nothing() {
    let host = TestHost::new();
    let (access, refresh_token) = tokens(&host);
    let response = revoke(&host, "public", &access);
    assert_eq!((response.status, response.body.len()), (StatusCode::OK, 0));
    assert_eq!(response.headers["cache-control"], "no-store");
    assert_eq!(userinfo(&host, &access), StatusCode::UNAUTHORIZED);
    assert_eq!(refresh(&host, &refresh_token), StatusCode::OK);
    let events = host.events.borrow().clone();
    let revoked = events.iter().find(|event| event.name == EventName::TokenRevoked).unwrap();
    assert_eq!((revoked.client_id.as_deref(), revoked.subject.as_deref()), (Some("public"), Some(ALICE)));
    assert_eq!(revoked.metadata["token_type"], "access_token");
}

#[test]
fn a_revoked_refresh_token_takes_its_family_along() {
    let host = TestHost::new();
    let (_, first) = tokens(&host);
    let form = format!("grant_type=refresh_token&client_id=public&refresh_token={first}");
    let second = json(&host.send(post("/oauth/token", &form)))["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(revoke(&host, "public", &first).status, StatusCode::OK);
    assert_eq!(refresh(&host, &second), StatusCode::BAD_REQUEST);
}

#[test]
fn nothing_is_told_and_nothing_done_about_a_token_that_is_not_the_clients() {
    let host = TestHost::new();
    let (access, refresh_token) = tokens(&host);
    for token in [access.as_str(), &refresh_token, "unknown", "a.b.c", "..", &access[1..]] {
        let response = revoke(&host, "other", token);
        assert_eq!((response.status, response.body.len()), (StatusCode::OK, 0), "{token}");
    }
    assert!(!host.event_names().contains(&EventName::TokenRevoked));
    assert_eq!(userinfo(&host, &access), StatusCode::OK);
    assert_eq!(refresh(&host, &refresh_token), StatusCode::OK);
}

#[test]
fn an_id_token_is_no_token_to_revoke() {
    let host = TestHost::new();
    let tokens = json(&host.redeem(&host.code("openid")));
    assert_eq!(revoke(&host, "public", tokens["id_token"].as_str().unwrap()).status, StatusCode::OK);
    assert!(host.revoked.borrow().is_empty());
}

#[test]
fn a_hint_changes_nothing() {
    let host = TestHost::new();
    for hint in ["access_token", "refresh_token", "unknown"] {
        let (_, token) = tokens(&host);
        let form = format!("client_id=public&token={token}&token_type_hint={hint}");
        assert_eq!(host.send(post("/oauth/revoke", &form)).status, StatusCode::OK);
        assert_eq!(refresh(&host, &token), StatusCode::BAD_REQUEST, "{hint}");
    }
}

#[test]
fn the_client_authenticates_as_at_the_token_endpoint() {
    let host = TestHost::new();
    assert_eq!(error(&host.send(post("/oauth/revoke", "token=x"))), "invalid_client");
    assert_eq!(error(&revoke(&host, "confidential", "x")), "invalid_client");
    let basic = |value| with_header(post("/oauth/revoke", "token=x"), header::AUTHORIZATION, value);
    assert_eq!(host.send(basic(BASIC)).status, StatusCode::OK);
    let wrong = host.send(basic("Basic Y29uZmlkZW50aWFsOndyb25n"));
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.headers.contains_key("www-authenticate"));
    let denied = host.events.borrow().last().cloned().unwrap();
    assert_eq!(
        (denied.name, denied.metadata["endpoint"].as_str()),
        (EventName::AuthDenied, Some("revocation"))
    );
}

#[test]
fn malformed_requests_are_invalid_request() {
    let host = TestHost::new();
    for form in ["client_id=public", "client_id=public&token=a&token=b", "client_id=%"] {
        assert_eq!(error(&host.send(post("/oauth/revoke", form))), "invalid_request", "{form}");
    }
    let mut request = post("/oauth/revoke", "client_id=public");
    request.query = Some("token=x".to_owned());
    assert_eq!(error(&host.send(request)), "invalid_request");
    let mut request = post("/oauth/revoke", "client_id=public&token=x");
    request.method = Method::GET;
    assert_eq!(host.send(request).status, StatusCode::METHOD_NOT_ALLOWED);
}

#[test]
fn a_store_that_fails_is_a_server_error_and_not_a_success() {
    let host = TestHost::new();
    let (access, refresh_token) = tokens(&host);
    for (fault, token) in
        [("revoke_token", &access), ("revoke_family", &refresh_token), ("peek_refresh_token", &refresh_token)]
    {
        host.fault.set(fault);
        assert_eq!(revoke(&host, "public", token).status, StatusCode::INTERNAL_SERVER_ERROR, "{fault}");
    }
}
