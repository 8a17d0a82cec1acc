//! RFC 6749 §4.1.1–4.1.2.1, OIDC Core §3.1.2, RFC 7636, RFC 8707, RFC 9207.

use attesto::event::EventName;
use attesto::host::Reply;
use attesto::scope::Scope;
use attesto::secret::Secret;
use http::StatusCode;

use crate::host::*;

#[test]
fn a_code_comes_back_with_the_state_and_the_issuer() {
    let host = TestHost::new();
    let response = host.send(authorize(&[]));
    let query = query(&response);
    assert_eq!(query["state"], "st&te=1");
    assert_eq!(query["iss"], "https://auth.example");
    assert_eq!(query["code"].len(), 43);
    assert_eq!(query.len(), 3);
    assert_eq!(response.headers["cache-control"], "no-store");
    assert_eq!(host.event_names(), [EventName::CodeIssued]);
}

#[test]
fn a_request_by_post_is_answered_like_one_by_get() {
    let host = TestHost::new();
    let response = host.send(post("/oauth/authorize", &authorize_query(&[])));
    assert!(query(&response).contains_key("code"));
}

#[test]
fn an_untrusted_client_or_redirect_uri_is_never_redirected_to() {
    let repeated_client = format!("{}&client_id=public", authorize_query(&[]));
    let repeated_uri = format!("{}&redirect_uri=https%3A%2F%2Fclient.example%2Fcb", authorize_query(&[]));
    for untrusted in [
        authorize_query(&[("client_id", "")]),
        authorize_query(&[("client_id", "unknown")]),
        authorize_query(&[("redirect_uri", "https://evil.example/cb")]),
        authorize_query(&[("redirect_uri", "https://client.example/cb/")]),
        authorize_query(&[("redirect_uri", "https://client.example/cb?x=1")]),
        authorize_query(&[("redirect_uri", "javascript:alert(1)")]),
        authorize_query(&[("client_id", "two-uris"), ("redirect_uri", ""), ("scope", "read")]),
        repeated_client,
        repeated_uri,
        "client_id=%ff".to_owned(),
    ] {
        let host = TestHost::new();
        let response = host.send(get("/oauth/authorize", Some(&untrusted)));
        assert_eq!(response.status, StatusCode::BAD_REQUEST, "{untrusted}");
        assert_eq!(location(&response), None, "{untrusted}");
        assert!(!String::from_utf8(response.body).unwrap().contains("evil"));
    }
}

#[test]
fn every_other_refusal_goes_to_the_client_with_state_and_issuer() {
    let refusals: &[(&[(&str, &str)], &str)] = &[
        // RFC 6749 §4.1.2.1
        (&[("response_type", "")], "invalid_request"),
        (&[("response_type", "token")], "unsupported_response_type"),
        (&[("response_type", "code token")], "unsupported_response_type"),
        (&[("client_id", "grantless")], "unauthorized_client"),
        (&[("scope", "a\"b")], "invalid_scope"),
        (&[("scope", "a  b")], "invalid_scope"),
        // RFC 7636 §4.4.1
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge", "short")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        // OIDC Core §3.1.2.1, §3.1.2.6
        (&[("prompt", "none login")], "invalid_request"),
        (&[("prompt", "sing")], "invalid_request"),
        (&[("max_age", "-1")], "invalid_request"),
        (&[("request_uri", "urn:x")], "request_uri_not_supported"),
        (&[("registration", "{}")], "registration_not_supported"),
        // RFC 8707 §2
        (&[("resource", "https://other.example")], "invalid_target"),
    ];
    for (changes, error) in refusals {
        let host = TestHost::new();
        let response = host.send(authorize(changes));
        let query = query(&response);
        assert_eq!(query["error"], *error, "{changes:?}");
        assert_eq!(query["state"], "st&te=1", "{changes:?}");
        assert_eq!(query["iss"], "https://auth.example", "{changes:?}");
        assert!(!query.contains_key("code"), "{changes:?}");
        assert_eq!(host.event_names(), [EventName::AuthorizationFailed], "{changes:?}");
    }
}

#[test]
fn a_repeated_parameter_is_invalid_request_unless_it_may_repeat() {
    for name in ["scope", "nonce", "code_challenge", "response_type", "x"] {
        let host = TestHost::new();
        let response =
            host.send(get("/oauth/authorize", Some(&format!("{}&{name}=1&{name}=1", authorize_query(&[])))));
        assert_eq!(query(&response)["error"], "invalid_request", "{name}");
    }
    let host = TestHost::new();
    let resources = "resource=https%3A%2F%2Fapi.example&resource=https%3A%2F%2Fapi.example";
    let response = host.send(get("/oauth/authorize", Some(&format!("{}&{resources}", authorize_query(&[])))));
    assert!(query(&response).contains_key("code"));
}

