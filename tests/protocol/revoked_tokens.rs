//! The list of revoked access tokens (docs/revoked-tokens.md).

use attesto::server::Server;
use http::{StatusCode, header};
use serde_json::json;

use crate::host::*;
use crate::token::{BASIC, error};

fn with_list() -> Server {
    server_with(|text| format!("{text}\nrevoked_tokens_enabled = true"))
}

fn ask(host: &TestHost, since: &str) -> attesto::http::Response {
    let form = attesto::params::encode([("since", since)]);
    let request = with_header(post("/oauth/revoked", &form), header::AUTHORIZATION, BASIC);
    host.send_to(&with_list(), request, NOW)
}

#[test]
fn a_resource_server_hears_of_a_token_its_client_revoked() {
    let host = TestHost::new();
    let access = json(&host.redeem(&host.code("openid")))["access_token"].clone();
    assert_eq!(json(&ask(&host, ""))["revoked"], json!([]));
    host.send(post("/oauth/revoke", &format!("client_id=public&token={}", access.as_str().unwrap())));
    let list = json(&ask(&host, "1799999999"));
    assert_eq!(
        list,
        json!({ "revoked": [{ "jti": payload(&access)["jti"], "exp": NOW + 900 }], "next": NOW })
    );
}

#[test]
fn the_list_is_for_confidential_clients() {
    let host = TestHost::new();
    for form in ["", "client_id=public", "client_id=confidential", "client_id=confidential&client_secret=x"] {
        let response = host.send_to(&with_list(), post("/oauth/revoked", form), NOW);
        assert_eq!(
            (response.status, error(&response).as_str()),
            (StatusCode::BAD_REQUEST, "invalid_client"),
            "{form}"
        );
    }
}

#[test]
fn since_is_a_number_of_seconds() {
    let host = TestHost::new();
    for since in ["-1", "1.5", "x", "99999999999999999999"] {
        let response = ask(&host, since);
        assert_eq!(
            (response.status, error(&response).as_str()),
            (StatusCode::BAD_REQUEST, "invalid_request")
        );
    }
    host.fault.set("revoked_since");
    let response = ask(&host, "0");
    assert_eq!(
        (response.status, error(&response).as_str()),
        (StatusCode::INTERNAL_SERVER_ERROR, "server_error")
    );
}

#[test]
fn there_is_no_list_where_it_is_off() {
    let host = TestHost::new();
    assert_eq!(host.send(post("/oauth/revoked", "")).status, StatusCode::NOT_FOUND);
}
