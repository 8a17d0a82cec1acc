//! The filter in a real Envoy, configured by the project's own `envoy/envoy.yaml`.

#![expect(
    clippy::panic,
    clippy::disallowed_methods,
    reason = "test code: a broken expectation ends the test, and its clock is the machine's"
)]

mod setup;

use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use attesto::jose::{JwkSet, base64url};
use serde_json::{Value, json};
use setup::{Echo, Gateway, MIN_REFRESH};
use test_support::bearer::{Case, REQUIRED_SCOPE, Verdict};
use test_support::http::{Request, Response, exchange};
use test_support::process::wait_until;

fn verdict(response: &Response) -> Verdict {
    match response.status {
        200 => Verdict::Pass,
        status => Verdict::Refuse {
            status,
            www_authenticate: response.header("www-authenticate").unwrap_or_default(),
        },
    }
}

#[test]
fn every_case_of_the_table_has_its_verdict() {
    let mut gateway = Gateway::start("table");
    for Case { name, authorization, verdict: expected } in gateway.world.cases() {
        let request = authorization
            .iter()
            .fold(Request::get("/orders"), |request, value| request.header("Authorization", value));
        let response = request.send(gateway.port);
        assert_eq!(verdict(&response), expected, "{name}");
        if expected != Verdict::Pass {
            assert_eq!(response.header("cache-control").as_deref(), Some("no-store"), "{name}");
        }
    }
    gateway.assert_alive();
}

#[test]
fn the_api_sees_verified_claims_and_no_forged_ones() {
    let mut gateway = Gateway::start("claims");
    let forged = [
        "x-attesto-subject",
        "X-Attesto-Subject",
        "x-attesto-client-id",
        "X-ATTESTO-SCOPE",
        "x-attesto-claims",
        "x-attesto-anything",
        "x_attesto_subject",
        "X-Attesto_Subject",
    ];
    let forge =
        |request: Request| forged.iter().fold(request, |request, name| request.header(name, "forged"));

    let echo = Echo::of(&forge(gateway.at("/orders")).send(gateway.port));
    assert_eq!(echo.values("x-attesto-subject"), ["248289761001"]);
    assert_eq!(echo.values("x-attesto-client-id"), ["s6BhdRkqt3"]);
    assert_eq!(echo.values("x-attesto-scope"), ["profile orders:read"]);
    let [claims] = echo.values("x-attesto-claims")[..] else { panic!("one header of claims") };
    let claims: Value = serde_json::from_slice(&base64url::decode(claims).unwrap()).unwrap();
    assert_eq!(claims, gateway.world.claims(json!({})));
    assert!(
        !echo.names().iter().any(|name| name.contains("anything") || name.contains('_')),
        "{:?}",
        echo.names()
    );
    assert!(echo.values("authorization").is_empty(), "the token is not the API's");

    let echo = Echo::of(&forge(Request::get("/public")).send(gateway.port));
    assert!(!echo.names().iter().any(|name| name.contains("attesto")), "{:?}", echo.names());
    // A token is not looked at where none is needed, and does not reach the API either.
    let echo = Echo::of(&Request::get("/public").header("authorization", "Bearer x").send(gateway.port));
    assert!(echo.values("authorization").is_empty());

    let hostile = gateway.world.claims(json!({ "sub": "a\r\nx-admin: 1\u{0}\u{fc}" }));
    let echo = Echo::of(&gateway.with_token(&gateway.world.token(&gateway.world.ec, json!({}), &hostile)));
    assert_eq!(echo.values("x-attesto-subject"), ["a%0D%0Ax-admin:%201%00%C3%BC"]);
    assert!(echo.values("x-admin").is_empty());
    gateway.assert_alive();
}

