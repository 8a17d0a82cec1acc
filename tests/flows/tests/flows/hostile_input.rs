//! Whatever is sent, the answer is the RFC's: never a 500, never a trap.

use rand::rngs::ChaCha20Rng;
use rand::{Rng, SeedableRng};
use test_support::attesto::{Attesto, CLIENT_ID};
use test_support::browser::Browser;
use test_support::http::{Request, exchange};

use test_support::person::{authorize, token_request};

#[test]
fn malformed_token_requests_are_invalid_request() {
    let attesto = Attesto::start();
    let browser = Browser::new(attesto.issuer());
    let form = "application/x-www-form-urlencoded";
    let large = format!("code={}", "a".repeat(100_000));
    for (media_type, body, status) in [
        ("text/plain", "grant_type=authorization_code", 400),
        ("multipart/form-data; boundary=x", "--x--", 400),
        (form, "client_id=demo&client_id=demo", 400),
        (form, "client_id=%zz", 400),
        (form, "client_id=%ff", 400),
        (form, "client_id=demo", 400),
        (form, large.as_str(), 413),
    ] {
        let answer = browser.post_body("/oauth/token", media_type, body.as_bytes());
        let shown = body.get(..40).unwrap_or(body);
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (status, Some("invalid_request")),
            "{shown}"
        );
        assert_eq!(answer.header("cache-control"), "no-store", "{shown}");
    }
    let in_query = browser.post("/oauth/token?client_secret=x", &token_request("x"));
    assert_eq!((in_query.status, in_query.json()["error"].as_str()), (400, Some("invalid_request")));
    let repeatable = browser
        .post("/oauth/token", &[&token_request("x")[..], &[("audience", "a"), ("audience", "b")]].concat());
    assert_eq!(repeatable.json()["error"], "invalid_grant");
    assert_eq!(browser.get("/oauth/token").status, 405);
}

#[test]
fn an_untrusted_redirect_uri_gets_a_page_and_no_redirect() {
    let attesto = Attesto::start();
    let browser = Browser::new(attesto.issuer());
    for request in [
        authorize("nobody", "openid"),
        authorize(CLIENT_ID, "openid").replace("callback", "elsewhere"),
        authorize(CLIENT_ID, "openid").replace("http%3A//127.0.0.1", "http%3A//evil.example"),
        "/oauth/authorize".to_owned(),
        "/oauth/authorize?%ff=%".to_owned(),
    ] {
        let page = browser.get(&request);
        assert_eq!((page.status, page.header("location")), (400, ""), "{request}");
    }
}

#[test]
fn no_octets_at_any_endpoint_make_a_500_or_stop_the_server() {
    let attesto = Attesto::start();
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let paths = [
        "/oauth/authorize",
        "/oauth/token",
        "/oauth/userinfo",
        "/oauth/revoke",
        "/oauth/introspect",
        "/account/sign-in",
        "/account/consent",
        "/account/switch",
        "/account/sign-out",
        "/account",
        "/.well-known/jwks.json",
        "/",
    ];
    let media_types = ["application/x-www-form-urlencoded", "application/json", "\u{e9}", ""];
    for round in 0..300 {
        let mut noise = vec![0; 1 + (rng.next_u32() as usize % 200)];
        rng.fill_bytes(&mut noise);
        let path = paths[round % paths.len()];
        let media_type = media_types[round % media_types.len()];
        let percent: String = noise.iter().map(|octet| format!("%{octet:02x}")).collect();
        let visible: Vec<u8> =
            noise.iter().map(|octet| 0x21 + octet % 0x5e).filter(|octet| !b" #".contains(octet)).collect();
        let mut target = path.as_bytes().to_vec();
        if round % 3 == 1 {
            target.extend([b"?client_id=demo&", percent.as_bytes()].concat());
        } else if round % 3 == 2 {
            target.extend([b"?", &visible[..]].concat());
        }
        let header: Vec<u8> =
            noise.iter().copied().filter(|octet| !matches!(octet, 0..0x20 | 0x7f)).collect();
        let mut message = [
            if round % 2 == 0 { &b"POST "[..] } else { b"GET " },
            &target,
            b" HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n",
        ]
        .concat();
        message.extend(
            [b"authorization: Bearer ", &header[..], b"\r\ncookie: attesto_session=", &header, b"\r\n"]
                .concat(),
        );
        message.extend(
            format!("content-type: {media_type}\r\ncontent-length: {}\r\n\r\n", noise.len()).as_bytes(),
        );
        message.extend(&noise);
        let answer = exchange(attesto.port(), &message).unwrap_or_default();
        let line = String::from_utf8_lossy(answer.get(..12).unwrap_or_default()).into_owned();
        assert!(!line.starts_with("HTTP/1.1 5"), "{line} to {}", String::from_utf8_lossy(&message));
    }
    assert_eq!(Request::get("/.well-known/jwks.json").send(attesto.port()).status, 200);
    let output = attesto.output();
    assert!(!output.contains("panicked") && !output.contains("trap"), "{output}");
}

/// A component is handed text only, so the host refuses other header values itself.
#[test]
fn a_header_that_is_no_text_is_a_bad_request() {
    let attesto = Attesto::start();
    let answer =
        Request::get("/oauth/userinfo").header("authorization", b"Bearer \xff\xfe").send(attesto.port());
    assert_eq!(answer.status, 400);
}

#[test]
fn bad_authorization_headers_are_refused() {
    let attesto = Attesto::start();
    for (headers, status) in [
        (&[&b"Bearer a"[..], b"Bearer b"][..], 400),
        (&[b"Bearer"], 400),
        (&[b"Basic YTpi"], 401),
        (&[b"Bearer a.b.c"], 401),
    ] {
        let request = headers
            .iter()
            .fold(Request::get("/oauth/userinfo"), |request, value| request.header("authorization", value));
        let answer = request.send(attesto.port());
        assert_eq!(answer.status, status, "{headers:?}");
        assert!(
            answer.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer")),
            "{headers:?}"
        );
    }
}