/// However it is escaped, an answer fits the header it goes home in.
#[test]
fn a_state_of_up_to_4096_octets_is_given_back_whatever_it_is_made_of() {
    let host = TestHost::new();
    for character in ["a", "<", "\u{1}", "\"", "\\", " ", "é", "\u{1d11e}"] {
        let state = character.repeat(4096 / character.len());
        for mode in ["query", "fragment", "form_post", "query.jwt", "fragment.jwt", "form_post.jwt"] {
            let response = host.send(authorize(&[("state", &state), ("response_mode", mode)]));
            let answered = location(&response).map_or(response.body.len(), str::len);
            assert!(
                (4096 / character.len()..=64 * 1024).contains(&answered),
                "{mode} {character:?}: {answered}"
            );
            assert!(response.status.is_success() || response.status == StatusCode::SEE_OTHER);
        }
        assert_eq!(query(&host.send(authorize(&[("state", &state)])))["state"], state);
    }
}

#[test]
fn a_state_that_is_too_long_is_refused_and_not_given_back() {
    let host = TestHost::new();
    for state in ["a".repeat(4097), "<".repeat(45_000)] {
        let response = host.send(post("/oauth/authorize", &authorize_query(&[("state", &state)])));
        let query = query(&response);
        assert_eq!((query["error"].as_str(), query.get("state")), ("invalid_request", None));
        assert!(!query.contains_key("code"));
    }
}

#[test]
fn a_repeated_state_is_not_given_back() {
    let host = TestHost::new();
    let response = host.send(get("/oauth/authorize", Some(&format!("{}&state=2", authorize_query(&[])))));
    let query = query(&response);
    assert_eq!(query["error"], "invalid_request");
    assert!(!query.contains_key("state"));
}

#[test]
fn an_openid_request_names_its_redirect_uri_and_another_may_rely_on_the_only_one() {
    let host = TestHost::new();
    assert_eq!(query(&host.send(authorize(&[("redirect_uri", "")])))["error"], "invalid_request");
    assert!(query(&host.send(authorize(&[("redirect_uri", ""), ("scope", "read")]))).contains_key("code"));
}

#[test]
fn a_required_nonce_is_demanded_of_openid_requests_only() {
    let server = server_with(|text| format!("{text}\nrequire_nonce = true"));
    let host = TestHost::new();
    let response = host.send_to(&server, authorize(&[("nonce", "")]), NOW);
    assert_eq!(query(&response)["error"], "invalid_request");
    let response = host.send_to(&server, authorize(&[("nonce", ""), ("scope", "read")]), NOW);
    assert!(query(&response).contains_key("code"));
}

#[test]
fn what_openid_demands_is_demanded_of_a_default_scope_as_well() {
    let server = server_with(|text| format!("{text}\nrequire_nonce = true"));
    let host = TestHost::new();
    host.granted.replace(Some(Some(Scope::parse("openid").unwrap())));
    let without_nonce = authorize(&[("scope", ""), ("nonce", "")]);
    assert_eq!(query(&host.send_to(&server, without_nonce, NOW))["error"], "invalid_request");
    let without_uri = authorize(&[("scope", ""), ("redirect_uri", "")]);
    assert_eq!(query(&host.send_to(&server, without_uri, NOW))["error"], "invalid_request");
}

#[test]
fn an_id_token_hint_is_of_this_server_for_this_client_and_nobody_else_is_answered_for() {
    let host = TestHost::new();
    let body = json(&host.redeem(&host.code("openid")));
    let hint = body["id_token"].as_str().unwrap();
    assert!(query(&host.send(authorize(&[("id_token_hint", hint)]))).contains_key("code"));
    let expired = host.send_to(server(), authorize(&[("id_token_hint", hint)]), NOW + 10_000);
    assert!(query(&expired).contains_key("code"));

    let access_token = body["access_token"].as_str().unwrap();
    let unsigned = format!("{}.", hint.rsplit_once('.').unwrap().0);
    for bad in [access_token, &unsigned, "x", "a.b.c"] {
        assert_eq!(
            query(&host.send(authorize(&[("id_token_hint", bad)])))["error"],
            "invalid_request",
            "{bad}"
        );
    }
    let for_another = authorize(&[("client_id", "other"), ("id_token_hint", hint)]);
    assert_eq!(query(&host.send(for_another))["error"], "invalid_request");

    host.owner.borrow_mut().sub = "user:bob".to_owned();
    assert_eq!(query(&host.send(authorize(&[("id_token_hint", hint)])))["error"], "login_required");
}

