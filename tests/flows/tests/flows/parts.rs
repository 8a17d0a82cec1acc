//! Parts are replaced through the manifest, and can do no more than it gives them.

use test_support::attesto::{Attesto, CLIENT_ID, check, component};
use test_support::browser::Browser;

use test_support::person::{answer, authorize, sign_in};

fn with_part(package: &'static str, replacement: &'static str) -> impl FnOnce(String) -> String {
    move |manifest| {
        let own = format!("target/components/{package}.wasm");
        assert!(manifest.contains(&own), "the manifest names {own}");
        component(replacement);
        manifest.replace(&own, &format!("target/components/{replacement}.wasm"))
    }
}

#[test]
fn other_rules_decide_otherwise() {
    let attesto = Attesto::start_with(with_part("rules", "other_rules"), |settings| settings);
    let browser = Browser::new(attesto.issuer());
    let consent = sign_in(&browser, &authorize(CLIENT_ID, "openid email"));
    let code = answer(&browser, &consent, "allow").parameter("code").expect("a code");
    let tokens = test_support::person::redeem(&attesto, &code).json();
    assert_eq!(tokens["scope"], "openid");
    let refused = browser.get(&authorize(CLIENT_ID, "openid profile"));
    assert_eq!(refused.parameter("error").as_deref(), Some("invalid_scope"));
    assert!(attesto.output().contains("other-rules saw"), "{}", attesto.output());
}

#[test]
fn an_event_sink_that_never_answers_holds_no_response_up_for_long() {
    let attesto = Attesto::start_with(with_part("rules", "other_rules"), |settings| settings);
    let browser = Browser::new(attesto.issuer());
    let denied = || {
        let page = browser.post("/oauth/token", &[("client_id", CLIENT_ID), ("grant_type", "none")]);
        assert_eq!(page.status, 400, "{}{}", page.body, attesto.output());
    };
    denied();
    denied();
    assert!(attesto.output().contains("took too long over TokenDenied"), "{}", attesto.output());
    // Whatever happened to the waiting call, the server goes on.
    let code = test_support::person::code(&attesto, "openid");
    assert_eq!(test_support::person::redeem(&attesto, &code).status, 200);
}

#[test]
fn a_people_part_that_wants_the_key_variable_is_refused_by_name() {
    let (good, message) = check(with_part("people", "hostile_people"), |settings| settings);
    assert!(!good);
    for named in ["attesto:people", "spin:variables", "variables"] {
        assert!(message.contains(named), "{named} is not in: {message}");
    }
}

#[test]
fn the_repositorys_own_application_is_good() {
    let (good, message) = check(|manifest| manifest, |settings| settings);
    assert!(good, "{message}");
}

#[test]
fn bad_settings_are_refused_before_anything_starts_naming_the_keys() {
    let (good, message) = check(
        |manifest| manifest,
        |settings| {
            settings
                .replace("http://localhost:8080", "http://auth.example")
                .replace("audience = \"http", "audience = \"x")
        },
    );
    assert!(!good);
    assert!(message.contains("`issuer`"), "{message}");
    let (good, message) = check(|manifest| manifest, |settings| format!("{settings}\nacces_token_ttl = 1"));
    assert!(!good && message.contains("acces_token_ttl"), "{message}");
}
