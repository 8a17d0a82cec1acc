//! The demo user with a browser, and the demo client.

use crate::attesto::{Attesto, CLIENT_ID, PASSWORD, REDIRECT_URI, USERNAME};
use crate::browser::{Browser, Page};

/// RFC 7636 Appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Of the same place.
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The authorization request of a client for a scope.
pub fn authorize(client_id: &str, scope: &str) -> String {
    let parameter =
        |name: &str, value: &str| format!("{name}={}", value.replace(' ', "+").replace(':', "%3A"));
    let parameters = [
        parameter("response_type", "code"),
        parameter("client_id", client_id),
        parameter("redirect_uri", REDIRECT_URI),
        parameter("scope", scope),
        parameter("state", "af0ifjsldkj"),
        parameter("nonce", "n-0S6_WzA2Mj"),
        parameter("code_challenge", CHALLENGE),
        parameter("code_challenge_method", "S256"),
    ];
    format!("/oauth/authorize?{}", parameters.join("&"))
}

/// Signs in and returns what the authorization endpoint then shows.
pub fn sign_in(browser: &Browser, request: &str) -> Page {
    let page = browser.get(request);
    assert_eq!(page.status, 200, "{}", page.body);
    let signed_in =
        browser.submit(&page, "/account/sign-in", &[("username", USERNAME), ("password", PASSWORD)]);
    browser.get(signed_in.location())
}

/// Answers the consent page.
pub fn answer(browser: &Browser, consent: &Page, decision: &str) -> Page {
    browser.submit(consent, "/account/consent", &[("decision", decision)])
}

/// A code for the demo client, of a person who signs in and agrees.
pub fn code(attesto: &Attesto, scope: &str) -> String {
    let browser = Browser::new(attesto.issuer());
    let consent = sign_in(&browser, &authorize(CLIENT_ID, scope));
    answer(&browser, &consent, "allow").parameter("code").expect("a code")
}

/// Redeems a code as the demo client.
pub fn redeem(attesto: &Attesto, code: &str) -> Page {
    Browser::new(attesto.issuer()).post("/oauth/token", &token_request(code))
}

/// The demo client's token request.
pub fn token_request(code: &str) -> [(&str, &str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
        ("code", code),
    ]
}
