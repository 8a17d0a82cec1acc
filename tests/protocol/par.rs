//! RFC 9126, and what of RFC 9449 §10 concerns it. Modules of the FAPI 2.0 plans are named where one tries the same.

use attesto::authorization_code::CodeGrant;
use attesto::client::ClientAuthMethod;
use attesto::event::EventName;
use attesto::host::Reply;
use attesto::http::{Body, Request, Response};
use attesto::secret::Secret;
use attesto::server::Server;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::json;

use crate::host::*;
use crate::signing::{key, proof, thumbprint};

/// confidential:s3cret
pub(crate) const BASIC: &str = "Basic Y29uZmlkZW50aWFsOnMzY3JldA==";

/// The confidential client's authorization request, changed as [`authorize_query`] changes.
pub(crate) fn request_of_confidential(changes: &[(&str, &str)]) -> String {
    let own = [("client_id", "confidential")];
    let own = own.iter().filter(|_| !changes.iter().any(|(name, _)| *name == "client_id"));
    authorize_query(&own.chain(changes).copied().collect::<Vec<_>>())
}

pub(crate) fn push(changes: &[(&str, &str)]) -> Request {
    with_header(post("/oauth/par", &request_of_confidential(changes)), header::AUTHORIZATION, BASIC)
}

/// Pushes, and returns the `request_uri`.
pub(crate) fn pushed_to(host: &TestHost, server: &Server, changes: &[(&str, &str)]) -> String {
    reference(&host.send_to(server, push(changes), NOW))
}

pub(crate) fn pushed(host: &TestHost, changes: &[(&str, &str)]) -> String {
    pushed_to(host, server(), changes)
}

pub(crate) fn reference(response: &Response) -> String {
    assert_eq!(response.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&response.body));
    json(response)["request_uri"].as_str().unwrap().to_owned()
}

/// What brings the confidential client's pushed request to the authorization endpoint.
pub(crate) fn by_reference(request_uri: &str) -> String {
    attesto::params::encode([("client_id", "confidential"), ("request_uri", request_uri)])
}

pub(crate) fn go(host: &TestHost, request_uri: &str, now: u64) -> Response {
    host.send_to(server(), get("/oauth/authorize", Some(&by_reference(request_uri))), now)
}

/// Status and `error` of a refusal told to the client itself.
pub(crate) fn refusal(response: &Response) -> (u16, String) {
    assert_eq!(response.headers["cache-control"], "no-store");
    (response.status.as_u16(), json(response)["error"].as_str().unwrap_or_default().to_owned())
}

/// A page that names this code, and goes nowhere.
#[track_caller]
pub(crate) fn assert_page(response: &Response, code: &str) {
    let body = String::from_utf8_lossy(&response.body);
    assert_eq!((response.status, location(response)), (StatusCode::BAD_REQUEST, None), "{body}");
    assert!(body.contains(&format!("<code>{code}</code>")), "{body}");
}

/// What the one code that was issued stands for.
pub(crate) fn grant(host: &TestHost) -> CodeGrant {
    let codes = host.codes.borrow();
    assert_eq!(codes.len(), 1);
    serde_json::from_slice(&codes.values().next().unwrap().0.grant).unwrap()
}

fn with_proof(request: Request, proof: &str) -> Request {
    with_header(request, HeaderName::from_static("dpop"), proof)
}

#[test]
fn a_pushed_request_is_answered_with_a_reference_nobody_guesses() {
    let host = TestHost::new();
    let response = host.send(push(&[]));
    assert_eq!(response.status, StatusCode::CREATED);
    assert_eq!(response.headers["cache-control"], "no-store");
    let body = json(&response);
    // "expires_in bounds": over 5 and under 600 seconds.
    assert_eq!(body["expires_in"], 300);
    let request_uri = body["request_uri"].as_str().unwrap();
    assert_eq!(request_uri.strip_prefix("urn:ietf:params:oauth:request_uri:").unwrap().len(), 43);
    assert_ne!(request_uri, pushed(&host, &[]));
    let stored = host.pushed.borrow();
    let stored: Vec<_> =
        stored.values().map(|stored| (stored.client_id.as_str(), stored.expires_at)).collect();
    assert_eq!(stored, [("confidential", NOW + 300); 2]);
}