#[test]
fn an_answer_is_settled_only_once_it_is_honoured() {
    let host = TestHost::new();
    answer(&host, &[], &[], true);
    assert_eq!(*host.settled.borrow(), [true]);
    answer_again(&host, &[], false, NOW);
    assert_eq!(*host.settled.borrow(), [true]);

    let host = TestHost::new();
    host.person.set(Person::MustBeAsked);
    host.send(authorize(&[]));
    answer_again(&host, &[], true, NOW + 600);
    assert!(host.settled.borrow().is_empty());
}

#[test]
fn the_issuer_parameter_can_be_turned_off() {
    let server = server_with(|text| format!("{text}\nauthorization_response_iss = false"));
    let host = TestHost::new();
    assert!(!query(&host.send_to(&server, authorize(&[]), NOW)).contains_key("iss"));
}

#[test]
fn under_prompt_none_no_page_is_shown() {
    let host = TestHost::new();
    host.person.set(Person::NotSignedIn);
    assert_eq!(query(&host.send(authorize(&[("prompt", "none")])))["error"], "login_required");
    host.person.set(Person::MustBeAsked);
    assert_eq!(query(&host.send(authorize(&[("prompt", "none")])))["error"], "consent_required");
    host.person.set(Person::AgreesAlready);
    assert!(query(&host.send(authorize(&[("prompt", "none")]))).contains_key("code"));
    assert!(host.grants.borrow().is_empty());
}

#[test]
fn pages_are_shown_where_they_may_be() {
    let host = TestHost::new();
    for (person, prompt) in [
        (Person::NotSignedIn, ""),
        (Person::AgreesAlready, "login"),
        (Person::AgreesAlready, "select_account"),
        (Person::AgreesAlready, "consent"),
        (Person::MustBeAsked, ""),
    ] {
        host.person.set(person);
        let response = host.send(authorize(&[("prompt", prompt)]));
        assert_eq!((response.status, location(&response)), (StatusCode::OK, None), "{prompt}");
    }
}

#[test]
fn an_authentication_older_than_max_age_is_not_accepted_from_the_host() {
    let host = TestHost::new();
    assert!(query(&host.send(authorize(&[("max_age", "100")]))).contains_key("code"));
    assert_eq!(query(&host.send(authorize(&[("max_age", "99")])))["error"], "login_required");
}

#[test]
fn an_authentication_that_was_not_renewed_is_not_accepted_under_prompt_login() {
    let host = TestHost::new();
    host.ignores_prompt.set(true);
    assert!(query(&host.send(authorize(&[("prompt", "login")]))).contains_key("code"), "fresh enough");
    host.owner.borrow_mut().auth_time = NOW - 301;
    assert_eq!(query(&host.send(authorize(&[("prompt", "login")])))["error"], "login_required");
}

#[test]
fn a_refusal_of_the_person_is_access_denied() {
    let host = TestHost::new();
    host.person.set(Person::Refuses);
    assert_eq!(query(&host.send(authorize(&[])))["error"], "access_denied");
    assert_eq!(host.event_names(), [EventName::AuthorizationDenied]);
}

#[test]
fn the_scope_policy_may_narrow_or_refuse_but_not_widen() {
    let host = TestHost::new();
    let scope = |text| Some(Scope::parse(text).unwrap());
    host.granted.replace(Some(scope("openid")));
    assert!(query(&host.send(authorize(&[("scope", "openid read")]))).contains_key("code"));
    host.granted.replace(Some(None));
    assert_eq!(query(&host.send(authorize(&[])))["error"], "invalid_scope");
    host.granted.replace(Some(scope("openid admin")));
    assert_eq!(query(&host.send(authorize(&[])))["error"], "server_error");
    assert_eq!(host.faults.borrow().len(), 1);
}

#[test]
fn a_fault_of_any_part_is_server_error_at_the_client_and_a_line_in_the_log() {
    for fault in ["establish", "authorize_scope", "consent", "put_code", "mint_consent_grant"] {
        let host = TestHost::new();
        host.fault.set(fault);
        if fault == "mint_consent_grant" {
            host.person.set(Person::MustBeAsked);
        }
        let response = host.send(authorize(&[]));
        assert_eq!(query(&response)["error"], "server_error", "{fault}");
        assert!(!location(&response).unwrap().contains("down"), "{fault}");
        assert!(host.faults.borrow()[0].contains("is down"), "{fault}");
    }
    let host = TestHost::new();
    host.fault.set("load_client");
    let response = host.send(authorize(&[]));
    assert_eq!((response.status, location(&response)), (StatusCode::INTERNAL_SERVER_ERROR, None));
}

#[test]
fn too_large_a_request_is_refused_with_a_page() {
    let mut request = post("/oauth/authorize", "");
    request.body = attesto::http::Body::TooLarge;
    assert_eq!(TestHost::new().send(request).status, StatusCode::PAYLOAD_TOO_LARGE);
}

