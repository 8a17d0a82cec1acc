//! RFC 6749 §3.2, §4.1.3, §5; RFC 7636 §4.6; RFC 9068; OIDC Core §3.1.3.

use attesto::event::EventName;
use attesto::http::Body;
use attesto::jose::{Algorithm, JwkSet, NumericDate, UnverifiedJws, jws};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;

use crate::host::*;

/// `confidential:s3cret`.
pub(crate) const BASIC: &str = "Basic Y29uZmlkZW50aWFsOnMzY3JldA==";

pub(crate) fn error(response: &attesto::http::Response) -> String {
    json(response)["error"].as_str().unwrap().to_owned()
}

pub(crate) fn verified(token: &serde_json::Value, alg: Algorithm, typ: &str) -> serde_json::Value {
    let keys = JwkSet::new(KEYS.iter().map(|key| key.public_jwk(None)));
    let policy = jws::Policy { algorithms: &[alg], typ: Some(typ) };
    let jws = UnverifiedJws::parse(token.as_str().unwrap()).unwrap().verify(&keys, &policy).unwrap();
    serde_json::from_slice(jws.payload()).unwrap()
}

#[test]
fn a_code_is_exchanged_for_an_access_token_and_an_id_token() {
    let host = TestHost::new();
    let code = host.code("openid email");
    let response = host.redeem(&code);
    assert_eq!(response.status, StatusCode::OK);
    // RFC 6749 §5.1
    assert_eq!(response.headers["cache-control"], "no-store");
    assert_eq!(response.headers["pragma"], "no-cache");
    let body = json(&response);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 900);
    assert_eq!(body["scope"], "openid email");

    // RFC 9068 §2.2
    let access = verified(&body["access_token"], Algorithm::Es256, "at+jwt");
    let jti = access["jti"].as_str().unwrap().to_owned();
    assert_eq!(
        access,
        json!({
            "iss": "https://auth.example", "aud": "https://api.example", "sub": ALICE, "client_id": "public",
            "iat": NOW, "exp": NOW + 900, "jti": jti, "scope": "openid email", "auth_time": NOW - 100, "amr": ["pwd"],
        })
    );

    // OIDC Core §2, §3.1.3.6
    let id = verified(&body["id_token"], Algorithm::Rs256, "JWT");
    assert_eq!(
        id,
        json!({
            "iss": "https://auth.example", "aud": "public", "sub": ALICE, "iat": NOW, "exp": NOW + 900,
            "auth_time": NOW - 100, "amr": ["pwd"], "nonce": "n-0S6_WzA2Mj", "sid": "session-1",
            "at_hash": id["at_hash"],
        })
    );
    assert_eq!(host.event_names(), [EventName::CodeIssued, EventName::TokenIssued]);
}

#[test]
fn without_openid_there_is_no_id_token() {
    let host = TestHost::new();
    let body = json(&host.redeem(&host.code("read")));
    assert!(body.get("id_token").is_none());
}

#[test]
fn a_confidential_client_authenticates_with_basic() {
    let host = TestHost::new();
    let code = query(&host.send(authorize(&[("client_id", "confidential")]))).remove("code").unwrap();
    let request = with_header(token(&[("client_id", ""), ("code", &code)]), header::AUTHORIZATION, BASIC);
    assert_eq!(host.send(request).status, StatusCode::OK);
}

#[test]
fn an_id_token_is_signed_with_the_algorithm_the_client_registered() {
    let host = TestHost::new();
    host.clients.borrow_mut().get_mut("public").unwrap().0.id_token_signed_response_alg =
        Some("ES256".to_owned());
    let body = json(&host.redeem(&host.code("openid")));
    verified(&body["id_token"], Algorithm::Es256, "JWT");
}