#[test]
fn a_flat_json_object_is_pushed_like_a_form() {
    let host = TestHost::new();
    let body = json!({
        "response_type": "code", "redirect_uri": REDIRECT_URI, "scope": "openid", "state": "s",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    });
    let mut request = push(&[]);
    request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request.body = Body::Complete(body.to_string().into_bytes());
    assert!(query(&go(&host, &reference(&host.send(request)), NOW)).contains_key("code"));
}

#[test]
fn a_pushed_request_leads_to_a_code_as_if_it_had_come_with_the_user_agent() {
    let host = TestHost::new();
    let response = go(&host, &pushed(&host, &[]), NOW);
    let query = query(&response);
    assert_eq!(query["state"], "st&te=1");
    assert_eq!(query["iss"], "https://auth.example");
    assert!(query.contains_key("code"));
    let grant = grant(&host);
    assert_eq!((grant.nonce.as_deref(), grant.scope.as_str()), (Some("n-0S6_WzA2Mj"), "openid"));
    assert_eq!(grant.redirect_uri.as_deref(), Some(REDIRECT_URI));
}

/// FAPI 2.0: attempt to reuse a request_uri.
#[test]
fn a_reference_leads_to_one_code() {
    let host = TestHost::new();
    let request_uri = pushed(&host, &[]);
    assert!(query(&go(&host, &request_uri, NOW)).contains_key("code"));
    assert_page(&go(&host, &request_uri, NOW), "invalid_request_uri");
    assert_eq!(host.codes.borrow().len(), 1);
}

/// FAPI 2.0: attempt to use an expired request_uri.
#[test]
fn an_expired_reference_is_an_invalid_request_uri() {
    let host = TestHost::new();
    let request_uri = pushed(&host, &[]);
    assert_page(&go(&host, &request_uri, NOW + 300), "invalid_request_uri");
    assert!(query(&go(&host, &request_uri, NOW + 299)).contains_key("code"));
}

#[test]
fn an_unknown_reference_is_an_invalid_request_uri() {
    let host = TestHost::new();
    for unknown in ["urn:ietf:params:oauth:request_uri:", "urn:ietf:params:oauth:request_uri:x"] {
        assert_page(&go(&host, unknown, NOW), "invalid_request_uri");
    }
}

/// FAPI 2.0: a request_uri is bound to its client.
#[test]
fn a_reference_of_another_client_is_refused_and_left_alone() {
    let host = TestHost::new();
    let request_uri = pushed(&host, &[]);
    let foreign = attesto::params::encode([("client_id", "public"), ("request_uri", &request_uri)]);
    assert_page(&host.send(get("/oauth/authorize", Some(&foreign))), "invalid_request");
    assert!(query(&go(&host, &request_uri, NOW)).contains_key("code"));
}

#[test]
fn a_reference_without_its_client_or_there_twice_is_refused() {
    let host = TestHost::new();
    let request_uri = pushed(&host, &[]);
    let alone = attesto::params::encode([("request_uri", request_uri.as_str())]);
    assert_page(&host.send(get("/oauth/authorize", Some(&alone))), "invalid_request");
    let twice = format!("{}&{alone}", by_reference(&request_uri));
    assert_page(&host.send(get("/oauth/authorize", Some(&twice))), "invalid_request");
}

/// FAPI 2.0: unsigned parameters beside a pushed request.
#[test]
fn what_the_user_agent_adds_to_a_pushed_request_counts_for_nothing() {
    let host = TestHost::new();
    let request_uri = pushed(&host, &[("state", "")]);
    let additions = attesto::params::encode([
        ("state", "front"),
        ("redirect_uri", "https://evil.example/cb"),
        ("scope", "read"),
        ("nonce", "front"),
        ("response_mode", "fragment"),
        ("request", "x.y.z"),
        ("prompt", "none login"),
        ("dpop_jkt", "x"),
        ("resource", "https://evil.example"),
    ]);
    let asked = format!("{}&{additions}", by_reference(&request_uri));
    let query = query(&host.send(get("/oauth/authorize", Some(&asked))));
    assert!(query.contains_key("code"));
    assert!(!query.contains_key("state"));
    assert_eq!(
        (grant(&host).scope.as_str(), grant(&host).nonce.as_deref()),
        ("openid", Some("n-0S6_WzA2Mj"))
    );
}

