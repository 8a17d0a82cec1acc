//! RFC 9101, OIDC Core §6.1, FAPI 2.0 Message Signing §5.3.1. Modules of the FAPI 2.0 plans are named where one tries the same.

use attesto::host::Reply;
use attesto::http::Response;
use attesto::secret::Secret;
use attesto::server::Server;
use http::StatusCode;
use serde_json::{Value, json};

use crate::host::*;
use crate::par::{
    assert_page, by_reference, grant, push, pushed_to, reference, refusal, request_of_confidential,
};
use crate::signing::{CLIENT_KEY, changed, host, jwks, key, signed, thumbprint};

/// What the confidential client signs.
fn claims() -> Value {
    json!({
        "iss": "confidential", "aud": "https://auth.example", "nbf": NOW - 1, "exp": NOW + 60, "iat": NOW - 1, "jti": "1",
        "client_id": "confidential", "response_type": "code", "redirect_uri": REDIRECT_URI, "scope": "openid",
        "state": "signed", "nonce": "signed-nonce", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    })
}

fn header() -> Value {
    json!({ "alg": "ES256", "typ": "oauth-authz-req+jwt" })
}

fn object(changes: Value) -> String {
    signed(&CLIENT_KEY, &header(), &changed(claims(), &changes))
}

fn with_header(changes: Value) -> String {
    signed(&CLIENT_KEY, &changed(header(), &changes), &claims())
}

fn fapi() -> Server {
    server_with(|text| format!("{text}\nrequest_object_policy = \"fapi-message-signing\"\nclock_skew = 10"))
}

/// Pushes an object and nothing else.
fn push_to(host: &TestHost, server: &Server, jwt: &str) -> Response {
    let form = attesto::params::encode([("request", jwt)]);
    host.send_to(
        server,
        crate::host::with_header(post("/oauth/par", &form), http::header::AUTHORIZATION, crate::par::BASIC),
        NOW,
    )
}

/// Brings an object to the authorization endpoint, with its client and redirect URI beside it.
fn bring_to(host: &TestHost, server: &Server, jwt: &str, now: u64) -> Response {
    let asked = attesto::params::encode([
        ("client_id", "confidential"),
        ("redirect_uri", REDIRECT_URI),
        ("response_type", "code"),
        ("state", "beside"),
        ("request", jwt),
    ]);
    host.send_to(server, get("/oauth/authorize", Some(&asked)), now)
}

/// The object is refused, at either endpoint, with this error, and nothing is kept of it.
#[track_caller]
fn assert_refused(server: &Server, jwt: &str, error: &str) {
    let host = host();
    assert_eq!(refusal(&push_to(&host, server, jwt)), (400, error.to_owned()));
    assert_eq!(query(&bring_to(&host, server, jwt, NOW))["error"], error);
    assert!(host.pushed.borrow().is_empty() && host.codes.borrow().is_empty());
}

#[track_caller]
fn assert_honoured(server: &Server, jwt: &str) {
    let host = host();
    let request_uri = reference(&push_to(&host, server, jwt));
    let response = host.send_to(server, get("/oauth/authorize", Some(&by_reference(&request_uri))), NOW);
    assert_eq!(query(&response)["state"], "signed");
    let response = bring_to(&host, server, jwt, NOW);
    assert!(query(&response).contains_key("code"));
    assert_eq!(query(&response)["state"], "signed");
}

#[test]
fn a_signed_request_is_honoured_at_both_endpoints() {
    for server in [&fapi(), server()] {
        assert_honoured(server, &object(json!({})));
    }
}

/// RFC 9101 §6.3. FAPI 2.0: unsigned parameters beside a signed request, parameters outside the object.
#[test]
fn what_stands_beside_a_signed_request_counts_for_nothing() {
    let host = host();
    let beside = push(&[
        ("request", &object(json!({ "state": null }))),
        ("scope", "openid email"),
        ("nonce", "beside"),
    ]);
    let request_uri = reference(&host.send(beside));
    let response = host.send(get("/oauth/authorize", Some(&by_reference(&request_uri))));
    assert!(!query(&response).contains_key("state"));
    let grant = grant(&host);
    assert_eq!((grant.scope.as_str(), grant.nonce.as_deref()), ("openid", Some("signed-nonce")));
}

#[test]
fn what_is_missing_in_a_signed_request_is_not_taken_from_beside_it() {
    for (absent, error) in [("response_type", "invalid_request"), ("code_challenge", "invalid_request")] {
        let jwt = object(json!({ absent: null }));
        let host = host();
        let refused = host.send(push(&[("request", &jwt)]));
        assert_eq!(refusal(&refused), (400, error.to_owned()), "{absent}");
        let asked = request_of_confidential(&[("request", &jwt)]);
        let query = query(&host.send(get("/oauth/authorize", Some(&asked))));
        assert_eq!((query["error"].as_str(), query["state"].as_str()), (error, "signed"), "{absent}");
    }
}

