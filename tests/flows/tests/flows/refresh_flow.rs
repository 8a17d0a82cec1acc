//! RFC 6749 §6 and §4.4, RFC 7009, RFC 7662, over the components and their store.

use serde_json::{Value, json};
use test_support::attesto::{Attesto, CLIENT_ID, USERNAME};
use test_support::browser::{Browser, Page};
use test_support::person::{code, redeem};

const OFFLINE: &str = "openid offline_access orders:read";

fn tokens(attesto: &Attesto) -> Value {
    let page = redeem(attesto, &code(attesto, OFFLINE));
    assert_eq!(page.status, 200, "{}", page.body);
    page.json()
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap_or_else(|| panic!("no {name}: {tokens}"))
}

fn refresh(attesto: &Attesto, token: &str) -> Page {
    let form = [("grant_type", "refresh_token"), ("client_id", CLIENT_ID), ("refresh_token", token)];
    Browser::new(attesto.issuer()).post("/oauth/token", &form)
}

fn is_invalid_grant(page: &Page) {
    assert_eq!((page.status, &page.json()["error"]), (400, &json!("invalid_grant")), "{}", page.body);
}

fn userinfo(attesto: &Attesto, token: &str) -> u16 {
    Browser::new(attesto.issuer()).get_with_token("/oauth/userinfo", token).status
}

/// As the confidential client `backend`.
fn as_backend(attesto: &Attesto, path: &str, form: &[(&str, &str)]) -> Page {
    let (client_id, secret) = &attesto.confidential;
    let basic = attesto::jose::base64url::encode(format!("{client_id}:{secret}"));
    // The alphabets differ in two characters, and the padding is asked for.
    let padded =
        format!("{}{}", basic.replace('-', "+").replace('_', "/"), "=".repeat((4 - basic.len() % 4) % 4));
    Browser::new(attesto.issuer()).post_with(path, form, &[("authorization", &format!("Basic {padded}"))])
}

#[test]
fn a_refresh_token_rotates_is_retried_and_reused_only_to_its_end() {
    let attesto = Attesto::start_with(
        |manifest| manifest,
        |settings| format!("{settings}\nrefresh_token_rotation_grace_seconds = 2\n"),
    );
    let first = tokens(&attesto);
    let second = refresh(&attesto, text(&first, "refresh_token"));
    assert_eq!(second.status, 200, "{}", second.body);
    let second = second.json();
    assert_eq!(userinfo(&attesto, text(&second, "access_token")), 200);
    let retried = refresh(&attesto, text(&first, "refresh_token")).json();
    assert_eq!(text(&retried, "refresh_token"), text(&second, "refresh_token"));
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    is_invalid_grant(&refresh(&attesto, text(&first, "refresh_token")));
    is_invalid_grant(&refresh(&attesto, text(&second, "refresh_token")));
    let output = attesto.output();
    for event in ["refresh_issued", "refresh_rotated", "refresh_reuse_detected"] {
        assert!(output.contains(&format!("\"{event}\"")), "{event} is not in {output}");
    }
    assert!(!output.contains(text(&second, "refresh_token")));
}

#[test]
fn of_20_parallel_refreshes_all_get_the_same_successor() {
    let attesto = Attesto::start();
    let first = tokens(&attesto);
    let token = text(&first, "refresh_token");
    let answers: Vec<Page> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..20).map(|_| scope.spawn(|| refresh(&attesto, token))).collect();
        threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });
    let successors: std::collections::HashSet<_> = answers
        .iter()
        .map(|page| {
            assert_eq!(page.status, 200, "{}", page.body);
            text(&page.json(), "refresh_token").to_owned()
        })
        .collect();
    assert_eq!(successors.len(), 1);
}

