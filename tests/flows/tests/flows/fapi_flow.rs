//! FAPI 2.0 Security Profile: pushed requests, client assertions, proofs of possession; and what is good once, asked for a
//! hundred times at the same time.

use std::collections::HashMap;

use serde_json::json;
use test_support::attesto::Attesto;
use test_support::browser::{Browser, Page};
use test_support::fapi_client::FapiClient;
use test_support::person::{answer, sign_in};

const CLIENT_CREDENTIALS: [(&str, &str); 2] =
    [("grant_type", "client_credentials"), ("scope", "orders:read")];

fn bank() -> (Attesto, FapiClient) {
    let profile = |settings: String| {
        format!("{settings}\nprofile = \"fapi2-security\"\nrevoked_tokens_enabled = true\n")
    };
    let attesto = Attesto::start_with(|manifest| manifest, profile);
    let client = FapiClient::register(&attesto, "bank", &[]);
    (attesto, client)
}

/// The answers to a hundred requests that are sent at once.
fn a_hundred(send: impl Fn() -> Page + Sync) -> Vec<Page> {
    std::thread::scope(|scope| {
        let requests: Vec<_> = (0..100).map(|_| scope.spawn(&send)).collect();
        requests.into_iter().map(|request| request.join().expect("an answer")).collect()
    })
}

/// How many answers there are of each status and error.
fn counted(answers: &[Page]) -> HashMap<(u16, String), usize> {
    let mut counts = HashMap::new();
    for answer in answers {
        let error = answer.json()["error"].as_str().unwrap_or_default().to_owned();
        *counts.entry((answer.status, error)).or_default() += 1;
    }
    counts
}

#[test]
fn a_person_signs_in_within_a_pushed_request_and_the_client_gets_tokens_bound_to_its_key() {
    let (attesto, client) = bank();
    let browser = Browser::new(attesto.issuer());
    let request = client.push("openid offline_access orders:read");
    let consent = sign_in(&browser, &request);
    let back = answer(&browser, &consent, "allow");
    assert_eq!(back.parameter("state").as_deref(), Some("af0ifjsldkj"));
    assert_eq!(back.parameter("iss"), Some(attesto.issuer()));
    let code = back.parameter("code").expect("a code");

    let tokens = client.post("/oauth/token", &FapiClient::redemption(&code));
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let tokens = tokens.json();
    assert_eq!(tokens["token_type"], "DPoP");
    let token = tokens["access_token"].as_str().expect("a token");

    let userinfo = |headers: &[(&str, &str)]| browser.post_with("/oauth/userinfo", &[], headers).status;
    assert_eq!(userinfo(&[("authorization", &format!("Bearer {token}"))]), 401, "RFC 9449 §7.2");
    assert_eq!(userinfo(&[("authorization", &format!("DPoP {token}"))]), 401, "no proof");

    // The request is used up (RFC 9126 §7.3), and so is the code.
    let again = browser.get(&request);
    assert_eq!((again.status, again.header("location")), (400, ""));
    assert!(again.body.contains("invalid_request_uri"), "{}", again.body);
    let replay = client.post("/oauth/token", &FapiClient::redemption(&code));
    assert_eq!((replay.status, &replay.json()["error"]), (400, &json!("invalid_grant")));
    let known = client.post("/oauth/introspect", &[("token", token)]);
    assert_eq!(known.json(), json!({ "active": false }), "the replay took it back");
    let revoked = client.post("/oauth/revoked", &[("since", "0")]).json();
    assert_eq!(revoked["revoked"].as_array().map(Vec::len), Some(1), "{revoked}");

    let output = attesto.output();
    for event in [
        "code_issued",
        "refresh_issued",
        "token_issued",
        "auth_denied",
        "authorization_failed",
        "code_replay_detected",
        "token_introspected",
    ] {
        assert!(output.contains(&format!("\"{event}\"")), "{event} is not in {output}");
    }
    for secret in [token, &code, "client_assertion"] {
        assert!(!output.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn of_a_hundred_presentations_of_one_proof_one_is_honoured() {
    let (_attesto, client) = bank();
    let proof = client.proof("/oauth/token", None);
    let answers = a_hundred(|| client.send("/oauth/token", &CLIENT_CREDENTIALS, &client.assertion(), &proof));
    let expected = [((200, String::new()), 1), ((400, "invalid_dpop_proof".to_owned()), 99)];
    assert_eq!(counted(&answers), expected.into());
}

#[test]
fn of_a_hundred_presentations_of_one_assertion_one_is_honoured() {
    let (_attesto, client) = bank();
    let assertion = client.assertion();
    let proof = || client.proof("/oauth/token", None);
    let answers = a_hundred(|| client.send("/oauth/token", &CLIENT_CREDENTIALS, &assertion, &proof()));
    let expected = [((200, String::new()), 1), ((400, "invalid_client".to_owned()), 99)];
    assert_eq!(counted(&answers), expected.into());
}

#[test]
fn of_a_hundred_completions_of_one_pushed_request_one_gets_a_code() {
    const SITE: &str = "https://client.example/callback";
    let (attesto, _) = bank();
    let client = FapiClient::register(&attesto, "site", &["--redirect-uri", SITE]);
    let browser = Browser::new(attesto.issuer());
    // The person has agreed before and is not asked again.
    let consent = sign_in(&browser, &client.push_to(SITE, "openid orders:read"));
    assert!(answer(&browser, &consent, "allow").parameter("code").is_some());
    let request = client.push_to(SITE, "openid orders:read");
    let answers = a_hundred(|| browser.get(&request));
    let codes = answers.iter().filter(|page| page.status == 303 && page.parameter("code").is_some()).count();
    assert_eq!(codes, 1);
    for page in answers.iter().filter(|page| page.status != 303) {
        assert!(
            page.status == 400 && page.body.contains("invalid_request_uri"),
            "{} {}",
            page.status,
            page.body
        );
    }
}

/// FAPI 2.0 Security Profile §5.3.2.2.
#[test]
fn a_request_that_was_not_pushed_is_refused() {
    let (attesto, client) = bank();
    let browser = Browser::new(attesto.issuer());
    let back = browser.get(&test_support::person::authorize(&client.client_id, "openid"));
    assert_eq!(back.parameter("error").as_deref(), Some("invalid_request"));
    assert_eq!(back.parameter("iss"), Some(attesto.issuer()));
}

/// RFC 7591 §5: whoever registers a URL must not be able to make the server call whom it can reach and they can not.
#[test]
fn keys_at_an_address_of_this_network_are_not_fetched_and_the_operator_is_told() {
    let (attesto, _) = bank();
    for (number, host) in ["10.0.0.1", "[::1]", "169.254.169.254", "localhost"].into_iter().enumerate() {
        let jwks_uri = format!("https://{host}/jwks.json");
        let client = FapiClient::register_with_jwks_uri(&attesto, &format!("client-{number}"), &jwks_uri);
        let answer = client.post("/oauth/token", &CLIENT_CREDENTIALS);
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_client")));
        let told = format!("outbound: the client has no keys: {jwks_uri}: refused: ");
        assert!(attesto.output().contains(&told), "{}", attesto.output());
    }
}