/// Shows the consent page for a request and answers it.
fn answer(
    host: &TestHost,
    shown: &[(&str, &str)],
    answered: &[(&str, &str)],
    allowed: bool,
) -> attesto::http::Response {
    host.person.set(Person::MustBeAsked);
    assert_eq!(host.send(authorize(shown)).status, StatusCode::OK);
    answer_again(host, answered, allowed, NOW)
}

fn answer_again(
    host: &TestHost,
    answered: &[(&str, &str)],
    allowed: bool,
    now: u64,
) -> attesto::http::Response {
    let grant = Secret::new(host.shown_grant.borrow().clone().unwrap());
    host.reply.replace(Some(Reply::Answered { parameters: authorize_query(answered), grant, allowed }));
    host.send_to(server(), post("/account/consent", ""), now)
}

#[test]
fn consent_to_what_was_shown_leads_to_a_code() {
    let host = TestHost::new();
    assert!(query(&answer(&host, &[], &[], true)).contains_key("code"));
}

#[test]
fn a_denial_consumes_the_grant_as_well() {
    let host = TestHost::new();
    assert_eq!(query(&answer(&host, &[], &[], false))["error"], "access_denied");
    assert_eq!(answer_again(&host, &[], true, NOW).status, StatusCode::BAD_REQUEST);
}

#[test]
fn a_consent_grant_is_honoured_once() {
    let host = TestHost::new();
    assert!(query(&answer(&host, &[], &[], true)).contains_key("code"));
    let again = answer_again(&host, &[], true, NOW);
    assert_eq!((again.status, location(&again)), (StatusCode::BAD_REQUEST, None));
    assert_eq!(host.codes.borrow().len(), 1);
}

#[test]
fn consent_to_one_request_approves_no_other() {
    let other_challenge = "a".repeat(42) + "A";
    for other in [("client_id", "other"), ("scope", "openid read"), ("code_challenge", &other_challenge)] {
        let host = TestHost::new();
        let response = answer(&host, &[], &[other], true);
        assert_eq!((response.status, location(&response)), (StatusCode::BAD_REQUEST, None), "{other:?}");
        assert!(host.codes.borrow().is_empty(), "{other:?}");
        // The grant was not burnt by the attempt.
        assert!(query(&answer_again(&host, &[], true, NOW)).contains_key("code"), "{other:?}");
    }
}

#[test]
fn consent_of_one_person_is_not_that_of_another() {
    let host = TestHost::new();
    host.person.set(Person::MustBeAsked);
    host.send(authorize(&[]));
    host.owner.borrow_mut().sub = "user:mallory".to_owned();
    assert_eq!(answer_again(&host, &[], true, NOW).status, StatusCode::BAD_REQUEST);
}

#[test]
fn the_order_of_scope_values_does_not_matter_to_consent() {
    let host = TestHost::new();
    let response = answer(&host, &[("scope", "openid read")], &[("scope", "read openid")], true);
    assert!(query(&response).contains_key("code"));
}

#[test]
fn an_expired_consent_page_is_shown_again() {
    let host = TestHost::new();
    host.person.set(Person::MustBeAsked);
    host.send(authorize(&[]));
    let response = answer_again(&host, &[], true, NOW + 600);
    assert!(location(&response).unwrap().starts_with("/oauth/authorize?"));
    assert!(host.codes.borrow().is_empty());
}

#[test]
fn an_answer_without_a_session_leads_back_to_sign_in() {
    let host = TestHost::new();
    host.person.set(Person::MustBeAsked);
    host.send(authorize(&[]));
    host.person.set(Person::NotSignedIn);
    let response = answer_again(&host, &[], true, NOW);
    assert!(location(&response).unwrap().starts_with("/oauth/authorize?"));
}

#[test]
fn after_a_sign_in_the_request_goes_on_without_asking_for_another() {
    let host = TestHost::new();
    let parameters = authorize_query(&[("prompt", "login consent"), ("max_age", "0")]);
    host.reply.replace(Some(Reply::SignedIn { parameters, set_cookie: vec!["s=1".into(), "t=2".into()] }));
    let response = host.send(post("/account/sign-in", ""));
    let query = location(&response).unwrap().strip_prefix("/oauth/authorize?").unwrap();
    let params: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    assert!(params.contains(&("prompt".into(), "consent".into())));
    assert!(params.contains(&("max_age".into(), "300".into())));
    assert!(params.contains(&("client_id".into(), "public".into())));
    assert_eq!(response.headers.get_all("set-cookie").iter().count(), 2);
}

#[test]
fn a_fault_on_the_persons_pages_is_a_page() {
    let host = TestHost::new();
    host.fault.set("handle");
    let response = host.send(get("/account/sign-in", None));
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!String::from_utf8(response.body).unwrap().contains("down"));
}
