//! OAuth 2.0 Multiple Response Type Encoding Practices §2.1, OAuth 2.0 Form Post Response Mode, JARM.

use std::collections::HashMap;

use attesto::http::Response;
use attesto::jose::{Algorithm, JwkSet, UnverifiedJws, jws};
use http::StatusCode;
use serde_json::{Value, json};

use crate::host::*;

const PLAIN: [&str; 3] = ["query", "fragment", "form_post"];
const SIGNED: [&str; 4] = ["jwt", "query.jwt", "fragment.jwt", "form_post.jwt"];

/// The parameters that reach [`REDIRECT_URI`] in this mode, as the client reads them.
fn answer(mode: &str, response: &Response) -> HashMap<String, String> {
    let decoded = |text: &str| form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    assert_eq!(response.headers["cache-control"], "no-store");
    match mode {
        "query" | "jwt" | "query.jwt" => query(response),
        "fragment" | "fragment.jwt" => {
            assert_eq!(response.status, 303);
            let location = location(response).unwrap();
            decoded(
                location.strip_prefix("https://client.example/cb#").unwrap_or_else(|| panic!("{location}")),
            )
        }
        _ => posted(response),
    }
}

/// The hidden inputs of the page, unescaped.
fn posted(response: &Response) -> HashMap<String, String> {
    assert_eq!((response.status, location(response)), (StatusCode::OK, None));
    let page = String::from_utf8(response.body.clone()).unwrap();
    assert!(page.contains("<form method=\"post\" action=\"https://client.example/cb\">"), "{page}");
    let inputs = page.split("<input type=\"hidden\" name=\"").skip(1);
    inputs
        .map(|input| {
            let (name, rest) = input.split_once("\" value=\"").unwrap();
            (unescaped(name), unescaped(rest.split_once("\">").unwrap().0))
        })
        .collect()
}

/// HTML's numeric character references undone.
fn unescaped(text: &str) -> String {
    assert!(!text.contains(['<', '>', '"', '\'']), "{text}");
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        let (reference, rest) = part.split_once(';').unwrap();
        let code = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference}"));
        plain.push(char::from_u32(code.parse().unwrap()).unwrap());
        plain.push_str(rest);
    }
    plain
}

/// The claims of a signed answer, which is all that reaches the client.
fn claims(mode: &str, response: &Response, alg: Algorithm) -> Value {
    let answer = answer(mode, response);
    assert_eq!(answer.len(), 1, "{answer:?}");
    let jwks = TestHost::new().send(get("/.well-known/jwks.json", None)).body;
    let policy = jws::Policy { algorithms: &[alg], typ: None };
    let jws = UnverifiedJws::parse(&answer["response"]).unwrap();
    assert_eq!(jws.header().alg, alg);
    let verified = jws.verify(&JwkSet::from_json(&jwks).unwrap(), &policy).unwrap();
    serde_json::from_slice(verified.payload()).unwrap()
}

#[test]
fn a_code_gets_to_the_client_the_way_it_asked_for() {
    for mode in PLAIN {
        let answer = answer(mode, &TestHost::new().send(authorize(&[("response_mode", mode)])));
        assert_eq!((answer["state"].as_str(), answer["code"].len()), ("st&te=1", 43), "{mode}");
        assert_eq!((answer["iss"].as_str(), answer.len()), ("https://auth.example", 3), "{mode}");
    }
}

#[test]
fn an_error_takes_the_same_way_whatever_else_is_wrong() {
    for changes in
        [("scope", "a\"b"), ("response_type", "token"), ("response_type", ""), ("prompt", "none login")]
    {
        for mode in PLAIN {
            let host = TestHost::new();
            let answer = answer(mode, &host.send(authorize(&[changes, ("response_mode", mode)])));
            assert_eq!(
                (answer["state"].as_str(), answer["iss"].as_str()),
                ("st&te=1", "https://auth.example")
            );
            assert!(answer.contains_key("error") && !answer.contains_key("code"), "{mode}: {changes:?}");
        }
        for mode in SIGNED {
            let host = TestHost::new();
            let response = host.send(authorize(&[changes, ("response_mode", mode)]));
            let claims = claims(mode, &response, Algorithm::Rs256);
            assert!(claims["error"].is_string() && claims.get("code").is_none(), "{mode}: {changes:?}");
        }
    }
}