#[test]
fn principal_claims_enter_the_access_token_and_cannot_be_protocol_claims() {
    let host = TestHost::new();
    host.principal_claims.replace(object(json!({ "tenant": "acme" })));
    let body = json(&host.redeem(&host.code("read")));
    assert_eq!(payload(&body["access_token"])["tenant"], "acme");
    for name in ["sub", "iss", "aud", "exp", "cnf", "scope", "client_id"] {
        host.principal_claims.replace(object(json!({ name: "x" })));
        assert_eq!(host.redeem(&host.code("read")).status, StatusCode::INTERNAL_SERVER_ERROR, "{name}");
    }
}

#[test]
fn failed_client_authentication_is_invalid_client() {
    let basic =
        |value: &str| with_header(token(&[("client_id", ""), ("code", "x")]), header::AUTHORIZATION, value);
    // In the header: 401 with a challenge of that scheme (RFC 6749 §5.2).
    for value in [
        "Basic Y29uZmlkZW50aWFsOndyb25n", // confidential:wrong
        "Basic dW5rbm93bjpzM2NyZXQ=",     // unknown:s3cret
        "Basic cHVibGljOg==",             // public: with an empty secret
        "Basic cHVibGljOnMzY3JldA==",     // public:s3cret
        "Basic !!!",
        "Bearer abc",
    ] {
        let response = TestHost::new().send(basic(value));
        assert_eq!(response.status, StatusCode::UNAUTHORIZED, "{value}");
        assert_eq!(error(&response), "invalid_client", "{value}");
        assert_eq!(
            response.headers["www-authenticate"], "Basic realm=\"OAuth\", charset=\"UTF-8\"",
            "{value}"
        );
    }
    // Anywhere else: 400 and none.
    for changes in [
        &[("client_id", "")][..],
        &[("client_id", "unknown")],
        &[("client_id", "confidential")],
        &[("client_id", "confidential"), ("client_secret", "s3cret")],
    ] {
        let response = TestHost::new().send(token(changes));
        assert_eq!(response.status, StatusCode::BAD_REQUEST, "{changes:?}");
        assert_eq!(error(&response), "invalid_client", "{changes:?}");
        assert!(!response.headers.contains_key("www-authenticate"), "{changes:?}");
    }
}

#[test]
fn malformed_requests_are_invalid_request() {
    let host = TestHost::new();
    let refused = |request, why: &str| {
        let response = host.send(request);
        assert_eq!(
            (response.status, error(&response).as_str()),
            (StatusCode::BAD_REQUEST, "invalid_request"),
            "{why}"
        );
        assert_eq!(response.headers["cache-control"], "no-store", "{why}");
    };
    refused(token(&[("code", "")]), "no code");
    refused(token(&[("grant_type", "")]), "no grant type");
    refused(post("/oauth/token", "client_id=public&client_id=public"), "a repeated parameter");
    refused(post("/oauth/token", "client_id=public&x=1&x=2"), "a repeated unknown parameter");
    refused(post("/oauth/token", "client_id=%"), "a broken escape");
    refused(post("/oauth/token", "client_id=%ff"), "not UTF-8");
    refused(with_header(token(&[("client_secret", "s3cret")]), header::AUTHORIZATION, BASIC), "two methods");
    refused(with_header(token(&[("client_id", "other")]), header::AUTHORIZATION, BASIC), "two clients");
    for query in [
        "client_id=public",
        "client_secret=x",
        "code=x",
        "code_verifier=x",
        "grant_type=authorization_code",
        "%",
    ] {
        let mut request = token(&[("code", "x")]);
        request.query = Some(query.to_owned());
        refused(request, query);
    }
    for media_type in ["application/json", "text/plain", "multipart/form-data", ""] {
        let mut request = token(&[("code", "x")]);
        request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(media_type).unwrap());
        refused(request, media_type);
    }
    let mut request = token(&[("code", "x")]);
    request.headers.remove(header::CONTENT_TYPE);
    refused(request, "no media type");
}

