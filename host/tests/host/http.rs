//! What of HTTP reaches the components, and what the log says of it.

use std::time::Duration;

use crate::support::{App, Server, send};
use attesto_host::Limits;
use attesto_host::log::Kind;
use bytes::Bytes;
use http_body_util::Full;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

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
    let chunk = format!("{:x}\r\n{}\r\n", 600, "x".repeat(600));
    let request = format!(
        "POST /echo HTTP/1.1\r\nhost: h\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n"
    );
    // The host sees it, or where it reads less ahead than that, the component.
    for (read_ahead, status, word) in [(1000, "413", "too large"), (100, "418", "BodySize")] {
        let limits = |limits: &mut Limits| (limits.body, limits.read_ahead) = (1000, read_ahead);
        let server = App::new().limits(limits).start().await;
        let answer = all(&mut begin(&server, &request).await).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(word), "{answer}");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_send_bodies_slowly_keep_nobody_out() {
    let patient = |limits: &mut Limits| {
        (limits.in_flight, limits.read_ahead_timeout) = (2, Duration::from_secs(60));
    };
    let server = App::new().limits(patient).start().await;
    let mut slow = Vec::new();
    for _ in 0..8 {
        let head = "POST /echo HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 10\r\n\r\n";
        slow.push(begin(&server, format!("{head}xxx")).await);
    }
    for _ in 0..4 {
        assert_eq!(server.get("/uri").await.status, 200);
    }
    for mut stream in slow {
        stream.write_all(b"yyyyyyy").await.unwrap();
        let answer = all(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("xxxyyyyyyy"), "{answer}");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_does_not_arrive_in_time_is_a_408_and_the_end_of_the_connection() {
    let impatient = |limits: &mut Limits| limits.read_ahead_timeout = Duration::from_millis(200);
    let server = App::new().limits(impatient).start().await;
    for framing in ["content-length: 10\r\n\r\nxxx", "transfer-encoding: chunked\r\n\r\n3\r\nxxx\r\n"] {
        let mut stream = begin(&server, format!("POST /echo HTTP/1.1\r\nhost: h\r\n{framing}")).await;
        let answer = all(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("connection: close"), "{answer}");
    }
    assert_eq!(server.get("/uri").await.status, 200);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_body_that_is_longer_than_what_is_read_ahead_the_component_reads_the_rest() {
    let server = App::new().limits(|limits| limits.read_ahead = 100).start().await;
    let body: String = ('a'..='z').cycle().take(300_000).collect();
    let request = http::Request::post("/echo").header("host", "h").body(Full::from(body.clone())).unwrap();
    assert!(send(server.address, request).await.body == body, "the body comes back as it was");

    let begun = format!("POST /uri HTTP/1.1\r\nhost: h\r\ncontent-length: 600\r\n\r\n{}", "x".repeat(200));
    let answer = first(&mut begin(&server, &begun).await).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "what does not want the body waits for none of it: {answer}");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_of_bodies_that_wait_is_bounded() {
    let narrow = |limits: &mut Limits| {
        (limits.read_ahead_total, limits.read_ahead_timeout) = (1000, Duration::from_secs(60));
    };
    let server = App::new().limits(narrow).start().await;
    let post = |length: usize, sent: usize| {
        format!("POST /echo HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\n\r\n{}", "x".repeat(sent))
    };
    let mut waiting = begin(&server, &post(901, 900)).await;
    let mut answer = String::new();
    for _ in 0..500 {
        answer = first(&mut begin(&server, &post(200, 200)).await).await;
        if !answer.starts_with("HTTP/1.1 200") {
            break;
        }
    }
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("connection: close"), "{answer}");
    assert_eq!(server.get("/uri").await.status, 200, "what has no body needs no room");
    waiting.write_all(b"x").await.unwrap();
    assert!(first(&mut waiting).await.starts_with("HTTP/1.1 200"));
    let answer = first(&mut begin(&server, &post(200, 200)).await).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "there is room again: {answer}");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_no_answers_is_given_up() {
    let server = App::new().limits(|limits| limits.write_timeout = Duration::from_millis(200)).start().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    let request = format!("GET /headers HTTP/1.1\r\nhost: h\r\nx: {}\r\n\r\n", "x".repeat(32 << 10));
    let asking = async { while stream.write_all(request.as_bytes()).await.is_ok() {} };
    timeout(Duration::from_secs(60), asking).await.expect("the server closes the connection");
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
        (b"POST /echo HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nno length\r\n", "400"),
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

/// Sends bytes as they are and reads what comes first.
async fn raw(server: &Server, request: &[u8]) -> String {
    first(&mut begin(server, request).await).await
}

/// Sends a request, or the beginning of one.
async fn begin(server: &Server, request: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(request.as_ref()).await.unwrap();
    stream
}

/// What comes first of an answer.
async fn first(stream: &mut TcpStream) -> String {
    let mut answer = vec![0; 4096];
    let length = timeout(Duration::from_secs(30), stream.read(&mut answer)).await.unwrap().unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

/// An answer, and the end of the connection.
async fn all(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    timeout(Duration::from_secs(30), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}
