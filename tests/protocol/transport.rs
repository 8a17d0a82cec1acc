//! What the server makes of a request's way: TLS, proxies, and scripts of other origins.

use attesto::http::Request;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};

use crate::host::*;

fn set(mut request: Request, name: &str, value: &str) -> Request {
    let name = HeaderName::try_from(name).unwrap();
    request.headers.insert(name, HeaderValue::from_str(value).unwrap());
    request
}

/// From a peer that speaks plain http to the server.
fn plain(request: Request) -> Request {
    set(set(request, "spin-full-url", "http://10.0.0.7/"), "spin-client-addr", "10.0.0.1:1")
}

#[test]
fn a_request_that_did_not_come_over_tls_is_refused() {
    let host = TestHost::new();
    let response = host.send(plain(token(&[("code", "x")])));
    assert_eq!(response.status, StatusCode::BAD_REQUEST);
    assert_eq!(json(&response)["error"], "invalid_request");
    assert!(host.faults.borrow()[0].contains("trusted_proxies"));
    let page = host.send(plain(authorize(&[])));
    assert_eq!((page.status, location(&page)), (StatusCode::BAD_REQUEST, None));
    for (change, issuer) in [("require_https = false", "https://auth.example"), ("", "http://localhost:8080")]
    {
        let server =
            server_with(|text| format!("{}\n{change}", text.replace("https://auth.example", issuer)));
        let request = plain(get("/.well-known/jwks.json", None));
        assert_eq!(host.send_to(&server, request, NOW).status, StatusCode::OK, "{change} {issuer}");
    }
}

#[test]
fn a_proxys_word_counts_only_where_the_proxy_is_trusted() {
    let host = TestHost::new();
    let trusting = server_with(|text| format!("{text}\ntrusted_proxies = [\"10.0.0.0/8\"]"));
    let request = || set(plain(get("/.well-known/jwks.json", None)), "x-forwarded-proto", "https");
    assert_eq!(host.send(request()).status, StatusCode::BAD_REQUEST);
    assert_eq!(host.send_to(&trusting, request(), NOW).status, StatusCode::OK);
    let stranger = set(request(), "spin-client-addr", "192.0.2.9:1");
    assert_eq!(host.send_to(&trusting, stranger, NOW).status, StatusCode::BAD_REQUEST);
    // The client's own claim to be the proxy stands before what the host says.
    let mut spoofed = request();
    spoofed.headers.insert("spin-client-addr", HeaderValue::from_static("10.0.0.1:1"));
    spoofed.headers.append("spin-client-addr", HeaderValue::from_static("192.0.2.9:1"));
    assert_eq!(host.send_to(&trusting, spoofed, NOW).status, StatusCode::BAD_REQUEST);
    let contradicted = set(request(), "forwarded", "proto=http;for=192.0.2.9");
    assert_eq!(host.send_to(&trusting, contradicted, NOW).status, StatusCode::BAD_REQUEST);
}

#[test]
fn events_name_the_client_behind_the_proxies() {
    let host = TestHost::new();
    let trusting = server_with(|text| format!("{text}\ntrusted_proxies = [\"10.0.0.0/8\"]"));
    let request = set(plain(token(&[("code", "x")])), "forwarded", "for=192.0.2.60;proto=https;by=10.0.0.1");
    host.send_to(&trusting, request, NOW);
    assert_eq!(host.events.borrow()[0].metadata["client_ip"], "192.0.2.60");
}

#[test]
fn scripts_of_configured_origins_may_call_and_read_and_no_others() {
    let host = TestHost::new();
    let server = server_with(|text| format!("{text}\ncors_origins = [\"https://app.example\"]"));
    let send = |request: Request, origin: &str| host.send_to(&server, set(request, "origin", origin), NOW);
    for path in ["/oauth/token", "/oauth/userinfo", "/oauth/revoke", "/.well-known/jwks.json"] {
        let preflight = || {
            let mut request = set(get(path, None), "access-control-request-method", "POST");
            request.method = Method::OPTIONS;
            request
        };
        let allowed = send(preflight(), "https://app.example");
        assert_eq!(allowed.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(allowed.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://app.example", "{path}");
        let refused = send(preflight(), "https://evil.example");
        assert!(!refused.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), "{path}");
    }
    let response = send(token(&[("code", "x")]), "https://app.example");
    assert_eq!(response.status, StatusCode::BAD_REQUEST);
    assert_eq!(response.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://app.example");
    assert_eq!(response.headers[header::VARY], "Origin");
    let response = send(token(&[("code", "x")]), "https://evil.example");
    assert!(!response.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}

#[test]
fn the_authorization_endpoint_and_introspection_are_never_shared_with_scripts() {
    let host = TestHost::new();
    let server = server_with(|text| format!("{text}\ncors_origins = [\"https://app.example\"]"));
    for request in [authorize(&[]), post("/oauth/introspect", "token=x"), get("/account/login", None)] {
        if request.path.starts_with("/account") {
            host.reply
                .replace(Some(attesto::host::Reply::Respond(attesto::http::Response::empty(StatusCode::OK))));
        }
        let response = host.send_to(&server, set(request, "origin", "https://app.example"), NOW);
        assert!(!response.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), "{response:?}");
    }
}
