//! RFC 6749 §4.4, RFC 9068 §2.2.

use attesto::event::EventName;
use attesto::http::Response;
use attesto::scope::Scope;
use http::StatusCode;
use serde_json::json;

use crate::host::*;
use crate::token::error;

fn ask(host: &TestHost, more: &str) -> Response {
    let form = format!("grant_type=client_credentials&client_id=machine&client_secret=m4chine{more}");
    host.send(post("/oauth/token", &form))
}

#[test]
fn a_client_gets_a_token_for_itself_and_no_other() {
    let host = TestHost::new();
    host.client_claims.borrow_mut().insert("tenant".to_owned(), "t1".into());
    let response = ask(&host, "&scope=read");
    assert_eq!(response.status, StatusCode::OK);
    let body = json(&response);
    assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none());
    let claims = payload(&body["access_token"]);
    assert_eq!(
        claims,
        json!({
            "iss": "https://auth.example", "aud": "https://api.example", "sub": "client_machine",
            "client_id": "machine", "iat": NOW, "exp": NOW + 900, "jti": claims["jti"], "scope": "read",
            "tenant": "t1",
        })
    );
    let events = host.events.borrow().clone();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].name, EventName::TokenIssued);
    assert_eq!(events[0].grant_type, Some("client_credentials"));
    assert_eq!(events[0].metadata["client_ip"], "192.0.2.1");
}

#[test]
fn a_public_client_never_gets_one() {
    let form = "grant_type=client_credentials&client_id=public-machine&scope=read";
    let response = TestHost::new().send(post("/oauth/token", form));
    assert_eq!(
        (response.status, error(&response).as_str()),
        (StatusCode::BAD_REQUEST, "unauthorized_client")
    );
}

#[test]
fn values_that_speak_of_a_person_are_refused_and_left_out_of_a_default() {
    let host = TestHost::new();
    for scope in ["openid", "read%20openid", "offline_access"] {
        assert_eq!(error(&ask(&host, &format!("&scope={scope}"))), "invalid_scope", "{scope}");
    }
    host.granted.replace(Some(Some(Scope::parse("openid read").unwrap())));
    assert_eq!(json(&ask(&host, ""))["scope"], "read");
}

#[test]
fn scope_stays_within_catalog_and_registration_whatever_the_policy_says() {
    let host = TestHost::new();
    assert_eq!(json(&ask(&host, "&scope=orders:read"))["scope"], "orders:read");
    assert_eq!(json(&ask(&host, "&scope=orders:*"))["scope"], "orders:*");
    for outside in ["*", "unknown", "orders:unknown", "read:*", "orders:read:*", "a%20%20b"] {
        assert_eq!(error(&ask(&host, &format!("&scope={outside}"))), "invalid_scope", "{outside}");
    }
    // The client registered neither: a policy that grants it all the same has a fault.
    assert_eq!(ask(&host, "&scope=write").status, StatusCode::INTERNAL_SERVER_ERROR);
    for granted in ["read write", "*", "orders:*"] {
        host.granted.replace(Some(Some(Scope::parse(granted).unwrap())));
        let response = ask(&host, "&scope=read");
        assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR, "{granted}");
    }
    host.granted.replace(Some(None));
    assert_eq!(error(&ask(&host, "&scope=read")), "invalid_scope");
}

#[test]
fn claims_of_the_protocol_are_not_the_parts_to_give() {
    let host = TestHost::new();
    host.client_claims.borrow_mut().insert("aud".to_owned(), "https://other.example".into());
    assert_eq!(ask(&host, "&scope=read").status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[test]
fn a_resource_that_is_not_served_is_invalid_target() {
    let host = TestHost::new();
    assert_eq!(error(&ask(&host, "&scope=read&resource=https%3A%2F%2Fother.example")), "invalid_target");
    assert_eq!(ask(&host, "&scope=read&resource=https%3A%2F%2Fapi.example").status, StatusCode::OK);
}