/// FAPI 2.0 Message Signing: JARM, `iss`, `aud` and `exp` (JARM §2.1).
#[test]
fn a_signed_answer_says_who_to_whom_and_until_when() {
    for mode in SIGNED {
        let claims =
            claims(mode, &TestHost::new().send(authorize(&[("response_mode", mode)])), Algorithm::Rs256);
        assert_eq!(claims["iss"], "https://auth.example", "{mode}");
        assert_eq!(claims["aud"], "public", "{mode}");
        let exp = claims["exp"].as_u64().unwrap();
        assert!((NOW + 1..=NOW + 600).contains(&exp), "{mode}: {exp}");
        assert_eq!(claims["state"], "st&te=1", "{mode}");
        assert_eq!(claims["code"].as_str().unwrap().len(), 43, "{mode}");
        assert_eq!(claims.as_object().unwrap().len(), 5, "{mode}: {claims}");
    }
}

#[test]
fn a_signed_error_says_the_same_and_why() {
    for mode in SIGNED {
        let host = TestHost::new();
        host.person.set(Person::Refuses);
        let claims = claims(mode, &host.send(authorize(&[("response_mode", mode)])), Algorithm::Rs256);
        assert_eq!(
            (&claims["iss"], &claims["aud"]),
            (&json!("https://auth.example"), &json!("public")),
            "{mode}"
        );
        assert_eq!(
            (&claims["error"], &claims["state"]),
            (&json!("access_denied"), &json!("st&te=1")),
            "{mode}"
        );
    }
}

/// JARM §3 `authorization_signed_response_alg`.
#[test]
fn a_client_chooses_the_algorithm_of_its_answers() {
    let host = TestHost::new();
    host.clients.borrow_mut().get_mut("public").unwrap().0.authorization_signed_response_alg =
        Some("ES256".to_owned());
    claims("jwt", &host.send(authorize(&[("response_mode", "jwt")])), Algorithm::Es256);
    let server = server_with(|text| format!("{text}\nresponse_signing_alg = \"ES256\""));
    let response = TestHost::new().send_to(&server, authorize(&[("response_mode", "jwt")]), NOW);
    claims("jwt", &response, Algorithm::Es256);
}

#[test]
fn where_an_answer_can_not_be_signed_nothing_is_sent() {
    for alg in ["PS256", "none", "HS256"] {
        let host = TestHost::new();
        host.clients.borrow_mut().get_mut("public").unwrap().0.authorization_signed_response_alg =
            Some(alg.to_owned());
        for changes in [("scope", "openid"), ("scope", "a\"b")] {
            let response = host.send(authorize(&[changes, ("response_mode", "jwt")]));
            assert_eq!(
                (response.status, location(&response)),
                (StatusCode::INTERNAL_SERVER_ERROR, None),
                "{alg}"
            );
        }
        assert_eq!(host.faults.borrow().len(), 2, "{alg}");
        assert!(query(&host.send(authorize(&[]))).contains_key("code"), "what need not be signed is not");
    }
    let host = TestHost::new();
    host.fault.set("sign");
    let response = host.send(authorize(&[("response_mode", "form_post.jwt")]));
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(host.faults.borrow()[0].contains("sign is down"));
}

#[test]
fn an_unknown_mode_is_told_by_query() {
    for mode in ["post", "QUERY", "query ", "jwt.query", "web_message", "none"] {
        let query = query(&TestHost::new().send(authorize(&[("response_mode", mode)])));
        assert_eq!(
            (query["error"].as_str(), query["state"].as_str()),
            ("invalid_request", "st&te=1"),
            "{mode}"
        );
    }
    let twice = format!("{}&response_mode=fragment&response_mode=fragment", authorize_query(&[]));
    let response = TestHost::new().send(get("/oauth/authorize", Some(&twice)));
    assert_eq!(query(&response)["error"], "invalid_request");
}

