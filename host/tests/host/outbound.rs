//! Outbound HTTP: what the manifest allows, and no special address behind a wildcard.

use std::net::SocketAddr;

use crate::support::{Answer, App};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

async fn fetch(allowed: &str, url: &str) -> Answer {
    let app =
        App::new().replace("allowed_outbound_hosts = []", &format!("allowed_outbound_hosts = [{allowed}]"));
    let server = app.start().await;
    let answer = server.get(&format!("/outbound?url={url}")).await;
    server.running.stop().await;
    answer
}

/// Answers every connection with the head it received.
async fn mirror() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let length = stream.read(&mut head).await.unwrap_or_default();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.write_all(&head[..length]).await;
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_the_manifest_names_is_reached() {
    let address = mirror().await;
    let answer = fetch(&format!("\"http://{address}\""), &format!("http://{address}/path")).await;
    assert!(answer.body.starts_with("200 GET /path HTTP/1.1"), "{answer:?}");
    assert!(answer.body.contains(&format!("host: {address}")), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_the_manifest_does_not_allow_is_refused() {
    let address = mirror().await;
    let url = format!("http://{address}/");
    for allowed in ["", "\"http://127.0.0.1:1\"", "\"https://*:*\""] {
        let answer = fetch(allowed, &url).await;
        assert!(answer.status == 418 && answer.body.contains("HttpRequestDenied"), "{allowed}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wildcard_does_not_open_the_way_to_this_machine() {
    let address = mirror().await;
    let port = address.port();
    for host in ["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"] {
        let answer = fetch("\"http://*:*\"", &format!("http://{host}:{port}/")).await;
        assert!(
            answer.status == 418 && answer.body.contains("DestinationIpProhibited"),
            "{host}: {answer:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_manifest_may_take_hosts_from_variables() {
    let address = mirror().await;
    let app = App::new()
        .replace("allowed_outbound_hosts = []", "allowed_outbound_hosts = [\"{{ greeting }}\"]")
        .replace("good day", &format!("http://{address}"));
    let server = app.start().await;
    assert_eq!(server.get(&format!("/outbound?url=http://{address}/")).await.status, 200);
    server.running.stop().await;
}