#[test]
fn a_client_that_is_gone_by_then_gets_no_code() {
    let host = TestHost::new();
    let request_uri = pushed(&host, &[]);
    host.clients.borrow_mut().remove("confidential");
    assert_page(&go(&host, &request_uri, NOW), "invalid_client");
}

/// FAPI 2.0: pushed request without client authentication.
#[test]
fn who_does_not_authenticate_pushes_nothing() {
    let host = TestHost::new();
    let mut none = push(&[]);
    none.headers.remove(header::AUTHORIZATION);
    assert_eq!(refusal(&host.send(none)), (400, "invalid_client".to_owned()));
    let mut wrong = push(&[]);
    wrong.headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Basic Y29uZmlkZW50aWFsOndyb25n"));
    let response = host.send(wrong);
    assert_eq!(refusal(&response), (401, "invalid_client".to_owned()));
    assert!(response.headers.contains_key("www-authenticate"));
    assert!(host.pushed.borrow().is_empty());
    assert_eq!(host.event_names(), [EventName::AuthDenied; 2]);
}

#[test]
fn a_public_client_pushes_only_where_it_may() {
    let host = TestHost::new();
    let request = || post("/oauth/par", &authorize_query(&[]));
    assert_eq!(refusal(&host.send(request())), (400, "invalid_client".to_owned()));
    let server = server_with(|text| format!("{text}\npar_public_clients = true"));
    let request_uri = reference(&host.send_to(&server, request(), NOW));
    let asked = attesto::params::encode([("client_id", "public"), ("request_uri", &request_uri)]);
    let response = host.send_to(&server, get("/oauth/authorize", Some(&asked)), NOW);
    assert!(query(&response).contains_key("code"));
}

/// FAPI 2.0: pushed request with request_uri (RFC 9126 §2.1).
#[test]
fn a_request_uri_is_not_pushed() {
    let host = TestHost::new();
    let request_uri = pushed(&host, &[]);
    for uri in [request_uri.as_str(), "https://client.example/request.jwt"] {
        assert_eq!(refusal(&host.send(push(&[("request_uri", uri)]))), (400, "invalid_request".to_owned()));
        let beside = push(&[("request_uri", uri), ("request", "x.y.z")]);
        assert_eq!(refusal(&host.send(beside)), (400, "invalid_request".to_owned()));
    }
    assert_eq!(host.pushed.borrow().len(), 1);
}

/// FAPI 2.0: client_id mismatch.
#[test]
fn a_request_of_another_client_is_not_pushed() {
    let host = TestHost::new();
    assert_eq!(refusal(&host.send(push(&[("client_id", "public")]))), (400, "invalid_request".to_owned()));
    assert!(host.pushed.borrow().is_empty());
}

#[test]
fn the_client_need_not_say_twice_who_it_is() {
    let host = TestHost::new();
    let request_uri = pushed(&host, &[("client_id", "")]);
    assert!(query(&go(&host, &request_uri, NOW)).contains_key("code"));
}

/// FAPI 2.0: pushed request as form without a body, and with a wrong content type.
#[test]
fn only_a_body_of_the_right_kind_is_read() {
    let host = TestHost::new();
    let mut elsewhere = push(&[]);
    elsewhere.query = Some(request_of_confidential(&[]));
    elsewhere.body = Body::Complete(Vec::new());
    assert_eq!(refusal(&host.send(elsewhere)), (400, "invalid_request".to_owned()));
    let mut without = push(&[]);
    without.body = Body::Complete(Vec::new());
    assert_eq!(refusal(&host.send(without)), (400, "invalid_request".to_owned()));
    for media_type in ["text/plain", "multipart/form-data", "application/jwt"] {
        let mut wrong = push(&[]);
        wrong.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        assert_eq!(refusal(&host.send(wrong)), (400, "invalid_request".to_owned()), "{media_type}");
    }
    let mut large = push(&[]);
    large.body = Body::TooLarge;
    assert_eq!(refusal(&host.send(large)), (413, "invalid_request".to_owned()));
    let mut got = push(&[]);
    got.method = Method::GET;
    let response = host.send(got);
    assert_eq!(
        (response.status, &response.headers["allow"]),
        (StatusCode::METHOD_NOT_ALLOWED, &HeaderValue::from_static("POST"))
    );
}

#[test]
fn a_repeated_parameter_is_not_pushed() {
    let host = TestHost::new();
    let mut request = push(&[]);
    request.body = Body::Complete(format!("{}&state=2", request_of_confidential(&[])).into_bytes());
    assert_eq!(refusal(&host.send(request)), (400, "invalid_request".to_owned()));
}