#[test]
fn an_untrusted_redirect_uri_is_not_posted_to_either() {
    for mode in PLAIN.iter().chain(&SIGNED) {
        let response = TestHost::new()
            .send(authorize(&[("redirect_uri", "https://evil.example/cb"), ("response_mode", mode)]));
        assert_eq!((response.status, location(&response)), (StatusCode::BAD_REQUEST, None));
        assert!(!String::from_utf8(response.body).unwrap().contains("evil"));
    }
}

#[test]
fn the_page_that_posts_an_answer_runs_its_one_script_and_is_not_framed() {
    let response = TestHost::new().send(authorize(&[("response_mode", "form_post")]));
    let policy = response.headers["content-security-policy"].to_str().unwrap();
    for part in ["default-src 'none'", "script-src 'sha256-", "form-action https:", "frame-ancestors 'none'"]
    {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let page = String::from_utf8(response.body).unwrap();
    assert!(page.contains("<noscript>") && page.contains("<button>"), "{page}");
}

/// FAPI 2.0: state of every length and character.
#[test]
fn a_state_comes_back_as_it_was_in_every_mode() {
    let printable: String = (' '..='~').collect();
    let long = "0123456789abcdef".repeat(256);
    for state in
        ["a", &printable, &long, "\"><script>alert(1)</script>", "&amp;&#38;%26", "ünïcode 状態 🗝", "+ %2B"]
    {
        for mode in PLAIN {
            let response = TestHost::new().send(authorize(&[("state", state), ("response_mode", mode)]));
            assert_eq!(answer(mode, &response)["state"], state, "{mode}");
        }
        let response = TestHost::new().send(authorize(&[("state", state), ("response_mode", "jwt")]));
        assert_eq!(claims("jwt", &response, Algorithm::Rs256)["state"], state);
    }
}

/// FAPI 2.0: request without state or nonce.
#[test]
fn without_a_state_there_is_none_to_come_back() {
    for mode in PLAIN {
        let response =
            TestHost::new().send(authorize(&[("state", ""), ("nonce", ""), ("response_mode", mode)]));
        assert!(!answer(mode, &response).contains_key("state"), "{mode}");
    }
    let response = TestHost::new().send(authorize(&[("state", ""), ("response_mode", "jwt")]));
    assert!(claims("jwt", &response, Algorithm::Rs256).get("state").is_none());
}

/// FAPI 2.0: nonce of 64 characters.
#[test]
fn a_long_nonce_is_kept() {
    for length in [64, 255] {
        let host = TestHost::new();
        let nonce = "n".repeat(length);
        let code = query(&host.send(authorize(&[("nonce", &nonce)]))).remove("code").unwrap();
        assert_eq!(payload(&json(&host.redeem(&code))["id_token"])["nonce"], nonce.as_str());
    }
}

#[test]
fn a_redirect_uri_with_a_query_keeps_it_in_every_mode() {
    let uri = "https://client.example/cb?tenant=1";
    let host = TestHost::new();
    host.clients.borrow_mut().get_mut("public").unwrap().0.redirect_uris = vec![uri.to_owned()];
    for (mode, begin) in [
        ("query", "https://client.example/cb?tenant=1&code="),
        ("fragment", "https://client.example/cb?tenant=1#code="),
    ] {
        let response = host.send(authorize(&[("redirect_uri", uri), ("response_mode", mode)]));
        assert!(location(&response).unwrap().starts_with(begin), "{response:?}");
    }
    let response = host.send(authorize(&[("redirect_uri", uri), ("response_mode", "form_post")]));
    assert!(
        String::from_utf8(response.body).unwrap().contains("action=\"https://client.example/cb?tenant=1\"")
    );
}
