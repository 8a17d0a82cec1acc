//! RFC 6749 §6, RFC 9700 §4.14, OIDC Core §11 and §12.

use attesto::event::EventName;
use attesto::http::Response;
use attesto::jose::Algorithm;
use attesto::scope::Scope;
use attesto::server::Server;
use http::{StatusCode, header};
use serde_json::Value;

use crate::host::*;
use crate::token::{BASIC, error, verified};

const OFFLINE: &str = "openid email offline_access";

/// The tokens of a fresh authorization.
fn granted(host: &TestHost, scope: &str) -> Value {
    json(&host.redeem(&host.code(scope)))
}

fn refresh_token(tokens: &Value) -> String {
    tokens["refresh_token"].as_str().unwrap_or_else(|| panic!("no refresh token: {tokens}")).to_owned()
}

fn request(token: &str, changes: &[(&str, &str)]) -> attesto::http::Request {
    let base = [("grant_type", "refresh_token"), ("client_id", "public"), ("refresh_token", token)];
    let kept = base.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let params = kept.chain(changes).copied().filter(|(_, value)| !value.is_empty());
    post("/oauth/token", &attesto::params::encode(params))
}

fn refresh(host: &TestHost, token: &str) -> Response {
    host.send(request(token, &[]))
}

fn refresh_at(host: &TestHost, server: &Server, token: &str, now: u64) -> Response {
    host.send_to(server, request(token, &[]), now)
}

