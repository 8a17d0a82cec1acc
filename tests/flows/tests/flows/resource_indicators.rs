//! RFC 8707: tokens for one API of several.

use attesto::jose::Algorithm;
use attesto::params;
use serde_json::{Value, json};
use test_support::attesto::{AUDIENCE, Attesto, CLIENT_ID};
use test_support::browser::{Browser, Page};
use test_support::person::{answer, authorize, sign_in, token_request};

use crate::code_flow::verified;

const ORDERS: &str = "https://orders.example/v1";
const BILLING: &str = "https://billing.example";
const NOBODYS: &str = "https://orders.example";

fn start() -> Attesto {
    let resources = format!("resource_indicators = [\"{ORDERS}\", \"{BILLING}\"]");
    Attesto::start_with(|manifest| manifest, |settings| format!("{settings}\n{resources}\n"))
}

/// The authorization request for tokens for these resources.
fn request(resources: &[&str]) -> String {
    let resources = params::encode(resources.iter().map(|resource| ("resource", *resource)));
    format!("{}&{resources}", authorize(CLIENT_ID, "openid offline_access orders:read"))
}

/// A code of a person who agrees to that.
fn code(attesto: &Attesto, resources: &[&str]) -> String {
    let browser = Browser::new(attesto.issuer());
    let consent = sign_in(&browser, &request(resources));
    answer(&browser, &consent, "allow").parameter("code").expect("a code")
}

/// A token request that names these resources.
fn token(attesto: &Attesto, fields: &[(&str, &str)], resources: &[&str]) -> Page {
    let resources = resources.iter().map(|resource| ("resource", *resource));
    let fields: Vec<_> = fields.iter().copied().chain(resources).collect();
    Browser::new(attesto.issuer()).post("/oauth/token", &fields)
}

/// A refresh request that names these resources.
fn refresh(attesto: &Attesto, tokens: &Value, resources: &[&str]) -> Page {
    let refresh_token = tokens["refresh_token"].as_str().unwrap_or_else(|| panic!("{tokens}"));
    let fields =
        [("grant_type", "refresh_token"), ("client_id", CLIENT_ID), ("refresh_token", refresh_token)];
    token(attesto, &fields, resources)
}

/// The tokens of an answer whose access token is for this audience.
#[track_caller]
fn tokens_for(attesto: &Attesto, answer: &Page, audience: &Value) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let tokens = answer.json();
    assert_eq!(
        &verified(attesto, &tokens["access_token"], Algorithm::Es256, "at+jwt")["aud"],
        audience,
        "{tokens}"
    );
    tokens
}

#[track_caller]
fn is_invalid_target(answer: &Page) {
    assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_target")), "{}", answer.body);
}

#[test]
fn a_token_is_for_the_one_resource_that_was_asked_for_and_stays_so() {
    let attesto = start();
    let code = code(&attesto, &[ORDERS]);
    let first = tokens_for(&attesto, &token(&attesto, &token_request(&code), &[]), &json!(ORDERS));
    for other in [BILLING, AUDIENCE, NOBODYS] {
        is_invalid_target(&refresh(&attesto, &first, &[other]));
    }
    let second = tokens_for(&attesto, &refresh(&attesto, &first, &[]), &json!(ORDERS));
    tokens_for(&attesto, &refresh(&attesto, &second, &[ORDERS]), &json!(ORDERS));
}

/// §2.2: the access token may be for fewer resources than were granted; the grant is for all of them still.
#[test]
fn a_grant_for_two_resources_is_narrowed_token_by_token() {
    let attesto = start();
    let code = code(&attesto, &[ORDERS, BILLING]);
    let both = json!([ORDERS, BILLING]);
    let first = tokens_for(&attesto, &token(&attesto, &token_request(&code), &[BILLING]), &json!(BILLING));
    let second = tokens_for(&attesto, &refresh(&attesto, &first, &[ORDERS]), &json!(ORDERS));
    is_invalid_target(&refresh(&attesto, &second, &[ORDERS, AUDIENCE]));
    tokens_for(&attesto, &refresh(&attesto, &second, &[]), &both);
}

#[test]
fn a_token_that_was_asked_for_no_resource_is_for_the_default_audience() {
    let attesto = start();
    let code = code(&attesto, &[]);
    let first = tokens_for(&attesto, &token(&attesto, &token_request(&code), &[]), &json!(AUDIENCE));
    is_invalid_target(&refresh(&attesto, &first, &[ORDERS]));
}

#[test]
fn a_resource_that_is_not_configured_is_an_invalid_target() {
    let attesto = start();
    let browser = Browser::new(attesto.issuer());
    for asked in [&[NOBODYS][..], &[ORDERS, NOBODYS], &["orders"], &["https://orders.example/v1#a"]] {
        let back = browser.get(&request(asked));
        assert_eq!(back.parameter("error").as_deref(), Some("invalid_target"), "{asked:?}");
        assert_eq!(back.parameter("state").as_deref(), Some("af0ifjsldkj"), "{asked:?}");
    }
    let code = code(&attesto, &[ORDERS]);
    is_invalid_target(&token(&attesto, &token_request(&code), &[NOBODYS]));
}
