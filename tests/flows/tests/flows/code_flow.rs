//! RFC 6749 §4.1 with RFC 7636, OIDC Core §3.1, RFC 9068, RFC 9207.

use std::collections::HashSet;

use attesto::jose::{Algorithm, JwkSet, UnverifiedJws, jws};
use serde_json::{Value, json};
use test_support::attesto::{AUDIENCE, Attesto, CLIENT_ID, REDIRECT_URI};
use test_support::browser::Browser;

use test_support::person::{VERIFIER, answer, authorize, code, redeem, sign_in, token_request};

/// The claims of a token that is signed with a key the server publishes.
pub(crate) fn verified(attesto: &Attesto, token: &Value, alg: Algorithm, typ: &str) -> Value {
    let jwks = Browser::new(attesto.issuer()).get("/.well-known/jwks.json").body;
    let keys = JwkSet::from_json(jwks.as_bytes()).expect("a JWK Set");
    let policy = jws::Policy { algorithms: &[alg], typ: Some(typ) };
    let jws =
        UnverifiedJws::parse(token.as_str().expect("a token")).and_then(|jws| jws.verify(&keys, &policy));
    serde_json::from_slice(jws.expect("a token of this server").payload()).expect("claims")
}

#[test]
fn a_person_signs_in_and_consents_and_the_client_gets_tokens() {
    let attesto = Attesto::start();
    let browser = Browser::new(attesto.issuer());

    let consent = sign_in(&browser, &authorize(CLIENT_ID, "openid email orders:read"));
    assert!(consent.body.contains("Demo app"), "{}", consent.body);
    let back = answer(&browser, &consent, "allow");
    assert!(back.location().starts_with(&format!("{REDIRECT_URI}?")));
    assert_eq!(back.parameter("state").as_deref(), Some("af0ifjsldkj"));
    assert_eq!(back.parameter("iss"), Some(attesto.issuer()));

    let tokens = redeem(&attesto, &back.parameter("code").expect("a code"));
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(tokens.header("cache-control"), "no-store");
    let tokens = tokens.json();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["scope"], "openid email orders:read");

    let access = verified(&attesto, &tokens["access_token"], Algorithm::Es256, "at+jwt");
    assert_eq!(access["iss"], attesto.issuer());
    assert_eq!(access["aud"], AUDIENCE);
    assert_eq!(access["client_id"], CLIENT_ID);
    assert_eq!(access["scope"], "openid email orders:read");
    let id = verified(&attesto, &tokens["id_token"], Algorithm::Rs256, "JWT");
    assert_eq!(id["aud"], CLIENT_ID);
    assert_eq!(id["nonce"], "n-0S6_WzA2Mj");
    assert_eq!(id["sub"], access["sub"]);

    let userinfo =
        browser.get_with_token("/oauth/userinfo", tokens["access_token"].as_str().expect("a token"));
    assert_eq!(userinfo.status, 200, "{}", userinfo.body);
    assert_eq!(userinfo.json(), json!({ "sub": access["sub"], "email": "alice@example.com" }));

    // What happened is in the log; what must not leak is not.
    let output = attesto.output();
    for event in ["code_issued", "token_issued", "auth_succeeded"] {
        assert!(output.contains(event), "{event} is not in {output}");
    }
    for secret in [VERIFIER, tokens["access_token"].as_str().expect("a token"), "correct horse", "code="] {
        assert!(!output.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn a_denial_goes_back_to_the_client() {
    let attesto = Attesto::start();
    let browser = Browser::new(attesto.issuer());
    let consent = sign_in(&browser, &authorize(CLIENT_ID, "openid"));
    let back = answer(&browser, &consent, "deny");
    assert_eq!(back.parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(back.parameter("state").as_deref(), Some("af0ifjsldkj"));
    assert_eq!(back.parameter("iss"), Some(attesto.issuer()));
}

#[test]
fn a_confidential_client_authenticates_with_its_secret() {
    let attesto = Attesto::start();
    let browser = Browser::new(attesto.issuer());
    let (client_id, secret) = &attesto.confidential;
    let consent = sign_in(&browser, &authorize(client_id, "openid"));
    let code = answer(&browser, &consent, "allow").parameter("code").expect("a code");
    let request: Vec<_> = token_request(&code).into_iter().filter(|(name, _)| *name != "client_id").collect();
    let basic = |secret: &str| {
        let credentials = format!("{client_id}:{secret}");
        format!("Basic {}", base64(credentials.as_bytes()))
    };
    let wrong = browser.post_with("/oauth/token", &request, &[("authorization", &basic("wrong"))]);
    assert_eq!((wrong.status, &wrong.json()["error"]), (401, &json!("invalid_client")));
    assert!(wrong.header("www-authenticate").starts_with("Basic "));
    let right = browser.post_with("/oauth/token", &request, &[("authorization", &basic(secret))]);
    assert_eq!(right.status, 200, "{}", right.body);
}

/// RFC 4648 §4, of the engine's base64url.
pub(crate) fn base64(octets: &[u8]) -> String {
    let text = attesto::jose::base64url::encode(octets).replace('-', "+").replace('_', "/");
    let padding = (4 - text.len() % 4) % 4;
    text + &"=".repeat(padding)
}

#[test]
fn a_replayed_code_is_refused_and_revokes_what_it_had_issued() {
    let attesto = Attesto::start();
    let code = code(&attesto, "openid");
    let tokens = redeem(&attesto, &code).json();
    let token = tokens["access_token"].as_str().expect("a token");
    let browser = Browser::new(attesto.issuer());
    assert_eq!(browser.get_with_token("/oauth/userinfo", token).status, 200);

    let replay = redeem(&attesto, &code);
    assert_eq!((replay.status, &replay.json()["error"]), (400, &json!("invalid_grant")));
    let refused = browser.get_with_token("/oauth/userinfo", token);
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").contains("error=\"invalid_token\""));
    assert!(attesto.output().contains("code_replay_detected"));
}

#[test]
fn of_many_parallel_redemptions_at_most_one_is_answered_with_a_token() {
    let attesto = Attesto::start();
    let code = code(&attesto, "openid");
    let answers: Vec<_> = std::thread::scope(|scope| {
        let presentations: Vec<_> = (0..100).map(|_| scope.spawn(|| redeem(&attesto, &code))).collect();
        presentations.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });
    let statuses: HashSet<u16> = answers.iter().map(|answer| answer.status).collect();
    assert!(statuses.is_subset(&HashSet::from([200, 400])), "{statuses:?}");
    let tokens: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert!(tokens.len() <= 1, "{} tokens", tokens.len());
    // All the others presented a code that had been used: whatever was issued is worth nothing by now.
    for page in tokens {
        let token = page.json()["access_token"].as_str().expect("a token").to_owned();
        assert_eq!(Browser::new(attesto.issuer()).get_with_token("/oauth/userinfo", &token).status, 401);
    }
}

#[test]
fn a_consent_grant_is_honoured_once_and_in_its_own_session_only() {
    let attesto = Attesto::start();
    let browser = Browser::new(attesto.issuer());
    let consent = sign_in(&browser, &authorize(CLIENT_ID, "openid"));
    let stranger = Browser::new(attesto.issuer());
    let stolen = answer(&stranger, &consent, "allow");
    assert!(stolen.header("location").is_empty() || !stolen.header("location").starts_with(REDIRECT_URI));

    assert!(answer(&browser, &consent, "allow").parameter("code").is_some());
    let again = answer(&browser, &consent, "allow");
    assert_eq!((again.status, again.header("location")), (400, ""));
}

#[test]
fn a_consent_form_sent_from_another_site_is_refused() {
    let attesto = Attesto::start();
    let browser = Browser::new(attesto.issuer());
    let consent = sign_in(&browser, &authorize(CLIENT_ID, "openid"));
    let hidden = consent.form("/account/consent");
    let mut fields: Vec<_> = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.push(("decision", "allow"));
    for headers in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let refused = browser.post_with("/account/consent", &fields, &[headers]);
        assert!((400..500).contains(&refused.status), "{headers:?}: {}", refused.status);
    }
}