/// RFC 9449 §10.
#[test]
fn the_key_named_in_a_signed_request_binds_the_code() {
    let jkt = thumbprint(&key(3));
    let host = host();
    let jwt = object(json!({ "dpop_jkt": jkt }));
    let other = thumbprint(&key(4));
    let asked = request_of_confidential(&[("request", &jwt), ("dpop_jkt", &other)]);
    assert!(query(&host.send(get("/oauth/authorize", Some(&asked)))).contains_key("code"));
    assert_eq!(grant(&host).dpop_jkt, Some(jkt.clone()));
    let proof = crate::signing::proof(&key(4), &json!({}));
    let request =
        crate::host::with_header(push(&[("request", &jwt)]), http::HeaderName::from_static("dpop"), &proof);
    assert_eq!(refusal(&host.send(request)), (400, "invalid_dpop_proof".to_owned()));
}

#[test]
fn several_resources_and_numbers_are_read_as_json_has_them() {
    let host = host();
    let server = server_with(|text| format!("{text}\nresource_indicators = [\"https://orders.example\"]"));
    let resources = ["https://api.example", "https://orders.example"];
    let jwt = object(json!({ "resource": resources, "max_age": 100 }));
    assert!(query(&bring_to(&host, &server, &jwt, NOW)).contains_key("code"));
    assert_eq!(grant(&host).resources, resources);
    let jwt = object(json!({ "max_age": 99 }));
    assert_eq!(query(&bring_to(&host, &server, &jwt, NOW))["error"], "login_required");
}

/// FAPI 2.0: request object with a bad signature.
#[test]
fn an_object_somebody_else_has_signed_is_refused() {
    let forged = signed(&key(9), &header(), &claims());
    assert_refused(server(), &forged, "invalid_request_object");
    let jwt = object(json!({}));
    let mut parts: Vec<_> = jwt.split('.').map(str::to_owned).collect();
    parts[1] =
        attesto::jose::base64url::encode(changed(claims(), &json!({ "scope": "openid email" })).to_string());
    assert_refused(server(), &parts.join("."), "invalid_request_object");
}

/// FAPI 2.0: request object with alg none.
#[test]
fn an_unsigned_object_is_refused() {
    let unsigned = with_header(json!({ "alg": "none" }));
    let unsigned = format!("{}.", unsigned.rsplit_once('.').unwrap().0);
    for server in [&fapi(), server()] {
        assert_refused(server, &unsigned, "invalid_request_object");
        assert_refused(server, &with_header(json!({ "alg": "none" })), "invalid_request_object");
        assert_refused(server, &with_header(json!({ "alg": "HS256" })), "invalid_request_object");
    }
}

#[test]
fn an_object_under_an_algorithm_that_is_not_configured_or_not_the_clients_is_refused() {
    let [_, rsa] = &*KEYS;
    let host = host();
    host.clients.borrow_mut().get_mut("confidential").unwrap().0.jwks = Some(jwks(rsa));
    let jwt = signed(rsa, &changed(header(), &json!({ "alg": "RS256" })), &claims());
    assert_eq!(refusal(&push_to(&host, server(), &jwt)).1, "invalid_request_object");
    let server = server_with(|text| format!("{text}\nrequest_object_signing_algs = [\"RS256\"]"));
    reference(&push_to(&host, &server, &jwt));

    for (registered, honoured) in [("ES256", true), ("PS256", false), ("none", false)] {
        let host = self::host();
        host.clients.borrow_mut().get_mut("confidential").unwrap().0.request_object_signing_alg =
            Some(registered.to_owned());
        let response = push_to(&host, crate::host::server(), &object(json!({})));
        assert_eq!(response.status == StatusCode::CREATED, honoured, "{registered}");
    }
}

#[test]
fn what_is_no_signed_jwt_is_refused() {
    let jwt = object(json!({}));
    let encrypted = format!("{jwt}.AAAA.AAAA");
    let zipped = attesto::jose::base64url::encode(
        json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "zip": "DEF" }).to_string(),
    );
    let zipped = format!("{zipped}.AAAA.AAAA.AAAA.AAAA");
    let large = format!("{jwt}{}", "A".repeat(17_000));
    let list = signed(&CLIENT_KEY, &header(), &json!(["code"]));
    for bad in ["x", "x.y", "x.y.z", "..", &encrypted, &zipped, &large, &list] {
        assert_refused(server(), bad, "invalid_request_object");
    }
}

#[test]
fn a_client_without_keys_signs_nothing() {
    let host = TestHost::new();
    assert_eq!(refusal(&push_to(&host, server(), &object(json!({})))).1, "invalid_request_object");
}

