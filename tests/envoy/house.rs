//! Envoy beside the real authorization server: a person's token opens the API, and nothing else does.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a broken expectation ends the test"
)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use test_support::attesto::{Attesto, CLIENT_ID, component};
use test_support::browser::Browser;
use test_support::http::{Received, Request, Response, Server};
use test_support::person::{answer, authorize, redeem, sign_in};
use test_support::process::{Process, free_ports, wait_until};
use test_support::{envoy, project_root, target_dir};

const LIMIT: Duration = Duration::from_secs(60);

/// `envoy/envoy.yaml` as it is, but for the ports.
fn start_envoy(name: &str, attesto: &Attesto, port: u16, api: u16) -> Process {
    component("envoy_filter");
    let [admin] = free_ports();
    let text = std::fs::read_to_string(project_root().join("envoy/envoy.yaml")).expect("the configuration");
    let text = [
        ("port_value: 10000", format!("port_value: {port}")),
        ("port_value: 9901", format!("port_value: {admin}")),
        ("port_value: 9000", format!("port_value: {api}")),
        ("port_value: 8080", format!("port_value: {}", attesto.port())),
        ("localhost:8080", format!("localhost:{}", attesto.port())),
    ]
    .into_iter()
    .fold(text, |text, (from, to)| {
        assert!(text.contains(from), "`{from}` in envoy/envoy.yaml");
        text.replace(from, &to)
    });
    let folder = target_dir().join("envoy-tests");
    std::fs::create_dir_all(&folder).expect("a folder under target");
    let path = folder.join(format!("house-{name}.yaml"));
    std::fs::write(&path, text).expect("a configuration");
    let executable = envoy::locate().unwrap_or_else(|error| panic!("{error}"));
    let mut envoy =
        Process::start(&mut envoy::command(&executable, &path), &folder.join(format!("house-{name}.log")));
    envoy.wait_for_port(port, LIMIT);
    envoy
}

fn echo(received: &Received) -> (u16, &'static str, String) {
    let lines =
        received.headers.iter().map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value)));
    (200, "text/plain", lines.collect())
}

fn with_token(port: u16, token: &str) -> Response {
    Request::get("/orders")
        .header("authorization", format!("Bearer {token}"))
        .header("x-attesto-subject", "user:mallory")
        .send(port)
}

fn token(attesto: &Attesto, scope: &str) -> (String, Value) {
    let browser = Browser::new(attesto.issuer());
    let consent = sign_in(&browser, &authorize(CLIENT_ID, scope));
    let code = answer(&browser, &consent, "allow").parameter("code").expect("a code");
    let token = redeem(attesto, &code).json()["access_token"].as_str().expect("a token").to_owned();
    let userinfo = browser.get_with_token("/oauth/userinfo", &token);
    (token, if userinfo.status == 200 { userinfo.json() } else { Value::Null })
}

#[test]
fn a_persons_token_opens_the_api_and_the_api_is_told_who_it_is() {
    let attesto = Attesto::start();
    let [port, api] = free_ports();
    let _api = Server::start(api, echo);
    let _envoy = start_envoy("token", &attesto, port, api);

    let (good, userinfo) = token(&attesto, "openid email orders:read");
    wait_until("the filter has the server's keys", LIMIT, || with_token(port, &good).status == 200);
    let seen = with_token(port, &good).text();
    let subject = userinfo.get("sub").and_then(Value::as_str).expect("a subject");
    assert!(seen.contains(&format!("x-attesto-subject: {subject}\n")), "{seen}");
    assert!(seen.contains("x-attesto-client-id: demo\n"), "{seen}");
    assert!(seen.contains("x-attesto-scope:") && seen.contains("orders:read"), "{seen}");
    assert!(!seen.contains("mallory") && !seen.contains("authorization:"), "{seen}");

    let stranger = Request::get("/orders").send(port);
    assert_eq!(stranger.status, 401);
    let challenge = stranger.header("www-authenticate").expect("a challenge");
    assert!(challenge.contains("resource_metadata="), "{challenge}");

    let (narrow, _) = token(&attesto, "openid");
    let refused = with_token(port, &narrow);
    assert_eq!(refused.status, 403);
    let challenge = refused.header("www-authenticate").expect("a challenge");
    assert!(
        challenge.contains("insufficient_scope") && challenge.contains("scope=\"orders:read\""),
        "{challenge}"
    );
}

