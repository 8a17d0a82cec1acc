//! How an answer gets to the client, and whether it is signed (OAuth 2.0 Multiple Response Type Encoding Practices §2.1, OAuth
//! 2.0 Form Post Response Mode, JARM).

use attesto::jose::Algorithm;
use attesto::params::Params;
use attesto::secret::Digest;
use serde_json::Value;
use test_support::attesto::{Attesto, CLIENT_ID, REDIRECT_URI};
use test_support::browser::{Browser, Page};
use test_support::person::{answer, authorize, redeem, sign_in};

use crate::code_flow::{base64, verified};

/// What the browser has to deliver once the person has decided.
fn decided(attesto: &Attesto, request: &str, decision: &str) -> Page {
    let browser = Browser::new(attesto.issuer());
    let consent = sign_in(&browser, request);
    answer(&browser, &consent, decision)
}

/// The demo client's request for an answer in this mode.
fn in_mode(mode: &str) -> String {
    format!("{}&response_mode={mode}", authorize(CLIENT_ID, "openid"))
}

/// What stands between the page's only pair of these tags.
fn only<'p>(page: &'p Page, opening: &str, closing: &str) -> &'p str {
    let element = opening.trim_end_matches('>');
    assert_eq!(page.body.matches(element).count(), 1, "{}", page.body);
    let (_, rest) = page.body.split_once(opening).unwrap_or_else(|| panic!("no {opening}: {}", page.body));
    rest.split_once(closing).unwrap_or_else(|| panic!("no {closing}: {}", page.body)).0
}

/// The parameters of the form that is posted to the client.
fn posted(page: &Page) -> Params {
    assert_eq!((page.status, page.header("location")), (200, ""), "{}", page.body);
    assert!(only(page, "<form", "</form>").contains("method=\"post\""), "{}", page.body);
    Params::new(page.form(REDIRECT_URI)).expect("parameters")
}

/// The parameters in the fragment of the redirect URI.
fn in_fragment(page: &Page) -> Params {
    let location = page.location();
    let fragment = location.strip_prefix(&format!("{REDIRECT_URI}#"));
    Params::parse(fragment.unwrap_or_else(|| panic!("{location}")).as_bytes()).expect("parameters")
}

fn one(params: &Params, name: &str) -> String {
    params.one(name).expect("once").unwrap_or_else(|| panic!("no {name}: {params:?}")).to_owned()
}

/// An unsigned answer: its code is good, and its state and issuer are there.
fn is_good(attesto: &Attesto, params: &Params) {
    assert_eq!((one(params, "state"), one(params, "iss")), ("af0ifjsldkj".to_owned(), attesto.issuer()));
    assert!(!params.has("response"), "{params:?}");
    let tokens = redeem(attesto, &one(params, "code"));
    assert_eq!(tokens.status, 200, "{}", tokens.body);
}

/// The claims of a signed answer, which is all there is.
fn signed(attesto: &Attesto, params: &Params) -> Value {
    for beside in ["code", "error", "state", "iss"] {
        assert!(!params.has(beside), "{params:?}");
    }
    let claims = verified(attesto, &one(params, "response").into(), Algorithm::Rs256, "JWT");
    assert_eq!((&claims["iss"], &claims["aud"]), (&attesto.issuer().into(), &CLIENT_ID.into()), "{claims}");
    assert_eq!(claims["state"], "af0ifjsldkj", "{claims}");
    assert!(claims["exp"].is_u64(), "{claims}");
    claims
}

#[test]
fn a_form_post_is_a_page_with_one_form_for_the_client() {
    let attesto = Attesto::start();
    let page = decided(&attesto, &in_mode("form_post"), "allow");
    is_good(&attesto, &posted(&page));
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    // Form Post Response Mode §4: "MUST instruct the User Agent […] not to store or reuse the content of the response".
    assert_eq!(page.header("cache-control"), "no-store");
    let denied = posted(&decided(&attesto, &in_mode("form_post"), "deny"));
    assert_eq!(
        (one(&denied, "error"), one(&denied, "state")),
        ("access_denied".into(), "af0ifjsldkj".into())
    );
    assert!(!denied.has("code"), "{denied:?}");
}

#[test]
fn the_script_of_a_form_post_is_the_one_its_policy_admits() {
    let attesto = Attesto::start();
    for (mode, decision) in [("form_post", "allow"), ("form_post.jwt", "allow"), ("form_post", "deny")] {
        let page = decided(&attesto, &in_mode(mode), decision);
        let hash = base64(Digest::of(only(&page, "<script>", "</script>").as_bytes()).as_bytes());
        assert_eq!(page.headers.get_all("content-security-policy").iter().count(), 1, "{mode}");
        let policy = page.header("content-security-policy");
        let directives: Vec<_> = policy.split(';').map(str::trim).collect();
        for directive in [
            "default-src 'none'",
            &format!("script-src 'sha256-{hash}'"),
            "form-action http: https:",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(directives.contains(&directive), "{mode}: no {directive} in {policy}");
        }
    }
}

#[test]
fn what_a_client_says_stays_text_on_the_page_of_a_form_post() {
    let state = r#""><script>alert(1)</script>'&b=1"#;
    let attesto = Attesto::start();
    let encoded = attesto::params::encode([("state", state)]);
    let page = decided(&attesto, &in_mode("form_post").replace("state=af0ifjsldkj", &encoded), "allow");
    assert_eq!(one(&posted(&page), "state"), state);
    assert!(!only(&page, "<script>", "</script>").contains("alert"), "{}", page.body);
}

#[test]
fn an_answer_in_the_fragment_is_nowhere_else() {
    let attesto = Attesto::start();
    let page = decided(&attesto, &in_mode("fragment"), "allow");
    is_good(&attesto, &in_fragment(&page));
    assert_eq!(page.header("cache-control"), "no-store");
    let denied = in_fragment(&decided(&attesto, &in_mode("fragment"), "deny"));
    assert_eq!((one(&denied, "error"), one(&denied, "iss")), ("access_denied".to_owned(), attesto.issuer()));
    assert!(!denied.has("code"), "{denied:?}");
}

#[test]
fn a_signed_answer_in_a_form_or_the_fragment_says_who_to_whom_and_until_when() {
    let attesto = Attesto::start();
    for (mode, read) in [("form_post.jwt", posted as fn(&Page) -> Params), ("fragment.jwt", in_fragment)] {
        let claims = signed(&attesto, &read(&decided(&attesto, &in_mode(mode), "allow")));
        let tokens = redeem(&attesto, claims["code"].as_str().unwrap_or_else(|| panic!("{claims}")));
        assert_eq!(tokens.status, 200, "{mode}: {}", tokens.body);
        let denied = signed(&attesto, &read(&decided(&attesto, &in_mode(mode), "deny")));
        assert_eq!((&denied["error"], denied.get("code")), (&"access_denied".into(), None), "{mode}");
    }
}

#[test]
fn a_mode_there_is_not_is_refused_in_the_query() {
    let attesto = Attesto::start();
    let back = Browser::new(attesto.issuer()).get(&in_mode("web_message"));
    assert_eq!(back.parameter("error").as_deref(), Some("invalid_request"));
}