/// FAPI 2.0: expired, no exp, no nbf, nbf over an hour old, wrong aud, wrong iss.
#[test]
fn an_object_of_fapi_says_from_whom_for_whom_and_when() {
    for changes in [
        json!({ "exp": NOW }),
        json!({ "exp": null }),
        json!({ "exp": "later" }),
        json!({ "nbf": null }),
        json!({ "nbf": NOW - 3601 }),
        json!({ "nbf": NOW + 11 }),
        json!({ "exp": NOW + 3600 }),
        json!({ "iat": NOW + 11 }),
        json!({ "aud": null }),
        json!({ "aud": "https://auth.example/" }),
        json!({ "aud": "https://auth.example/oauth/par" }),
        json!({ "aud": ["https://other.example"] }),
        json!({ "iss": null }),
        json!({ "iss": "public" }),
        json!({ "client_id": null }),
    ] {
        assert_refused(&fapi(), &object(changes), "invalid_request_object");
    }
}

/// FAPI 2.0: nbf 8 s ahead; FAPI 2.0 Message Signing §5.3.1 for the array, RFC 9101 §4 for what need not be there.
#[test]
fn an_object_of_fapi_may_come_from_a_clock_that_is_ahead() {
    for changes in [
        json!({ "nbf": NOW + 8, "iat": NOW + 8 }),
        json!({ "nbf": NOW - 3599, "exp": NOW + 1 }),
        json!({ "exp": NOW + 3599 }),
        json!({ "aud": ["https://other.example", "https://auth.example"] }),
        json!({ "iat": null, "jti": null }),
    ] {
        assert_honoured(&fapi(), &object(changes));
    }
}

#[test]
fn a_generic_object_need_not_say_all_that_and_what_it_says_must_be_right() {
    let bare = json!({ "iss": null, "aud": null, "exp": null, "nbf": null, "iat": null, "jti": null, "client_id": null });
    assert_honoured(server(), &object(bare));
    for wrong in [
        json!({ "iss": "public" }),
        json!({ "aud": "https://other.example" }),
        json!({ "exp": NOW }),
        json!({ "nbf": NOW + 60 }),
        json!({ "iat": NOW + 60 }),
    ] {
        assert_refused(server(), &object(wrong), "invalid_request_object");
    }
}

/// FAPI 2.0: typ odd.
#[test]
fn an_object_is_called_what_it_is_or_nothing() {
    for typ in [json!(null), json!("OAUTH-AUTHZ-REQ+JWT"), json!("application/oauth-authz-req+jwt")] {
        assert_honoured(&fapi(), &with_header(json!({ "typ": typ })));
    }
    for typ in ["JWT", "at+jwt", "dpop+jwt", ""] {
        assert_refused(&fapi(), &with_header(json!({ "typ": typ })), "invalid_request_object");
    }
    assert_honoured(server(), &with_header(json!({ "typ": "JWT" })));
    assert_refused(server(), &with_header(json!({ "typ": "at+jwt" })), "invalid_request_object");
}

/// RFC 9101 §6.3. FAPI 2.0: request object of another client_id.
#[test]
fn the_client_id_of_an_object_is_the_one_of_the_request() {
    for server in [&fapi(), server()] {
        assert_refused(server, &object(json!({ "client_id": "public" })), "invalid_request");
    }
}

/// RFC 9101 §4.
#[test]
fn an_object_has_no_other_request_within() {
    let jwt = object(json!({}));
    for nested in [json!({ "request": jwt }), json!({ "request_uri": "urn:ietf:params:oauth:request_uri:x" })]
    {
        assert_refused(server(), &object(nested), "invalid_request_object");
    }
}

#[test]
fn an_answer_goes_to_a_registered_uri_also_where_another_is_signed() {
    let host = host();
    let jwt = object(json!({ "redirect_uri": "https://evil.example/cb" }));
    assert_eq!(refusal(&push_to(&host, server(), &jwt)), (400, "invalid_request".to_owned()));
    let response = bring_to(&host, server(), &jwt, NOW);
    assert_page(&response, "invalid_request");
    assert!(!String::from_utf8(response.body).unwrap().contains("evil"));
}

#[test]
fn where_nothing_beside_a_bad_object_says_where_to_say_so_the_person_sees_a_page() {
    let host = host();
    for uri in ["https://evil.example/cb", ""] {
        host.clients.borrow_mut().get_mut("confidential").unwrap().0.redirect_uris =
            vec![REDIRECT_URI.to_owned(), "https://client.example/2".to_owned()];
        let asked = request_of_confidential(&[("request", "x.y.z"), ("redirect_uri", uri)]);
        assert_page(&host.send(get("/oauth/authorize", Some(&asked))), "invalid_request_object");
    }
}