/// RFC 9728 §3.3: "The `resource` value returned MUST be identical to the protected resource's resource identifier value".
#[test]
fn the_way_from_a_refusal_to_the_authorization_server_is_whole() {
    let attesto = Attesto::start();
    let [port, api] = free_ports();
    let _api = Server::start(api, echo);
    let _envoy = start_envoy("metadata", &attesto, port, api);

    let behind_envoy = Browser::new(format!("http://localhost:{port}"));
    let document = behind_envoy.get("/.well-known/oauth-protected-resource").json();
    assert_eq!(document["resource"], "http://localhost:10000");
    assert_eq!(document["authorization_servers"][0], attesto.issuer());
    let own = Browser::new(attesto.issuer()).get("/.well-known/oauth-protected-resource").json();
    assert_eq!(document, own, "one document, from one place");
}

/// Which key signed.
fn kid(token: &str) -> String {
    let header = token.split('.').next().expect("a header");
    let header = attesto::jose::base64url::decode(header).expect("base64url");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    header["kid"].as_str().expect("a name").to_owned()
}

/// The old token is used all the time, at UserInfo and through Envoy; new ones are asked for before, while and after the
/// keys change, and each is used at both places the moment it is there.
#[test]
fn keys_rotate_while_envoy_and_clients_run_and_nothing_fails() {
    let attesto = Attesto::start();
    let [port, api] = free_ports();
    let _api = Server::start(api, echo);
    let _envoy = start_envoy("rotation", &attesto, port, api);
    let (old, _) = token(&attesto, "openid orders:read");
    wait_until("the filter has the server's keys", LIMIT, || with_token(port, &old).status == 200);

    let userinfo =
        |token: &str| Browser::new(attesto.issuer()).get_with_token("/oauth/userinfo", token).status;
    let stop = AtomicBool::new(false);
    let until_stopped = |ask: &(dyn Fn() -> u16 + Sync)| {
        let mut asked = 0;
        while !stop.load(Ordering::Relaxed) {
            let status = ask();
            if status != 200 {
                stop.store(true, Ordering::Relaxed);
                panic!("request {asked} was answered with {status}:\n{}", attesto.output());
            }
            asked += 1;
            sleep(Duration::from_millis(5));
        }
        asked
    };
    std::thread::scope(|scope| {
        let at_userinfo = scope.spawn(|| until_stopped(&|| userinfo(&old)));
        let at_envoy = scope.spawn(|| until_stopped(&|| with_token(port, &old).status));
        // An instance that has read the old keys is gone after 128 requests, long before this time has passed.
        let rotate = ["keys", "rotate", "--variables-file", "variables.toml", "--activate-after", "20"];
        attesto.command(&rotate);

        let deadline = Instant::now() + 3 * LIMIT;
        let (mut before, mut after) = (0, 0);
        while after < 5 {
            assert!(!stop.load(Ordering::Relaxed), "a request with the old token has failed");
            assert!(Instant::now() < deadline, "{before} tokens, and none is signed with the new key");
            let (fresh, _) = token(&attesto, "openid orders:read");
            if kid(&fresh) == kid(&old) {
                assert_eq!(after, 0, "once changed, the key stays changed");
                before += 1;
            } else {
                after += 1;
            }
            assert_eq!((userinfo(&fresh), with_token(port, &fresh).status), (200, 200));
        }
        assert!(before > 0, "the key has changed before its time");
        stop.store(true, Ordering::Relaxed);
        for asked in [at_userinfo, at_envoy].map(|thread| thread.join().expect("no request fails")) {
            assert!(asked > 100, "only {asked} requests");
        }
    });
    let set = Browser::new(attesto.issuer()).get("/.well-known/jwks.json").json();
    let published = set["keys"].as_array().expect("keys");
    assert!(published.iter().any(|key| key["kid"] == kid(&old).as_str()), "the old key stays published");
    assert_eq!(published.len(), 4);
}
