//! A signed request that the browser brings to the authorization endpoint (RFC 9101, OIDC Core §6.1).

use attesto::jose::base64url::encode;
use attesto::jose::{Algorithm, SigningKey};
use attesto::params;
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use serde_json::{Value, json};
use test_support::attesto::{Attesto, REDIRECT_URI};
use test_support::browser::{Browser, Page};
use test_support::fapi_client::signed;
use test_support::person::{CHALLENGE, answer, sign_in, token_request};

use crate::code_flow::verified;

/// A public client that must sign its requests.
const CLIENT_ID: &str = "signer";

/// A server that knows the client, and the client's key.
fn start() -> (Attesto, SigningKey) {
    let attesto = Attesto::start();
    let key = key(1);
    let jwks = json!({ "keys": [key.public_jwk(Some("client-1")).to_value()] }).to_string();
    let file = attesto.file("signer.jwks.json", &jwks);
    let client = ["clients", "add", "--state", "state.db", "--client-id", CLIENT_ID, "--name", "Signing app"];
    let signs = ["--redirect-uri", REDIRECT_URI, "--jwks", &file, "--require-signed-request"];
    attesto.command(&[&client[..], &signs].concat());
    (attesto, key)
}

fn key(seed: u64) -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &mut ChaCha20Rng::seed_from_u64(seed)).expect("a key can be made")
}

/// A request object of these claims, changed.
fn object(attesto: &Attesto, key: &SigningKey, changes: Value) -> String {
    let mut claims = json!({
        "iss": CLIENT_ID, "aud": attesto.issuer(), "client_id": CLIENT_ID, "response_type": "code",
        "redirect_uri": REDIRECT_URI, "scope": "openid email", "state": "signed", "nonce": "signed-nonce",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    });
    for (name, value) in changes.as_object().expect("members") {
        claims[name] = value.clone();
    }
    let header = json!({ "alg": "ES256", "kid": "client-1", "typ": "oauth-authz-req+jwt" });
    signed(key, &header, &claims)
}

/// The browser is sent to the authorization endpoint with this object and, beside it, what OIDC Core §6.1 wants there and more.
fn request(object: &str) -> String {
    let beside = [
        ("client_id", CLIENT_ID),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "openid orders:read"),
        ("state", "beside"),
        ("nonce", "beside"),
        ("request", object),
    ];
    format!("/oauth/authorize?{}", params::encode(beside))
}

fn is_refused(back: &Page, error: &str) {
    assert!(back.location().starts_with(&format!("{REDIRECT_URI}?")), "{}", back.location());
    assert_eq!(back.parameter("error").as_deref(), Some(error), "{}", back.location());
    assert!(back.parameter("code").is_none());
}

/// RFC 9101 §6.3: "MUST only use the parameters in the Request Object, even if the same parameter is provided in the query".
#[test]
fn a_signed_request_leads_to_what_was_signed_and_to_nothing_that_stood_beside_it() {
    let (attesto, key) = start();
    let browser = Browser::new(attesto.issuer());
    let consent = sign_in(&browser, &request(&object(&attesto, &key, json!({}))));
    assert!(consent.body.contains("Signing app"), "{}", consent.body);
    let back = answer(&browser, &consent, "allow");
    assert!(back.location().starts_with(&format!("{REDIRECT_URI}?")), "{}", back.location());
    assert_eq!(back.parameter("state").as_deref(), Some("signed"));
    let code = back.parameter("code").expect("a code");

    let fields = token_request(&code).map(|(name, value)| match name {
        "client_id" => (name, CLIENT_ID),
        _ => (name, value),
    });
    let tokens = browser.post("/oauth/token", &fields);
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let tokens = tokens.json();
    assert_eq!(tokens["scope"], "openid email");
    let id = verified(&attesto, &tokens["id_token"], Algorithm::Rs256, "JWT");
    assert_eq!((&id["aud"], &id["nonce"]), (&json!(CLIENT_ID), &json!("signed-nonce")));
}

#[test]
fn the_way_of_the_answer_is_the_signed_one() {
    let (attesto, key) = start();
    let browser = Browser::new(attesto.issuer());
    let signed = object(&attesto, &key, json!({ "response_mode": "fragment" }));
    let back = answer(&browser, &sign_in(&browser, &request(&signed)), "deny");
    assert!(back.location().starts_with(&format!("{REDIRECT_URI}#")), "{}", back.location());
}

#[test]
fn a_request_that_is_not_signed_is_refused_to_a_client_that_signs() {
    let (attesto, _) = start();
    let unsigned = test_support::person::authorize(CLIENT_ID, "openid");
    is_refused(&Browser::new(attesto.issuer()).get(&unsigned), "invalid_request");
}

#[test]
fn an_object_that_is_forged_unsigned_expired_or_for_another_server_is_refused() {
    let (attesto, key) = start();
    let good = object(&attesto, &key, json!({}));
    let (input, _) = good.rsplit_once('.').expect("a signature");
    let (_, claims) = input.split_once('.').expect("a header");
    for bad in [
        object(&attesto, &self::key(3), json!({})),
        format!("{}.{claims}.", encode(r#"{"alg":"none"}"#)),
        object(&attesto, &key, json!({ "exp": 1 })),
        object(&attesto, &key, json!({ "aud": "https://other.example" })),
        object(&attesto, &key, json!({ "iss": "demo" })),
    ] {
        is_refused(&Browser::new(attesto.issuer()).get(&request(&bad)), "invalid_request_object");
    }
}

/// The answer goes where a registered URI says, whoever has signed another.
#[test]
fn a_signed_redirect_uri_that_is_not_registered_gets_a_page_and_no_redirect() {
    let (attesto, key) = start();
    let elsewhere = object(&attesto, &key, json!({ "redirect_uri": "https://evil.example/callback" }));
    let page = Browser::new(attesto.issuer()).get(&request(&elsewhere));
    assert_eq!((page.status, page.header("location")), (400, ""), "{}", page.body);
}