#[test]
fn the_error_of_a_bad_object_takes_the_way_asked_for_beside_it() {
    let asked = request_of_confidential(&[("request", "x.y.z"), ("response_mode", "fragment")]);
    let response = host().send(get("/oauth/authorize", Some(&asked)));
    assert!(
        location(&response).unwrap().starts_with("https://client.example/cb#error=invalid_request_object")
    );
}

#[test]
fn a_server_that_reads_no_objects_says_so() {
    let server = server_with(|text| format!("{text}\nrequest_object_policy = \"off\""));
    assert_refused(&server, &object(json!({})), "request_not_supported");
}

/// RFC 9101 §10.5.
#[test]
fn where_every_request_must_be_signed_no_other_is_honoured() {
    let server = server_with(|text| format!("{text}\nrequire_signed_request_object = true"));
    let host = host();
    assert_eq!(refusal(&host.send_to(&server, push(&[]), NOW)), (400, "invalid_request".to_owned()));
    let direct = get("/oauth/authorize", Some(&request_of_confidential(&[])));
    assert_eq!(query(&host.send_to(&server, direct, NOW))["error"], "invalid_request");
    assert_honoured(&server, &object(json!({})));
}

#[test]
fn a_client_can_require_of_itself_that_it_signs() {
    let host = host();
    let before = pushed_to(&host, server(), &[]);
    host.clients.borrow_mut().get_mut("confidential").unwrap().0.require_signed_request_object = true;
    assert_eq!(refusal(&host.send(push(&[]))), (400, "invalid_request".to_owned()));
    let direct = host.send(get("/oauth/authorize", Some(&request_of_confidential(&[]))));
    assert_eq!(query(&direct)["error"], "invalid_request");
    let pushed_before = host.send(get("/oauth/authorize", Some(&by_reference(&before))));
    assert_eq!(query(&pushed_before)["error"], "invalid_request");
    assert!(query(&bring_to(&host, server(), &object(json!({})), NOW)).contains_key("code"));
    assert!(query(&host.send(authorize(&[]))).contains_key("code"), "other clients need not");
}

#[test]
fn a_signed_request_that_was_not_pushed_is_not_a_pushed_one() {
    let server = server_with(|text| format!("{text}\nrequire_pushed_authorization_requests = true"));
    let host = host();
    let query = query(&bring_to(&host, &server, &object(json!({})), NOW));
    assert_eq!((query["error"].as_str(), query["state"].as_str()), ("invalid_request", "beside"));
    assert!(host.pushed.borrow().is_empty());
}

#[test]
fn an_object_beside_a_foreign_request_uri_is_not_looked_at() {
    let asked = request_of_confidential(&[
        ("request", &object(json!({}))),
        ("request_uri", "https://client.example/r"),
    ]);
    let response = host().send(get("/oauth/authorize", Some(&asked)));
    assert_eq!(query(&response)["error"], "request_uri_not_supported");
}

/// The pages bring a reference back, so that the object may expire meanwhile; a session of pages ends in one code.
#[test]
fn a_request_object_is_needed_once_also_without_an_endpoint_to_push_to() {
    let server = server_with(|text| format!("{text}\npar_enabled = false"));
    let host = host();
    host.person.set(Person::MustBeAsked);
    assert_eq!(bring_to(&host, &server, &object(json!({})), NOW).status, StatusCode::OK);
    let parameters = host.asked.borrow().last().unwrap().parameters.clone();
    assert!(
        parameters
            .starts_with("client_id=confidential&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A")
    );
    assert_eq!(host.pushed.borrow().len(), 1);
    let answer = || {
        let grant = Secret::new(host.shown_grant.borrow().clone().unwrap());
        host.reply.replace(Some(Reply::Answered { parameters: parameters.clone(), grant, allowed: true }));
        host.send_to(&server, post("/account/consent", ""), NOW + 500)
    };
    let query = query(&answer());
    assert_eq!(query["state"], "signed");
    assert!(query.contains_key("code"));
    assert_page(&answer(), "invalid_request_uri");
}

#[test]
fn prompt_login_of_a_signed_request_does_not_ask_again_after_a_sign_in() {
    let host = host();
    let jwt = object(json!({ "prompt": "login" }));
    assert_eq!(query(&bring_to(&host, server(), &jwt, NOW))["error"], "login_required");
    let parameters = host.asked.borrow().last().unwrap().parameters.clone();
    host.owner.borrow_mut().auth_time = NOW + 5;
    let response = host.send_to(server(), get("/oauth/authorize", Some(&parameters)), NOW + 30);
    assert!(query(&response).contains_key("code"));
}

#[test]
fn a_fault_while_an_object_is_kept_is_server_error() {
    let host = host();
    host.fault.set("put_pushed_request");
    assert_eq!(query(&bring_to(&host, server(), &object(json!({})), NOW))["error"], "server_error");
    assert!(host.faults.borrow()[0].contains("is down"));
}