#[test]
fn an_oversized_body_is_refused() {
    let mut request = token(&[]);
    request.body = Body::TooLarge;
    let response = TestHost::new().send(request);
    assert_eq!(
        (response.status, error(&response).as_str()),
        (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request")
    );
}

#[test]
fn only_post_is_answered() {
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS] {
        let mut request = token(&[]);
        request.method = method.clone();
        let response = TestHost::new().send(request);
        assert_eq!(response.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(response.headers["allow"], "POST", "{method}");
    }
}

#[test]
fn grant_types_are_checked_against_server_and_client() {
    let host = TestHost::new();
    for unsupported in ["password", "implicit", "AUTHORIZATION_CODE"] {
        let response = host.send(token(&[("grant_type", unsupported)]));
        assert_eq!(
            (response.status, error(&response).as_str()),
            (StatusCode::BAD_REQUEST, "unsupported_grant_type")
        );
    }
    let response = host.send(token(&[("client_id", "grantless"), ("code", "x")]));
    assert_eq!(
        (response.status, error(&response).as_str()),
        (StatusCode::BAD_REQUEST, "unauthorized_client")
    );
}

/// Whether the code still works for its own client.
fn is_usable(host: &TestHost, code: &str) -> bool {
    host.redeem(code).status == StatusCode::OK
}

#[test]
fn a_code_is_for_the_client_it_was_issued_to_and_is_not_spent_by_another() {
    let host = TestHost::new();
    let code = host.code("openid");
    let response = host.send(token(&[("client_id", "other"), ("code", &code)]));
    assert_eq!((response.status, error(&response).as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
    assert!(is_usable(&host, &code));
}

#[test]
fn a_wrong_redirect_uri_or_verifier_spends_the_code() {
    let other_verifier = VERIFIER.replace('d', "e");
    for wrong in [
        ("redirect_uri", "https://client.example/2"),
        ("redirect_uri", ""),
        ("code_verifier", other_verifier.as_str()),
        ("code_verifier", CHALLENGE),
    ] {
        let host = TestHost::new();
        let code = host.code("openid");
        let response = host.send(token(&[("code", &code), wrong]));
        assert_eq!(
            (response.status, error(&response).as_str()),
            (StatusCode::BAD_REQUEST, "invalid_grant"),
            "{wrong:?}"
        );
        assert!(!is_usable(&host, &code), "{wrong:?}");
    }
}

#[test]
fn a_redirect_uri_the_request_did_not_name_is_wrong() {
    let host = TestHost::new();
    let code =
        query(&host.send(authorize(&[("redirect_uri", ""), ("scope", "read")]))).remove("code").unwrap();
    assert_eq!(error(&host.redeem(&code)), "invalid_grant");
    let code =
        query(&host.send(authorize(&[("redirect_uri", ""), ("scope", "read")]))).remove("code").unwrap();
    assert_eq!(host.send(token(&[("redirect_uri", ""), ("code", &code)])).status, StatusCode::OK);
}

#[test]
fn what_is_malformed_or_out_of_reach_does_not_spend_the_code() {
    let host = TestHost::new();
    let code = host.code("openid");
    assert_eq!(error(&host.send(token(&[("code", &code), ("code_verifier", "")]))), "invalid_grant");
    assert_eq!(
        error(&host.send(token(&[("code", &code), ("resource", "https://x.example")]))),
        "invalid_target"
    );
    for fault in ["load_client", "peek_code", "load_principal", "sign", "redeem_code"] {
        host.fault.set(fault);
        let response = host.redeem(&code);
        assert_eq!(
            (response.status, error(&response).as_str()),
            (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
            "{fault}"
        );
        assert!(!String::from_utf8(response.body).unwrap().contains("down"), "{fault}");
        assert!(host.faults.take()[0].contains("is down"), "{fault}");
    }
    host.fault.set("");
    assert!(is_usable(&host, &code));
}

#[test]
fn a_code_dies_at_the_second_of_its_expiry() {
    let host = TestHost::new();
    let code = host.code("openid");
    let response = host.send_to(server(), token(&[("code", &code)]), NOW + 60);
    assert_eq!(error(&response), "invalid_grant");
    let response = host.send_to(server(), token(&[("code", &code)]), NOW + 59);
    assert_eq!(response.status, StatusCode::OK);
}

#[test]
fn an_unknown_code_is_invalid_grant() {
    assert_eq!(error(&TestHost::new().redeem("unknown")), "invalid_grant");
}

#[test]
fn a_replayed_code_is_refused_and_revokes_what_it_had_issued() {
    let host = TestHost::new();
    let code = host.code("openid");
    let body = json(&host.redeem(&code));
    assert_eq!(error(&host.redeem(&code)), "invalid_grant");
    let jti = payload(&body["access_token"])["jti"].as_str().unwrap().to_owned();
    assert_eq!(host.revoked.borrow().get(&jti), Some(&(NOW + 900)));
    let names = host.event_names();
    assert_eq!(names[2..], [EventName::CodeReplayDetected, EventName::TokenRevoked, EventName::TokenDenied]);
    let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
    let response = host.send(with_header(get("/oauth/userinfo", None), header::AUTHORIZATION, &bearer));
    assert_eq!(response.status, StatusCode::UNAUTHORIZED);
}

#[test]
fn another_clients_replay_revokes_nothing() {
    let host = TestHost::new();
    let code = host.code("openid");
    host.redeem(&code);
    assert_eq!(error(&host.send(token(&[("client_id", "other"), ("code", &code)]))), "invalid_grant");
    assert!(host.revoked.borrow().is_empty());
}

#[test]
fn a_used_code_without_its_verifier_or_redirect_uri_takes_nothing_back_from_a_public_client() {
    let other_verifier = VERIFIER.replace('d', "e");
    for (wrong, refusal) in [
        (("code_verifier", other_verifier.as_str()), "invalid_grant: CodeVerifier"),
        (("code_verifier", CHALLENGE), "invalid_grant: CodeVerifier"),
        (("redirect_uri", "https://client.example/2"), "invalid_grant: RedirectUri"),
        (("redirect_uri", ""), "invalid_grant: RedirectUri"),
    ] {
        let host = TestHost::new();
        let code = host.code("openid offline_access");
        let tokens = json(&host.redeem(&code));
        let response = host.send(token(&[("code", &code), wrong]));
        assert_eq!(
            (response.status, error(&response).as_str()),
            (StatusCode::BAD_REQUEST, "invalid_grant"),
            "{wrong:?}"
        );
        assert_eq!(host.events.borrow().last().unwrap().result.as_deref(), Some(refusal));
        assert!(!host.event_names().contains(&EventName::TokenRevoked), "{wrong:?}");
        assert!(host.revoked.borrow().is_empty(), "{wrong:?}");
        let form = [("grant_type", "refresh_token"), ("client_id", "public")];
        let refresh_token = ("refresh_token", tokens["refresh_token"].as_str().unwrap());
        let form = attesto::params::encode(form.into_iter().chain([refresh_token]));
        assert_eq!(host.send(post("/oauth/token", &form)).status, StatusCode::OK, "{wrong:?}");
    }
}

#[test]
fn a_strangers_replay_during_the_redemption_does_not_disturb_it() {
    let host = TestHost::new();
    let code = host.code("openid");
    // The stranger comes between `redeem` and `finalize`.
    host.redeem(&code);
    for state in host.codes.borrow_mut().values_mut() {
        state.3 = None;
    }
    let other_verifier = VERIFIER.replace('d', "e");
    host.send(token(&[("code", &code), ("code_verifier", &other_verifier)]));
    assert!(host.codes.borrow().values().all(|(_, _, replayed, _)| !replayed));
}

#[test]
fn a_confidential_clients_replay_needs_no_further_proof() {
    for wrong in [("code_verifier", CHALLENGE), ("redirect_uri", "https://client.example/2")] {
        let host = TestHost::new();
        let code = query(&host.send(authorize(&[("client_id", "confidential")]))).remove("code").unwrap();
        let send = |change: &[(&str, &str)]| {
            let changes = [&[("client_id", ""), ("code", code.as_str())], change].concat();
            host.send(with_header(token(&changes), header::AUTHORIZATION, BASIC))
        };
        assert_eq!(send(&[]).status, StatusCode::OK);
        assert_eq!(error(&send(&[wrong])), "invalid_grant", "{wrong:?}");
        assert_eq!(host.revoked.borrow().len(), 1, "{wrong:?}");
        assert!(host.event_names().contains(&EventName::CodeReplayDetected), "{wrong:?}");
    }
}

#[test]
fn nothing_is_signed_for_a_replay() {
    let host = TestHost::new();
    let code = host.code("openid offline_access");
    host.redeem(&code);
    let before = host.signatures.get();
    assert_eq!(error(&host.redeem(&code)), "invalid_grant");
    assert_eq!(host.signatures.get(), before);
}

#[test]
fn a_replay_is_remembered_as_long_as_the_family_of_refresh_tokens_lives() {
    let server =
        server_with(|text| format!("{text}\nrefresh_token_ttl = 5000\nrefresh_token_family_ttl = 5000"));
    let redeem = |host: &TestHost, code: &str, now| host.send_to(&server, token(&[("code", code)]), now);
    for (replay, is_remembered) in [(NOW + 4999, true), (NOW + 5000, false)] {
        let host = TestHost::new();
        let code = host.code("openid offline_access");
        assert_eq!(redeem(&host, &code, NOW).status, StatusCode::OK);
        assert_eq!(error(&redeem(&host, &code, replay)), "invalid_grant");
        assert_eq!(host.event_names().contains(&EventName::TokenRevoked), is_remembered, "{replay}");
    }
    // Without a refresh token, as long as the access token does.
    let host = TestHost::new();
    let code = host.code("openid");
    redeem(&host, &code, NOW);
    assert_eq!(error(&redeem(&host, &code, NOW + 900)), "invalid_grant");
    assert!(host.revoked.borrow().is_empty());
}

#[test]
fn a_replay_during_the_redemption_keeps_the_token_from_being_delivered() {
    let host = TestHost::new();
    let code = host.code("openid");
    host.replay_during_redemption.set(true);
    assert_eq!(error(&host.redeem(&code)), "invalid_grant");
    assert_eq!(host.revoked.borrow().len(), 1);
}

#[test]
fn a_person_no_longer_admitted_gets_no_token() {
    let host = TestHost::new();
    let code = host.code("openid");
    host.disabled.borrow_mut().insert(ALICE.to_owned());
    assert_eq!(error(&host.redeem(&code)), "invalid_grant");
}

#[test]
fn a_denial_names_its_reason_to_the_operator_only() {
    let host = TestHost::new();
    let code = host.code("openid");
    let response = host.send(token(&[("client_id", "other"), ("code", &code)]));
    let events = host.events.borrow();
    let denied = events.last().unwrap();
    assert_eq!(denied.name, EventName::TokenDenied);
    assert_eq!(denied.client_id.as_deref(), Some("other"));
    assert_eq!(denied.grant_type, Some("authorization_code"));
    assert_eq!(denied.result.as_deref(), Some("invalid_grant: OtherClient"));
    assert!(!String::from_utf8(response.body).unwrap().contains("OtherClient"));
    assert!(!format!("{events:?}").contains(&code));
}

#[test]
fn times_are_those_of_the_request() {
    let body = {
        let host = TestHost::new();
        json(&host.redeem(&host.code("read")))
    };
    let claims = payload(&body["access_token"]);
    assert_eq!(NumericDate::from_secs(claims["exp"].as_u64().unwrap()).as_secs(), NOW + 900);
}

#[test]
fn a_flat_json_body_is_read_like_a_form() {
    let host = TestHost::new();
    let code = host.code("read");
    let mut request = token(&[]);
    request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let body = json!({
        "grant_type": "authorization_code", "client_id": "public", "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER, "code": code,
    });
    request.body = Body::Complete(body.to_string().into_bytes());
    assert_eq!(host.send(request).status, StatusCode::OK);
}

#[test]
fn a_secret_in_the_body_is_for_clients_registered_for_it() {
    let host = TestHost::new();
    let send = |client_id: &str, client_secret: &str| {
        let form = format!(
            "grant_type=client_credentials&client_id={client_id}&client_secret={client_secret}&scope=read"
        );
        host.send(post("/oauth/token", &form))
    };
    assert_eq!(send("machine", "m4chine").status, StatusCode::OK);
    for (client_id, client_secret) in [
        ("machine", "wrong"),
        ("confidential", "s3cret"),
        ("public", "x"),
        ("public-machine", "x"),
        ("unknown", "m4chine"),
    ] {
        let response = send(client_id, client_secret);
        assert_eq!(
            (response.status, error(&response).as_str()),
            (StatusCode::BAD_REQUEST, "invalid_client"),
            "{client_id}"
        );
        assert!(!response.headers.contains_key("www-authenticate"), "{client_id}");
    }
}

#[test]
fn a_method_the_server_does_not_support_authenticates_nobody() {
    let host = TestHost::new();
    let server = server_with(|text| {
        format!("{text}\ntoken_endpoint_auth_methods_supported = [\"client_secret_basic\"]")
    });
    for form in [
        "grant_type=client_credentials&client_id=machine&client_secret=m4chine",
        "grant_type=authorization_code&client_id=public&code=x&code_verifier=x",
    ] {
        let response = host.send_to(&server, post("/oauth/token", form), NOW);
        assert_eq!(error(&response), "invalid_client");
    }
}

#[test]
fn without_require_pkce_a_confidential_client_may_do_without() {
    let host = TestHost::new();
    let server = server_with(|text| format!("{text}\nrequire_pkce = false"));
    let ask = |client_id: &str, with: &[(&str, &str)]| {
        let bare = [("client_id", client_id), ("code_challenge", ""), ("code_challenge_method", "")];
        let changes: Vec<_> =
            bare.iter().filter(|(n, _)| !with.iter().any(|(w, _)| w == n)).copied().collect();
        query(&host.send_to(&server, authorize(&[&changes[..], with].concat()), NOW))
    };
    let redeem = |code: &str, verifier: &str| {
        let request = token(&[("client_id", ""), ("code", code), ("code_verifier", verifier)]);
        host.send_to(&server, with_header(request, header::AUTHORIZATION, BASIC), NOW)
    };
    assert_eq!(ask("public", &[])["error"], "invalid_request");
    assert_eq!(ask("confidential", &[("code_challenge_method", "S256")])["error"], "invalid_request");
    assert_eq!(redeem(&ask("confidential", &[])["code"], "").status, StatusCode::OK);
    // RFC 9700 §2.1.1: a verifier without a challenge is a downgrade somebody is trying, and spends the code.
    let code = ask("confidential", &[])["code"].clone();
    assert_eq!(error(&redeem(&code, VERIFIER)), "invalid_grant");
    assert_eq!(error(&redeem(&code, "")), "invalid_grant");
    // With a challenge, the verifier is not left out.
    let challenged = ask("confidential", &[("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]);
    assert_eq!(error(&redeem(&challenged["code"], "")), "invalid_grant");
    assert_eq!(redeem(&challenged["code"], VERIFIER).status, StatusCode::OK);
}

#[test]
fn a_principal_outside_its_kind_gets_no_token() {
    let host = TestHost::new();
    let server = server_with(|text| {
        format!(
            "{text}\n[[principal_kinds]]\nname = \"client\"\nsub_prefix = \"client_\"\n\
             [[principal_kinds]]\nname = \"person\"\nsub_prefix = \"usr_\"\nrequired_claims = [\"tenant\"]"
        )
    });
    let redeem = |code: &str| host.send_to(&server, token(&[("code", code)]), NOW);
    assert_eq!(redeem(&host.code("read")).status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(host.faults.borrow()[0].contains("`tenant`"), "{:?}", host.faults);
    host.principal_claims.borrow_mut().insert("tenant".to_owned(), "t".into());
    assert_eq!(payload(&json(&redeem(&host.code("read")))["access_token"])["tenant"], "t");
    host.owner.borrow_mut().sub = "alice".to_owned();
    assert_eq!(redeem(&host.code("read")).status, StatusCode::INTERNAL_SERVER_ERROR);
}