fn is_refused(response: &Response) {
    assert_eq!((response.status, error(response).as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
}

#[test]
fn offline_access_comes_with_a_refresh_token_and_nothing_else_does() {
    let host = TestHost::new();
    assert!(granted(&host, "openid email").get("refresh_token").is_none());
    refresh_token(&granted(&host, OFFLINE));
    assert_eq!(
        host.event_names()[2..],
        [EventName::CodeIssued, EventName::RefreshIssued, EventName::TokenIssued]
    );
}

#[test]
fn the_policy_can_give_or_keep_a_refresh_token() {
    let host = TestHost::new();
    host.issues_refresh_tokens.set(Some(true));
    refresh_token(&granted(&host, "read"));
    host.issues_refresh_tokens.set(Some(false));
    assert!(granted(&host, OFFLINE).get("refresh_token").is_none());
}

#[test]
fn a_client_not_registered_for_refresh_tokens_gets_and_uses_none() {
    let host = TestHost::new();
    let token = refresh_token(&granted(&host, OFFLINE));
    host.clients.borrow_mut().get_mut("public").unwrap().0.grant_types =
        vec!["authorization_code".to_owned()];
    assert!(granted(&host, OFFLINE).get("refresh_token").is_none());
    assert_eq!(error(&refresh(&host, &token)), "unauthorized_client");
}

#[test]
fn a_refresh_gives_new_tokens_for_the_same_grant() {
    let host = TestHost::new();
    let first = granted(&host, OFFLINE);
    let response = refresh(&host, &refresh_token(&first));
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(response.headers["cache-control"], "no-store");
    let second = json(&response);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(second["scope"], OFFLINE);
    let (old, new) = (payload(&first["access_token"]), payload(&second["access_token"]));
    assert_ne!(old["jti"], new["jti"]);
    for claim in ["sub", "aud", "client_id", "scope", "auth_time", "amr"] {
        assert_eq!(old[claim], new[claim], "{claim}");
    }
    // OIDC Core §12.2
    let id_token = verified(&second["id_token"], Algorithm::Rs256, "JWT");
    assert_eq!((&id_token["sub"], &id_token["auth_time"]), (&old["sub"], &old["auth_time"]));
    assert!(id_token.get("nonce").is_none());
    let names = host.event_names();
    assert_eq!(names[names.len() - 2..], [EventName::RefreshRotated, EventName::TokenIssued]);
    let event = host.events.borrow().last().cloned().unwrap();
    assert_eq!((event.grant_type, event.subject.as_deref()), (Some("refresh_token"), Some(ALICE)));
    assert_eq!(event.metadata["sender_constraint"], "none");
}

#[test]
fn a_retry_within_the_grace_gets_the_same_successor() {
    let host = TestHost::new();
    let first = refresh_token(&granted(&host, OFFLINE));
    let second = refresh_token(&json(&refresh(&host, &first)));
    let retried = refresh_at(&host, server(), &first, NOW + 59);
    assert_eq!(refresh_token(&json(&retried)), second);
    assert_eq!(refresh(&host, &second).status, StatusCode::OK);
}

#[test]
fn reuse_after_the_grace_revokes_the_family_for_ever() {
    let host = TestHost::new();
    let first = refresh_token(&granted(&host, OFFLINE));
    let second = refresh_token(&json(&refresh(&host, &first)));
    is_refused(&refresh_at(&host, server(), &first, NOW + 60));
    let events = host.events.borrow().clone();
    let reuse = &events[events.len() - 2];
    assert_eq!(reuse.name, EventName::RefreshReuseDetected);
    assert_eq!((reuse.client_id.as_deref(), reuse.subject.as_deref()), (Some("public"), Some(ALICE)));
    assert_eq!(events.last().unwrap().result.as_deref(), Some("invalid_grant: Reused"));
    is_refused(&refresh(&host, &second));
    is_refused(&refresh(&host, &first));
}

#[test]
fn a_retry_once_the_successor_is_in_use_is_reuse() {
    let host = TestHost::new();
    let first = refresh_token(&granted(&host, OFFLINE));
    let second = refresh_token(&json(&refresh(&host, &first)));
    let third = refresh_token(&json(&refresh(&host, &second)));
    is_refused(&refresh(&host, &first));
    is_refused(&refresh(&host, &third));
}

#[test]
fn without_grace_every_second_use_is_reuse() {
    let host = TestHost::new();
    let strict = server_with(|text| format!("{text}\nrefresh_token_rotation_grace_seconds = 0"));
    let first = refresh_token(&granted(&host, OFFLINE));
    let second = refresh_token(&json(&refresh_at(&host, &strict, &first, NOW)));
    is_refused(&refresh_at(&host, &strict, &first, NOW));
    is_refused(&refresh_at(&host, &strict, &second, NOW));
}

#[test]
fn another_client_can_neither_use_nor_burn_a_token() {
    let host = TestHost::new();
    let token = refresh_token(&granted(&host, OFFLINE));
    for _ in 0..2 {
        is_refused(&host.send(request(&token, &[("client_id", "other")])));
    }
    assert_eq!(refresh(&host, &token).status, StatusCode::OK);
}

/// RFC 9449 §5: a successor would have to be bound to the key that is shown, whosever it is.
#[test]
fn a_public_clients_unbound_refresh_token_is_refused_where_a_key_is_shown() {
    let host = TestHost::new();
    let first = refresh_token(&granted(&host, OFFLINE));
    let url = "https://auth.example/oauth/token";
    let proof = crate::proof::proof(&crate::proof::key(1), "POST", url, NOW, "1", None, None);
    let dpop = http::HeaderName::from_static("dpop");
    is_refused(&host.send(with_header(request(&first, &[]), dpop.clone(), &proof)));
    // Nothing was spent: neither the token nor the proof.
    let second = json(&refresh(&host, &first));
    assert_eq!(second["token_type"], "Bearer");
    let code = host.code(OFFLINE);
    assert_eq!(host.send(with_header(token(&[("code", &code)]), dpop, &proof)).status, StatusCode::OK);
}

#[test]
fn scope_is_narrowed_for_one_refresh_and_never_widened() {
    let host = TestHost::new();
    let token = refresh_token(&granted(&host, OFFLINE));
    let narrowed = json(&host.send(request(&token, &[("scope", "email")])));
    assert_eq!(narrowed["scope"], "email");
    assert!(narrowed.get("id_token").is_none());
    let token = refresh_token(&narrowed);
    for wider in ["email read", "read", "openid email offline_access write", "email  openid", "*"] {
        let response = host.send(request(&token, &[("scope", wider)]));
        let refusal = (response.status, error(&response));
        assert_eq!(refusal, (StatusCode::BAD_REQUEST, "invalid_scope".to_owned()), "{wider}");
    }
    // RFC 6749 §6: the new refresh token's scope is that of the old one.
    assert_eq!(json(&refresh(&host, &token))["scope"], OFFLINE);
}

/// Limits the public client to this scope.
fn register(host: &TestHost, scope: Option<&str>) {
    host.clients.borrow_mut().get_mut("public").unwrap().0.scope =
        scope.map(|scope| Scope::parse(scope).unwrap());
}

#[test]
fn without_scope_a_refresh_keeps_what_catalog_and_client_still_have() {
    let host = TestHost::new();
    let without_email = server_with(|text| text.replace("\"email\", ", ""));
    let first = refresh_token(&granted(&host, OFFLINE));
    for explicit in [OFFLINE, "email"] {
        let response = host.send_to(&without_email, request(&first, &[("scope", explicit)]), NOW);
        assert_eq!(error(&response), "invalid_scope", "{explicit}");
    }
    let of_catalog = json(&refresh_at(&host, &without_email, &first, NOW));
    assert_eq!(of_catalog["scope"], "openid offline_access");
    assert_eq!(payload(&of_catalog["access_token"])["scope"], "openid offline_access");

    register(&host, Some("email offline_access write"));
    let second = refresh_token(&of_catalog);
    host.granted.replace(Some(None));
    assert_eq!(error(&host.send(request(&second, &[("scope", "openid email")]))), "invalid_scope");
    host.granted.replace(None);
    let of_client = json(&refresh(&host, &second));
    assert_eq!(of_client["scope"], "email offline_access");
    assert!(of_client.get("id_token").is_none());

    // What comes back is there again: the grant is what it was.
    register(&host, None);
    assert_eq!(json(&refresh(&host, &refresh_token(&of_client)))["scope"], OFFLINE);
}

#[test]
fn a_refresh_with_nothing_left_of_its_scope_is_invalid_grant_and_gets_no_default() {
    let host = TestHost::new();
    let token = refresh_token(&granted(&host, OFFLINE));
    register(&host, Some("write"));
    is_refused(&refresh(&host, &token));
    assert_eq!(host.events.borrow().last().unwrap().result.as_deref(), Some("invalid_grant: Scope"));
    register(&host, None);
    // A policy may refuse the rest, or grant none of it.
    for answer in [None, Some(Scope::default())] {
        host.granted.replace(Some(answer));
        is_refused(&refresh(&host, &token));
        assert_eq!(error(&host.send(request(&token, &[("scope", "email")]))), "invalid_scope");
    }
    host.granted.replace(None);
    assert_eq!(json(&refresh(&host, &token))["scope"], OFFLINE);
}

#[test]
fn what_is_refused_does_not_consume_the_token() {
    let host = TestHost::new();
    let token = refresh_token(&granted(&host, OFFLINE));
    for change in [("scope", "read"), ("resource", "https://other.example")] {
        assert_eq!(host.send(request(&token, &[change])).status, StatusCode::BAD_REQUEST);
    }
    for fault in ["load_principal", "authorize_scope", "sign", "rotate_refresh_token"] {
        host.fault.set(fault);
        assert_eq!(refresh(&host, &token).status, StatusCode::INTERNAL_SERVER_ERROR, "{fault}");
    }
    host.fault.set("");
    assert_eq!(refresh_at(&host, server(), &token, NOW + 100).status, StatusCode::OK);
}

#[test]
fn a_disabled_person_gets_invalid_grant() {
    let host = TestHost::new();
    let token = refresh_token(&granted(&host, OFFLINE));
    host.disabled.borrow_mut().insert(ALICE.to_owned());
    is_refused(&refresh(&host, &token));
    host.disabled.borrow_mut().clear();
    assert_eq!(refresh(&host, &token).status, StatusCode::OK);
}

#[test]
fn a_token_dies_unused_and_its_family_dies_used() {
    let host = TestHost::new();
    let server =
        server_with(|text| format!("{text}\nrefresh_token_ttl = 100\nrefresh_token_family_ttl = 250"));
    let code = host.code(OFFLINE);
    let first = refresh_token(&json(&host.send_to(&server, token(&[("code", &code)]), NOW)));
    is_refused(&refresh_at(&host, &server, &first, NOW + 100));
    let second = refresh_token(&json(&refresh_at(&host, &server, &first, NOW + 99)));
    let third = refresh_token(&json(&refresh_at(&host, &server, &second, NOW + 198)));
    is_refused(&refresh_at(&host, &server, &third, NOW + 250));
    assert_eq!(refresh_at(&host, &server, &third, NOW + 249).status, StatusCode::OK);
}

#[test]
fn without_rotation_a_confidential_client_keeps_its_token_alive_by_using_it() {
    let host = TestHost::new();
    let server = server_with(|text| {
        format!(
            "{text}\nrefresh_token_rotation = false\nrefresh_token_ttl = 100\nrefresh_token_family_ttl = 250"
        )
    });
    let code =
        query(&host.send(authorize(&[("client_id", "confidential"), ("scope", OFFLINE)])))["code"].clone();
    let redeem = with_header(token(&[("client_id", ""), ("code", &code)]), header::AUTHORIZATION, BASIC);
    let kept = refresh_token(&json(&host.send_to(&server, redeem, NOW)));
    let use_at = |now| {
        let request = with_header(request(&kept, &[("client_id", "")]), header::AUTHORIZATION, BASIC);
        host.send_to(&server, request, now)
    };
    for now in [NOW, NOW, NOW + 99, NOW + 198, NOW + 249] {
        let response = use_at(now);
        assert_eq!(response.status, StatusCode::OK, "{}", now - NOW);
        assert!(json(&response).get("refresh_token").is_none());
    }
    is_refused(&use_at(NOW + 250));
    assert!(!host.event_names().contains(&EventName::RefreshRotated));
}

#[test]
fn without_rotation_public_clients_rotate_all_the_same() {
    let host = TestHost::new();
    let server = server_with(|text| format!("{text}\nrefresh_token_rotation = false"));
    let first = refresh_token(&granted(&host, OFFLINE));
    let second = refresh_token(&json(&refresh_at(&host, &server, &first, NOW)));
    assert_ne!(first, second);
}

#[test]
fn a_replayed_code_revokes_the_refresh_token_too() {
    let host = TestHost::new();
    let code = host.code(OFFLINE);
    let tokens = json(&host.redeem(&code));
    is_refused(&host.redeem(&code));
    is_refused(&refresh(&host, &refresh_token(&tokens)));
    let jti = payload(&tokens["access_token"])["jti"].as_str().unwrap().to_owned();
    assert!(host.revoked.borrow().contains_key(&jti));
}

#[test]
fn a_malformed_request_is_told_so() {
    let host = TestHost::new();
    assert_eq!(error(&host.send(request("", &[]))), "invalid_request");
    is_refused(&refresh(&host, "unknown"));
    is_refused(&refresh(&host, &"x".repeat(10_000)));
    let repeated = "grant_type=refresh_token&client_id=public&refresh_token=a&refresh_token=b";
    assert_eq!(error(&host.send(post("/oauth/token", repeated))), "invalid_request");
}

#[test]
fn a_server_without_the_grant_neither_issues_nor_takes_refresh_tokens() {
    let host = TestHost::new();
    let server = server_with(|text| format!("{text}\ngrant_types_supported = [\"authorization_code\"]"));
    let token_ = refresh_token(&granted(&host, OFFLINE));
    let code = host.code(OFFLINE);
    let tokens = json(&host.send_to(&server, token(&[("code", &code)]), NOW));
    assert!(tokens.get("refresh_token").is_none());
    assert_eq!(error(&refresh_at(&host, &server, &token_, NOW)), "unsupported_grant_type");
}