#[test]
fn no_spelling_of_a_path_evades_its_rule() {
    let mut gateway = Gateway::start("paths");
    let no_scope = gateway.world.claims(json!({ "scope": "profile" }));
    let no_scope = gateway.world.token(&gateway.world.ec, json!({}), &no_scope);
    let status = |path: &str, token: Option<&str>| {
        let request = Request::get(path);
        let request = match token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        request.send(gateway.port).status
    };
    assert_eq!(status("/public", None), 200);
    assert_eq!(status("/public/x?y=/orders", None), 200);
    assert_eq!(status("/elsewhere", None), 401, "a path without a rule takes a token");
    assert_eq!(status("/elsewhere", Some(&no_scope)), 200, "of whatever scope");
    for path in [
        "/orders",
        "/orders/",
        "/orders/1",
        "/orders?public",
        "//orders",
        "/public/../orders",
        "/public/./../orders/1",
        "/public/%2e%2e/orders",
        "/public/%2E%2E/orders",
        "/public/..;/orders",
        "/public%2f..%2forders",
        "/public%5c..%5corders",
        "/public\\..\\orders",
        "/public/..//orders",
        "/%6frders",
        "/o%72ders",
        "/ORDERS",
        "/Orders/1",
        "/orders;v=1",
        "/orders%00",
        "/public#/../orders",
        "/public/%252e%252e/orders",
        "/./orders",
        "/x/../orders",
        "http://localhost/orders",
        "*",
        "orders",
    ] {
        let answer = status(path, Some(&no_scope));
        assert!(
            matches!(answer, 400 | 403 | 404 | 307),
            "{path}: {answer} with a token that lacks the scope"
        );
        let answer = status(path, None);
        assert!(matches!(answer, 400 | 401 | 404 | 307), "{path}: {answer} without a token");
    }
    // What Envoy straightens, the API gets straightened: the path that was judged.
    for path in ["/public//../orders", "/public/;/../orders", "/public/%6frders"] {
        assert_eq!(Echo::of(&Request::get(path).send(gateway.port)).target(), "/public/orders", "{path}");
    }
    let insufficient = gateway.with_token(&no_scope);
    assert_eq!(verdict(&insufficient), gateway.world.insufficient_scope(REQUIRED_SCOPE));
    let body: Value = serde_json::from_slice(&insufficient.body).unwrap();
    assert_eq!(body["error"], "insufficient_scope");
    gateway.assert_alive();
}

#[test]
fn no_octets_crash_the_filter() {
    let mut gateway = Gateway::start("octets");
    let good = format!("Bearer {}", gateway.world.good_token());
    // Every octet that can stand in a header's value, at the place where the filter reads, and where it does not.
    for octet in (0..=u8::MAX).filter(|octet| !matches!(octet, b'\r' | b'\n' | 0)) {
        let value = [good.as_bytes(), &[octet]].concat();
        let response = Request::get("/orders").header("authorization", value).send(gateway.port);
        assert!(matches!(response.status, 200 | 400 | 401), "{octet:#x}: {}", response.status);
        let response = gateway.at("/orders").header("x-other", [octet]).send(gateway.port);
        assert!(matches!(response.status, 200 | 400), "{octet:#x}: {}", response.status);
    }
    let messages: [&[u8]; 12] = [
        b"GET /orders HTTP/1.1\r\nhost: a\r\nx-\xff: 1\r\n\r\n",
        b"GET /orders HTTP/1.1\r\nhost: a\r\nx: \0\r\n\r\n",
        b"GET /orders HTTP/1.1\r\nhost: \xff\r\nconnection: close\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"GET /\xc3\xa9 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"GET  HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"\xff\xff /orders HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"GET /orders HTTP/1.1\r\nhost: a\r\nauthorization:\r\nconnection: close\r\n\r\n",
        b"GET /orders HTTP/1.1\r\nhost: a\r\nauthorization: \xff\xfe\xfd\r\nconnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"\0\0\0\r\n\r\n",
    ];
    for message in messages {
        let answer = exchange(gateway.port, message).unwrap_or_default();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{message:?}: {answer}");
    }
    let many =
        (0..90).fold(gateway.at("/orders"), |request, index| request.header(format!("x-{index}"), [0xff]));
    assert_eq!(many.send(gateway.port).status, 200);
    let huge = Request::get("/orders").header("authorization", format!("Bearer {}", "a".repeat(50 * 1024)));
    assert_eq!(verdict(&huge.send(gateway.port)), gateway.world.invalid_token());
    gateway.assert_alive();
}