/// RFC 9126 §2.1: "validate the pushed request as it would an authorization request". FAPI 2.0: response_type other than code;
/// missing, wrong and plain code_challenge; no redirect URI registered.
#[test]
fn what_the_authorization_endpoint_would_refuse_is_refused_at_once() {
    let refusals: &[(&[(&str, &str)], &str)] = &[
        (&[("response_type", "")], "invalid_request"),
        (&[("response_type", "code id_token")], "unsupported_response_type"),
        (&[("response_mode", "smoke_signals")], "invalid_request"),
        (&[("redirect_uri", "https://evil.example/cb")], "invalid_request"),
        (&[("redirect_uri", "https://client.example/cb?x=1")], "invalid_request"),
        (&[("redirect_uri", "")], "invalid_request"),
        (&[("scope", "a\"b")], "invalid_scope"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge", "short")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("dpop_jkt", "short")], "invalid_request"),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("max_age", "soon")], "invalid_request"),
        (&[("id_token_hint", "x")], "invalid_request"),
        (&[("registration", "{}")], "registration_not_supported"),
        (&[("resource", "https://other.example")], "invalid_target"),
    ];
    for (changes, error) in refusals {
        let host = TestHost::new();
        assert_eq!(refusal(&host.send(push(changes))), (400, (*error).to_owned()), "{changes:?}");
        assert!(host.pushed.borrow().is_empty(), "{changes:?}");
        assert_eq!(host.event_names(), [EventName::AuthorizationFailed], "{changes:?}");
        let client_id = host.events.borrow()[0].client_id.clone();
        assert_eq!(client_id.as_deref(), Some("confidential"));
    }
}

#[test]
fn a_client_without_the_code_grant_pushes_nothing() {
    let host = TestHost::new();
    host.clients.borrow_mut().get_mut("confidential").unwrap().0.grant_types.clear();
    assert_eq!(refusal(&host.send(push(&[]))), (400, "unauthorized_client".to_owned()));
}

#[test]
fn an_omitted_redirect_uri_means_the_only_registered_one() {
    let host = TestHost::new();
    let without = [("redirect_uri", ""), ("scope", "read")];
    assert!(query(&go(&host, &pushed(&host, &without), NOW)).contains_key("code"));
    let second = "https://client.example/2".to_owned();
    host.clients.borrow_mut().get_mut("confidential").unwrap().0.redirect_uris.push(second);
    assert_eq!(refusal(&host.send(push(&without))), (400, "invalid_request".to_owned()));
}

#[test]
fn no_credential_is_stored() {
    let host = TestHost::new();
    host.clients.borrow_mut().get_mut("confidential").unwrap().0.token_endpoint_auth_method =
        ClientAuthMethod::ClientSecretPost;
    let request = post("/oauth/par", &request_of_confidential(&[("client_secret", "s3cret")]));
    let request_uri = reference(&host.send(request));
    let stored = host.pushed.borrow().values().next().unwrap().request.clone();
    let stored = String::from_utf8(stored).unwrap();
    assert!(!stored.contains("client_secret") && !stored.contains("s3cret"), "{stored}");
    assert!(query(&go(&host, &request_uri, NOW)).contains_key("code"));
}

#[test]
fn a_server_that_reads_no_request_objects_says_so() {
    let server = server_with(|text| format!("{text}\nrequest_object_policy = \"off\""));
    let host = TestHost::new();
    let response = host.send_to(&server, push(&[("request", "x.y.z")]), NOW);
    assert_eq!(refusal(&response), (400, "request_not_supported".to_owned()));
}

#[test]
fn a_fault_is_server_error_and_a_line_in_the_log() {
    let server = server_with(|text| format!("{text}\nresource_indicators = [\"https://orders.example\"]"));
    for fault in ["load_client", "put_pushed_request", "allowed_resources", "claim"] {
        let host = TestHost::new();
        host.fault.set(fault);
        let request = with_proof(push(&[("resource", "https://api.example")]), &proof(&key(3), &json!({})));
        let response = host.send_to(&server, request, NOW);
        assert_eq!(refusal(&response), (500, "server_error".to_owned()), "{fault}");
        assert!(host.faults.borrow()[0].contains("is down"), "{fault}");
    }
    let host = TestHost::new();
    let request_uri = pushed(&host, &[]);
    host.fault.set("fetch_pushed_request");
    assert_eq!(go(&host, &request_uri, NOW).status, StatusCode::INTERNAL_SERVER_ERROR);
    host.fault.set("take_pushed_request");
    assert_eq!(query(&go(&host, &request_uri, NOW))["error"], "server_error");
    assert!(host.codes.borrow().is_empty());
}

/// RFC 9126 §5. FAPI 2.0: authorization request without a pushed one.
#[test]
fn where_every_request_must_be_pushed_no_other_is_honoured() {
    let server = server_with(|text| format!("{text}\nrequire_pushed_authorization_requests = true"));
    let host = TestHost::new();
    let direct = get("/oauth/authorize", Some(&request_of_confidential(&[])));
    let query_of = |request| query(&host.send_to(&server, request, NOW));
    let refused = query_of(direct);
    assert_eq!((refused["error"].as_str(), refused["state"].as_str()), ("invalid_request", "st&te=1"));
    let request_uri = pushed_to(&host, &server, &[]);
    assert!(query_of(get("/oauth/authorize", Some(&by_reference(&request_uri)))).contains_key("code"));
}

/// RFC 9126 §6.
#[test]
fn a_client_can_require_of_itself_that_it_pushes() {
    let host = TestHost::new();
    host.clients.borrow_mut().get_mut("confidential").unwrap().0.require_pushed_authorization_requests = true;
    let direct = host.send(get("/oauth/authorize", Some(&request_of_confidential(&[]))));
    assert_eq!(query(&direct)["error"], "invalid_request");
    assert!(query(&go(&host, &pushed(&host, &[]), NOW)).contains_key("code"));
    assert!(query(&host.send(authorize(&[]))).contains_key("code"), "other clients need not");
}

#[test]
fn without_an_endpoint_nothing_is_pushed() {
    let server = server_with(|text| format!("{text}\npar_enabled = false"));
    assert_eq!(TestHost::new().send_to(&server, push(&[]), NOW).status, StatusCode::NOT_FOUND);
}

#[test]
fn scripts_of_configured_origins_may_push() {
    let server = server_with(|text| format!("{text}\ncors_origins = [\"https://app.example\"]"));
    let request = with_header(push(&[]), header::ORIGIN, "https://app.example");
    let response = TestHost::new().send_to(&server, request, NOW);
    assert_eq!(response.headers["access-control-allow-origin"], "https://app.example");
}

/// RFC 9449 §10.1.
#[test]
fn the_key_of_a_proof_that_comes_with_the_push_binds_the_code() {
    let (host, key) = (TestHost::new(), key(3));
    let jkt = thumbprint(&key);
    let request_uri = reference(&host.send(with_proof(push(&[]), &proof(&key, &json!({})))));
    go(&host, &request_uri, NOW);
    assert_eq!(grant(&host).dpop_jkt.as_deref(), Some(jkt.as_str()));

    let host = TestHost::new();
    let both = with_proof(push(&[("dpop_jkt", &jkt)]), &proof(&key, &json!({})));
    go(&host, &reference(&host.send(both)), NOW);
    assert_eq!(grant(&host).dpop_jkt, Some(jkt));
}

#[test]
fn dpop_jkt_alone_binds_the_code_as_well() {
    let (host, jkt) = (TestHost::new(), thumbprint(&key(3)));
    go(&host, &pushed(&host, &[("dpop_jkt", &jkt)]), NOW);
    assert_eq!(grant(&host).dpop_jkt, Some(jkt.clone()));
    let host = TestHost::new();
    assert!(query(&host.send(authorize(&[("dpop_jkt", &jkt)]))).contains_key("code"));
    assert_eq!(grant(&host).dpop_jkt, Some(jkt));
}

/// RFC 9449 §10: 43 characters of base64url.
#[test]
fn a_dpop_jkt_that_is_no_thumbprint_is_refused() {
    let jkt = thumbprint(&key(3));
    let standard = format!("{}+", &jkt[1..]);
    let long = format!("{jkt}A");
    for bad in ["x", &jkt[1..], &long, &standard, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4J"] {
        assert_eq!(
            query(&TestHost::new().send(authorize(&[("dpop_jkt", bad)])))["error"],
            "invalid_request",
            "{bad}"
        );
    }
}

#[test]
fn where_proofs_are_not_looked_at_dpop_jkt_binds_nothing() {
    let server = server_with(|text| format!("{text}\ndpop_enabled = false"));
    let host = TestHost::new();
    let response = host.send_to(&server, authorize(&[("dpop_jkt", "x")]), NOW);
    assert!(query(&response).contains_key("code"));
    assert_eq!(grant(&host).dpop_jkt, None);
}

/// FAPI 2.0: dpop_jkt mismatch (RFC 9449 §10.1).
#[test]
fn a_proof_of_another_key_than_dpop_jkt_names_is_refused() {
    let host = TestHost::new();
    let other = thumbprint(&key(4));
    let request = with_proof(push(&[("dpop_jkt", &other)]), &proof(&key(3), &json!({})));
    assert_eq!(refusal(&host.send(request)), (400, "invalid_dpop_proof".to_owned()));
    assert!(host.pushed.borrow().is_empty());
}

#[test]
fn a_proof_is_good_for_one_push_and_a_refused_push_does_not_spend_it() {
    let (host, key) = (TestHost::new(), key(3));
    let proof = proof(&key, &json!({}));
    let refused = with_proof(push(&[("scope", "a\"b")]), &proof);
    assert_eq!(refusal(&host.send(refused)).1, "invalid_scope");
    assert!(host.claimed.borrow().is_empty());
    reference(&host.send(with_proof(push(&[]), &proof)));
    let replayed = host.send(with_proof(push(&[]), &proof));
    assert_eq!(refusal(&replayed), (400, "invalid_dpop_proof".to_owned()));
    assert_eq!(host.pushed.borrow().len(), 1);
}

#[test]
fn a_proof_that_is_wrong_or_there_twice_is_refused() {
    let key = key(3);
    for wrong in [
        json!({ "htu": "https://auth.example/oauth/token" }),
        json!({ "htm": "GET" }),
        json!({ "iat": NOW - 100 }),
    ] {
        let host = TestHost::new();
        let response = host.send(with_proof(push(&[]), &proof(&key, &wrong)));
        assert_eq!(refusal(&response), (400, "invalid_dpop_proof".to_owned()), "{wrong}");
    }
    let [one, two] = ["1", "2"].map(|jti| proof(&key, &json!({ "jti": jti })));
    let twice = TestHost::new().send(with_proof(with_proof(push(&[]), &one), &two));
    assert_eq!(refusal(&twice), (400, "invalid_dpop_proof".to_owned()));
}

/// RFC 9449 §8. FAPI 2.0: nonce required and stale.
#[test]
fn a_proof_without_the_nonce_it_needs_is_told_which() {
    let server = server_with(|text| format!("{text}\ndpop_nonce_required = true"));
    let (host, key) = (TestHost::new(), key(3));
    let response = host.send_to(&server, with_proof(push(&[]), &proof(&key, &json!({}))), NOW);
    assert_eq!(refusal(&response), (400, "use_dpop_nonce".to_owned()));
    let nonce = response.headers["dpop-nonce"].to_str().unwrap().to_owned();
    let again = with_proof(push(&[]), &proof(&key, &json!({ "nonce": nonce })));
    reference(&host.send_to(&server, again, NOW));
}

/// RFC 9126 §4: a reference is good once, whoever else presents it at the same time.
#[test]
fn who_loses_the_race_for_a_pushed_request_gets_no_code() {
    let host = TestHost::new();
    let request_uri = pushed(&host, &[]);
    host.takes_meanwhile.set(true);
    let query = query(&go(&host, &request_uri, NOW));
    assert_eq!((query["error"].as_str(), query["state"].as_str()), ("invalid_request_uri", "st&te=1"));
    assert!(host.codes.borrow().is_empty());
}

/// Shows the consent page of a pushed request, and answers it.
fn answered(host: &TestHost, request_uri: &str, allowed: bool, now: u64) -> Response {
    let grant = Secret::new(host.shown_grant.borrow().clone().unwrap());
    let parameters = host.asked.borrow().last().unwrap().parameters.clone();
    assert_eq!(parameters, by_reference(request_uri), "the pages are told the reference and nothing else");
    host.reply.replace(Some(Reply::Answered { parameters, grant, allowed }));
    host.send_to(server(), post("/account/consent", ""), now)
}

#[test]
fn a_pushed_request_outlives_the_pages_it_leads_to() {
    let host = TestHost::new();
    let request_uri = pushed(&host, &[]);
    for person in [Person::NotSignedIn, Person::MustBeAsked, Person::MustBeAsked] {
        host.person.set(person);
        assert_eq!(go(&host, &request_uri, NOW + 10).status, StatusCode::OK);
    }
    assert!(query(&answered(&host, &request_uri, true, NOW + 20)).contains_key("code"));
    assert_page(&go(&host, &request_uri, NOW + 30), "invalid_request_uri");
}

/// FAPI 2.0: user rejects authentication.
#[test]
fn a_denial_uses_a_pushed_request_up() {
    let host = TestHost::new();
    let request_uri = pushed(&host, &[]);
    host.person.set(Person::MustBeAsked);
    go(&host, &request_uri, NOW);
    assert_eq!(query(&answered(&host, &request_uri, false, NOW))["error"], "access_denied");
    assert_page(&go(&host, &request_uri, NOW), "invalid_request_uri");

    let request_uri = pushed(&host, &[]);
    host.person.set(Person::Refuses);
    assert_eq!(query(&go(&host, &request_uri, NOW))["error"], "access_denied");
    assert_page(&go(&host, &request_uri, NOW), "invalid_request_uri");
}

#[test]
fn after_a_sign_in_a_pushed_request_goes_on_by_its_reference() {
    let host = TestHost::new();
    let request_uri = pushed(&host, &[("prompt", "login")]);
    let parameters = by_reference(&request_uri);
    host.reply.replace(Some(Reply::SignedIn { parameters: parameters.clone(), set_cookie: vec![] }));
    let response = host.send(post("/account/sign-in", ""));
    assert_eq!(location(&response), Some(format!("/oauth/authorize?{parameters}").as_str()));
}

#[test]
fn prompt_login_of_a_pushed_request_is_met_by_an_authentication_since_then_and_by_none_before() {
    let host = TestHost::new();
    let request_uri = pushed(&host, &[("prompt", "login")]);
    host.owner.borrow_mut().auth_time = NOW - 1;
    assert_eq!(query(&go(&host, &request_uri, NOW + 20))["error"], "login_required");
    let demand = host.demands.borrow()[0];
    assert_eq!((demand.force_reauthentication, demand.max_age), (false, Some(20)));
    // Signed in because of it, and back: no second time, however long the rest takes.
    host.owner.borrow_mut().auth_time = NOW + 5;
    assert!(query(&go(&host, &request_uri, NOW + 250)).contains_key("code"));
}

#[test]
fn max_age_of_a_pushed_request_is_met_by_a_sign_in_since_it_was_pushed() {
    let host = TestHost::new();
    let request_uri = pushed(&host, &[("max_age", "10")]);
    host.owner.borrow_mut().auth_time = NOW - 11;
    assert_eq!(query(&go(&host, &request_uri, NOW + 20))["error"], "login_required");
    assert_eq!(host.demands.borrow()[0].max_age, Some(20));
    host.owner.borrow_mut().auth_time = NOW - 10;
    assert_eq!(query(&go(&host, &request_uri, NOW + 250))["error"], "login_required");
    host.owner.borrow_mut().auth_time = NOW;
    assert!(query(&go(&host, &request_uri, NOW + 250)).contains_key("code"));

    let host = TestHost::new();
    let request_uri = pushed(&host, &[("max_age", "0")]);
    host.owner.borrow_mut().auth_time = NOW;
    assert!(query(&go(&host, &request_uri, NOW + 250)).contains_key("code"));
}

#[test]
fn a_client_whose_tokens_are_bound_to_a_key_uses_pkce_whatever_the_operator_asks() {
    let server = server_with(|text| format!("{text}\nrequire_pkce = false"));
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let host = TestHost::new();
    reference(&host.send_to(&server, push(&without), NOW));
    host.clients.borrow_mut().get_mut("confidential").unwrap().0.dpop_bound_access_tokens = true;
    assert_eq!(refusal(&host.send_to(&server, push(&without), NOW)).1, "invalid_request");
    let host = TestHost::new();
    let server =
        server_with(|text| format!("{text}\nrequire_pkce = false\nrequire_sender_constraint = true"));
    assert_eq!(refusal(&host.send_to(&server, push(&without), NOW)).1, "invalid_request");
}
