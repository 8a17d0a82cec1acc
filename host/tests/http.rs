//! What of HTTP reaches the components, and what the log says of it.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "clippy allows these in test functions, and their helpers are test code too"
)]

mod support;

use attesto_host::log::Kind;
use bytes::Bytes;
use http_body_util::Full;
use support::{App, send};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_peer_address_follows_a_forged_one() {
    let server = App::new().start().await;
    let request = http::Request::get("/headers?a=b")
        .header("host", "as.example")
        .header("spin-client-addr", "203.0.113.1:1")
        .header("spin-full-url", "https://evil.example/")
        .body(Full::default())
        .unwrap();
    let answer = send(server.address, request).await;
    let values = |name: &str| -> Vec<String> {
        let prefix = format!("{name}: ");
        answer.body.lines().filter_map(|line| line.strip_prefix(&prefix).map(str::to_owned)).collect()
    };
    let addresses = values("spin-client-addr");
    assert_eq!(addresses.len(), 2);
    assert_eq!(addresses[0], "203.0.113.1:1");
    assert!(addresses[1].starts_with("127.0.0.1:"), "{addresses:?}");
    assert_eq!(values("spin-full-url"), ["https://evil.example/", "http://as.example/headers?a=b"]);
    assert_eq!(values("spin-path-info"), ["/headers"]);
    assert_eq!(values("spin-matched-route"), ["/..."]);
    assert_eq!(values("spin-raw-component-route"), ["/..."]);
    assert_eq!(values("spin-component-route"), [""]);
    assert_eq!(values("spin-base-path"), ["/"]);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_sees_scheme_and_host() {
    let server = App::new().start().await;
    let request =
        http::Request::get("/uri?x=1").header("host", "as.example:99").body(Full::default()).unwrap();
    assert_eq!(send(server.address, request).await.body, "http://as.example:99/uri?x=1");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_pass_both_ways_up_to_the_limit() {
    let server = App::new().limits(|limits| limits.body = 1000).start().await;
    let post = |length: usize| {
        http::Request::post("/echo")
            .header("host", "h")
            .body(Full::new(Bytes::from("x".repeat(length))))
            .unwrap()
    };
    assert_eq!(send(server.address, post(1000)).await.body.len(), 1000);
    assert_eq!(send(server.address, post(1001)).await.status, 413);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_unannounced_length_is_cut_at_the_limit() {
    let server = App::new().limits(|limits| limits.body = 1000).start().await;
    let chunk = format!("{:x}\r\n{}\r\n", 600, "x".repeat(600));
    let request = format!(
        "POST /echo HTTP/1.1\r\nhost: h\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n"
    );
    let answer = raw(&server, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 418") && answer.contains("BodySize"), "{answer}");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_not_well_formed_are_refused() {
    let server = App::new().limits(|limits| limits.head = 16 << 10).start().await;
    let long = format!("GET / HTTP/1.1\r\nhost: h\r\nx: {}\r\n\r\n", "x".repeat(20 << 10));
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n".as_bytes(), "400"),
        (b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", "400"),
        (b"GET http://a/ HTTP/1.1\r\nhost: b\r\n\r\n", "400"),
        (b"GET / HTTP/1.1\r\nhost: h\r\nx: \xff\r\n\r\n", "400"),
        (long.as_bytes(), "431"),
    ] {
        let answer = raw(&server, request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_without_a_route_is_not_found() {
    let server = App::new().replace("route = \"/...\"", "route = \"/uri\"").start().await;
    assert_eq!(server.get("/other").await.status, 404);
    assert_eq!(server.get("/uri").await.status, 200);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_one_line_without_its_query() {
    let server = App::new().start().await;
    server.get("/uri?code=secret-code").await;
    let lines = server.lines(Kind::Request);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("GET /uri 200 ") && lines[0].contains(" 127.0.0.1:"), "{lines:?}");
    assert!(!lines[0].contains("secret-code"), "{lines:?}");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_component_prints_is_logged_under_its_id() {
    let server = App::new().start().await;
    server.get("/print?line=to-the-operator").await;
    assert_eq!(server.lines(Kind::Guest), ["[hello] to-the-operator"]);
    server.running.stop().await;
}

/// Sends bytes as they are and reads what comes back.
async fn raw(server: &support::Server, request: &[u8]) -> String {
    let exchange = async {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), exchange).await.unwrap()
}