#[test]
fn a_new_key_is_fetched_when_a_token_names_it() {
    let mut gateway = Gateway::start("rotation");
    let world = &gateway.world;
    let new = world.token(&world.stranger, json!({ "kid": "ec-2" }), &world.claims(json!({})));
    let old = world.good_token();
    let both = JwkSet::new([world.ec.public_jwk(Some("ec-1")), world.stranger.public_jwk(Some("ec-2"))]);
    let both = serde_json::to_string(&both).unwrap();
    let only_new = JwkSet::new([world.stranger.public_jwk(Some("ec-2"))]);
    let only_new = serde_json::to_string(&only_new).unwrap();

    // The first requests under the new key wait for it, all for one fetch, however slow.
    sleep(MIN_REFRESH);
    let fetches = gateway.issuer().fetches();
    gateway.issuer().answer(200, both);
    gateway.issuer().think(Duration::from_millis(300));
    let gateway_ref = &gateway;
    let statuses: Vec<u16> = scope(|threads| {
        let asked: Vec<_> = (0..20).map(|_| threads.spawn(|| gateway_ref.with_token(&new).status)).collect();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses, [200; 20]);
    assert_eq!(gateway.issuer().fetches(), fetches + 1);
    assert_eq!(gateway.with_token(&old).status, 200);

    // A client that does not wait for its answer disturbs nobody.
    sleep(MIN_REFRESH);
    let unknown =
        gateway.world.token(&gateway.world.ec, json!({ "kid": "ec-9" }), &gateway.world.claims(json!({})));
    let message = format!("GET /orders HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {unknown}\r\n\r\n");
    for _ in 0..5 {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, gateway.port)).unwrap();
        stream.write_all(message.as_bytes()).unwrap();
    }
    gateway.assert_alive();

    // Keys stay while the issuer answers nonsense, and go when it withdraws them.
    gateway.issuer().think(Duration::ZERO);
    for (status, body) in [(500, ""), (200, "<html>"), (200, r#"{"keys":[]}"#), (302, "")] {
        gateway.issuer().answer(status, body);
        sleep(MIN_REFRESH);
        assert_eq!(verdict(&gateway.with_token(&unknown)), gateway.world.invalid_token());
        assert_eq!(gateway.with_token(&old).status, 200, "after {status} {body}");
    }
    gateway.issuer().answer(200, only_new);
    sleep(MIN_REFRESH);
    assert_eq!(verdict(&gateway.with_token(&unknown)), gateway.world.invalid_token());
    wait_until("the old key is gone", Duration::from_secs(5), || gateway.with_token(&old).status == 401);
    assert_eq!(gateway.with_token(&new).status, 200);
}

#[test]
fn a_storm_of_unknown_keys_does_not_reach_the_issuer() {
    let mut gateway = Gateway::start("storm");
    let fetches = gateway.issuer().fetches();
    let begin = Instant::now();
    let mut asked = 0;
    while begin.elapsed() < Duration::from_secs(4) {
        let claims = gateway.world.claims(json!({}));
        let token = gateway.world.token(
            &gateway.world.stranger,
            json!({ "kid": format!("random-{asked}") }),
            &claims,
        );
        assert_eq!(verdict(&gateway.with_token(&token)), gateway.world.invalid_token());
        asked += 1;
    }
    let limit = usize::try_from(begin.elapsed().as_secs() / MIN_REFRESH.as_secs()).unwrap() + 1;
    let fetches = gateway.issuer().fetches() - fetches;
    assert!(asked > 10 * limit, "only {asked} requests in {:?}", begin.elapsed());
    assert!((1..=limit).contains(&fetches), "{fetches} fetches in {:?}", begin.elapsed());
    gateway.assert_alive();
}

#[test]
fn without_keys_tokens_are_put_off_and_judged_once_there_are_some() {
    let mut gateway = Gateway::start_without_issuer("down");
    let token = gateway.world.good_token();
    let response = gateway.with_token(&token);
    assert_eq!(response.status, 503);
    let retry_after: u64 = response.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=5).contains(&retry_after), "{retry_after}");
    // What needs no key is answered as ever.
    assert_eq!(verdict(&Request::get("/orders").send(gateway.port)), gateway.world.unauthenticated());
    assert_eq!(verdict(&gateway.with_token("opaque")), gateway.world.invalid_token());
    assert_eq!(Request::get("/public").send(gateway.port).status, 200);

    gateway.issuer().appear();
    wait_until("a good token passes", Duration::from_secs(10), || gateway.with_token(&token).status == 200);
    gateway.assert_alive();
}