#[test]
fn a_wrong_password_does_not_sign_in() {
    let attesto = Attesto::start();
    let browser = Browser::new(attesto.issuer());
    let page = browser.get(&authorize(CLIENT_ID, "openid"));
    let refused =
        browser.submit(&page, "/account/sign-in", &[("username", "alice"), ("password", "wrong horse")]);
    assert_ne!(refused.status, 303);
    assert!(refused.body.contains("role=\"alert\""));
    assert_eq!(
        browser.get(&format!("{}&prompt=none", authorize(CLIENT_ID, "openid"))).parameter("error").as_deref(),
        Some("login_required")
    );
}

#[test]
fn the_session_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let attesto = Attesto::start();
    let browser = Browser::new(attesto.issuer());
    let page = browser.get(&authorize(CLIENT_ID, "openid"));
    let fields = [("username", "alice"), ("password", "correct horse battery staple")];
    let signed_in = browser.submit(&page, "/account/sign-in", &fields);
    let cookies: Vec<_> =
        signed_in.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()).collect();
    let session = cookies.iter().find(|cookie| cookie.contains("attesto_session=") && !cookie.contains("=;"));
    let session = session.unwrap_or_else(|| panic!("no session cookie: {cookies:?}"));
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(session.contains(attribute), "{session}");
    }
}
