//! The `outbound` part in the host: what it fetches, and what it does not.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::{App, Server, component, send};
use bytes::Bytes;
use http_body_util::Full;
use rcgen::{CertificateParams, Issuer, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A server of documents on this machine, with a certificate of an authority of its own.
struct Documents {
    address: SocketAddr,
    authority: String,
    /// The first lines of the requests it has had.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Documents {
    async fn start() -> Self {
        let (config, authority) = certificate();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        // The other end may hang up whenever it likes.
                        let _ = serve(stream, &seen).await;
                    }
                });
            }
        });
        Self { address, authority, requests }
    }

    fn url(&self, host: &str, path: &str) -> String {
        format!("https://{host}:{}{path}", self.address.port())
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn certificate() -> (ServerConfig, String) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let authority_certificate = authority.self_signed(&authority_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap();
    let certificate = certificate.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    (config, authority_certificate.pem())
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    const JSON: &str = "content-type: application/json\r\nconnection: close\r\n";
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    seen.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
    let path = head.split(' ').nth(1).unwrap_or_default();
    let answer = match path {
        "/jwks" => format!("200 OK\r\n{JSON}cache-control: max-age=120\r\n\r\n{{\"keys\":[]}}"),
        "/mirror" => format!("200 OK\r\n{JSON}\r\n{head}"),
        "/redirect" => format!("302 Found\r\n{JSON}location: /jwks\r\ncontent-length: 0\r\n\r\n"),
        "/page" => "200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<html>".to_owned(),
        "/announced" => format!("200 OK\r\n{JSON}content-length: 1000000000\r\n\r\n"),
        "/endless" | "/drip" | "/silent-body" => format!("200 OK\r\n{JSON}\r\n"),
        "/silent" => String::new(),
        _ => format!("404 Not Found\r\n{JSON}content-length: 0\r\n\r\n"),
    };
    if path != "/silent" {
        stream.write_all(format!("HTTP/1.1 {answer}").as_bytes()).await?;
        stream.flush().await?;
    }
    match path {
        "/endless" => loop {
            stream.write_all(&[b' '; 16_384]).await?;
        },
        "/drip" => loop {
            stream.write_all(b" ").await?;
            stream.flush().await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        },
        "/silent" | "/silent-body" => tokio::time::sleep(Duration::from_secs(60)).await,
        _ => {}
    }
    stream.shutdown().await
}

/// An application that fetches what it is told to, where the manifest allows these hosts.
fn app(allowed: &[String], authority: Option<&str>) -> App {
    let mut app = App::new();
    app.options.variables.clear();
    app.options.outbound_ca = authority.map(|pem| {
        let file = app.directory.path().join("authority.pem");
        std::fs::write(&file, pem).unwrap();
        file
    });
    app.manifest = format!(
        r#"
        spin_manifest_version = 2
        [application]
        name = "attesto-test-fetch"
        [[trigger.http]]
        route = "/..."
        component = "fetch"
        [component.fetch]
        source = {harness:?}
        allowed_outbound_hosts = {allowed:?}
        [component.fetch.dependencies]
        "attesto:outbound@0.1.0" = {{ path = {part:?}, inherit_configuration = ["allowed_outbound_hosts"] }}
        "#,
        harness = component("fetch_harness"),
        part = component("outbound"),
    );
    app
}

async fn fetch(server: &Server, url: &str, max_bytes: u64, timeout_ms: u64, internal: &[&str]) -> String {
    let lines = [url.to_owned(), max_bytes.to_string(), timeout_ms.to_string()].into_iter();
    let lines: Vec<_> = lines.chain(internal.iter().map(|host| (*host).to_owned())).collect();
    let request = http::Request::post("/").header("host", server.address.to_string());
    let request = request.body(Full::new(Bytes::from(lines.join("\n")))).unwrap();
    let answer = send(server.address, request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// The documents, and an application that may fetch them.
async fn both() -> (Documents, Server) {
    let documents = Documents::start().await;
    let allowed = ["localhost", "127.0.0.1"].map(|host| documents.url(host, ""));
    let server = app(&allowed, Some(&documents.authority)).start().await;
    (documents, server)
}

const INTERNAL: [&str; 2] = ["localhost", "127.0.0.1"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_on_a_host_that_manifest_and_settings_name_is_fetched() {
    let (documents, server) = both().await;
    for host in INTERNAL {
        let answer = fetch(&server, &documents.url(host, "/jwks"), 11, 10_000, &INTERNAL).await;
        assert_eq!(answer, "application/json Some(120) {\"keys\":[]}");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_carries_nothing_but_what_it_asks_for() {
    let (documents, server) = both().await;
    let answer = fetch(&server, &documents.url("localhost", "/mirror"), 4_096, 10_000, &INTERNAL).await;
    let mut fields: Vec<_> =
        answer.lines().skip(1).filter_map(|line| line.split_once(": ").map(|(name, _)| name)).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["accept", "host", "user-agent"], "{answer}");
    assert!(answer.contains("GET /mirror HTTP/1.1"), "{answer}");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn special_hosts_are_refused_whatever_the_manifest_allows() {
    let (documents, server) = both().await;
    for (host, internal) in [
        ("localhost", &[][..]),
        ("127.0.0.1", &["localhost"]),
        ("127.1", &["localhost"]),
        ("[::ffff:127.0.0.1]", &["127.0.0.1"]),
        ("a.localhost", &["localhost"]),
    ] {
        let answer = fetch(&server, &documents.url(host, "/jwks"), 4_096, 10_000, internal).await;
        assert!(answer.starts_with("refused: ") && answer.contains("special use"), "{host}: {answer}");
    }
    assert!(documents.requests().is_empty());
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_that_is_not_https_or_hides_something_is_refused() {
    let (documents, server) = both().await;
    let url = documents.url("localhost", "/jwks");
    for url in [
        url.replace("https", "http"),
        url.replace("localhost", "user@localhost"),
        format!("{url}#keys"),
        "jwks".to_owned(),
    ] {
        let answer = fetch(&server, &url, 4_096, 10_000, &INTERNAL).await;
        assert!(answer.starts_with("refused: "), "{url}: {answer}");
    }
    assert!(documents.requests().is_empty());
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_manifest_has_the_last_word() {
    let documents = Documents::start().await;
    let url = documents.url("localhost", "/jwks");
    // Nothing at all, then everything by a wildcard, which names no host of this machine.
    for (allowed, reason) in
        [(vec![], "allowed_outbound_hosts"), (vec!["https://*:*".to_owned()], "special use")]
    {
        let server = app(&allowed, Some(&documents.authority)).start().await;
        let answer = fetch(&server, &url, 4_096, 10_000, &INTERNAL).await;
        assert!(answer.starts_with("refused: ") && answer.contains(reason), "{answer}");
        server.running.stop().await;
    }
    assert!(documents.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_a_json_document_of_status_200_is_none() {
    let (documents, server) = both().await;
    for path in ["/redirect", "/missing", "/page"] {
        let answer = fetch(&server, &documents.url("localhost", path), 4_096, 10_000, &INTERNAL).await;
        assert!(answer.starts_with("failed: "), "{path}: {answer}");
    }
    let expected = ["/redirect", "/missing", "/page"].map(|path| format!("GET {path} HTTP/1.1"));
    assert_eq!(documents.requests(), expected, "the redirect is not followed");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_beyond_the_limit_is_not_taken() {
    let (documents, server) = both().await;
    for (path, max_bytes) in [("/jwks", 10), ("/announced", 100_000), ("/endless", 100_000)] {
        let answer = fetch(&server, &documents.url("localhost", path), max_bytes, 10_000, &INTERNAL).await;
        assert!(answer.starts_with("failed: ") && answer.contains("too large"), "{path}: {answer}");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_limit_is_for_all_of_it() {
    let (documents, server) = both().await;
    for path in ["/silent", "/silent-body", "/drip"] {
        let start = Instant::now();
        let answer = fetch(&server, &documents.url("localhost", path), 100_000, 300, &INTERNAL).await;
        assert!(answer.starts_with("failed: ") && answer.contains("300 milliseconds"), "{path}: {answer}");
        assert!(start.elapsed() < Duration::from_secs(20), "{path}: {:?}", start.elapsed());
    }
    // What was given up holds nothing up.
    let answer = fetch(&server, &documents.url("localhost", "/jwks"), 4_096, 10_000, &INTERNAL).await;
    assert!(answer.ends_with("{\"keys\":[]}"), "{answer}");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let documents = Documents::start().await;
    let server = app(&[documents.url("localhost", "")], None).start().await;
    let answer = fetch(&server, &documents.url("localhost", "/jwks"), 4_096, 10_000, &INTERNAL).await;
    assert!(answer.starts_with("failed: "), "{answer}");
    assert!(documents.requests().is_empty());
    server.running.stop().await;
}

#[test]
fn a_file_of_authorities_that_has_none_keeps_the_host_from_starting() {
    let refusal = app(&[], Some("no certificate")).refusal();
    assert!(refusal.contains("authority.pem") && refusal.contains("no certificate in it"), "{refusal}");
}