#[test]
fn a_replayed_code_takes_the_refresh_token_back() {
    let attesto = Attesto::start();
    let code = code(&attesto, OFFLINE);
    let tokens = redeem(&attesto, &code).json();
    is_invalid_grant(&redeem(&attesto, &code));
    is_invalid_grant(&refresh(&attesto, text(&tokens, "refresh_token")));
    assert_eq!(userinfo(&attesto, text(&tokens, "access_token")), 401);
}

#[test]
fn revoked_tokens_are_dead_at_once() {
    let attesto = Attesto::start();
    let tokens = tokens(&attesto);
    let browser = Browser::new(attesto.issuer());
    for name in ["access_token", "refresh_token"] {
        let form = [("client_id", CLIENT_ID), ("token", text(&tokens, name))];
        assert_eq!(browser.post("/oauth/revoke", &form).status, 200);
    }
    assert_eq!(userinfo(&attesto, text(&tokens, "access_token")), 401);
    is_invalid_grant(&refresh(&attesto, text(&tokens, "refresh_token")));
    assert!(attesto.output().contains("\"token_revoked\""));
}

#[test]
fn introspection_says_what_a_token_is_and_no_more_once_it_is_revoked() {
    let attesto = Attesto::start();
    let tokens = tokens(&attesto);
    let token = text(&tokens, "access_token");
    let introspect = || as_backend(&attesto, "/oauth/introspect", &[("token", token)]).json();
    let members = introspect();
    assert_eq!((&members["active"], &members["client_id"]), (&json!(true), &json!(CLIENT_ID)));
    assert_eq!(members["scope"], OFFLINE);
    let form = [("client_id", CLIENT_ID), ("token", token)];
    Browser::new(attesto.issuer()).post("/oauth/revoke", &form);
    assert_eq!(introspect(), json!({ "active": false }));
    assert!(attesto.output().contains("\"token_introspected\""));
}

#[test]
fn a_machine_gets_a_token_for_itself() {
    let attesto = Attesto::start();
    let form = [("grant_type", "client_credentials"), ("scope", "orders:read")];
    let page = as_backend(&attesto, "/oauth/token", &form);
    assert_eq!(page.status, 200, "{}", page.body);
    let members = as_backend(&attesto, "/oauth/introspect", &[("token", text(&page.json(), "access_token"))]);
    assert_eq!(members.json()["sub"], "client_backend");
    assert!(page.json().get("refresh_token").is_none());
}

#[test]
fn a_server_for_machines_alone_gives_them_tokens_and_shows_nobody_a_page() {
    let attesto = Attesto::start_with(
        |manifest| manifest,
        |settings| format!("grant_types_supported = [\"client_credentials\"]\n{settings}"),
    );
    let form = [("grant_type", "client_credentials"), ("scope", "orders:read")];
    let page = as_backend(&attesto, "/oauth/token", &form);
    assert_eq!(page.status, 200, "{}{}", page.body, attesto.output());
    let members = as_backend(&attesto, "/oauth/introspect", &[("token", text(&page.json(), "access_token"))]);
    assert_eq!((&members.json()["active"], &members.json()["sub"]), (&json!(true), &json!("client_backend")));
    let browser = Browser::new(attesto.issuer());
    let metadata = browser.get("/.well-known/oauth-authorization-server").json();
    assert_eq!(metadata["grant_types_supported"], json!(["client_credentials"]));
    for absent in ["authorization_endpoint", "userinfo_endpoint"] {
        assert!(metadata.get(absent).is_none(), "{metadata}");
    }
    for path in ["/oauth/authorize", "/oauth/userinfo", "/account", "/account/sign-in", "/sign-in"] {
        assert_eq!(browser.get(path).status, 404, "{path}");
    }
}

#[test]
fn a_disabled_person_gets_nothing_more() {
    let attesto = Attesto::start();
    let tokens = tokens(&attesto);
    attesto.command(&["users", "disable", USERNAME, "--state", "state.db"]);
    is_invalid_grant(&refresh(&attesto, text(&tokens, "refresh_token")));
    assert_eq!(userinfo(&attesto, text(&tokens, "access_token")), 401);
}
