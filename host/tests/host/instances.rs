//! The life of instances: reuse, company, failure, and the end of the server.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::support::{App, at_once, get};
use attesto_host::log::Kind;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_serves_128_requests_and_then_a_fresh_one_takes_over() {
    let server = App::new().start().await;
    let mut served: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..256 {
        *served.entry(server.get("/uri").await.header("x-instance").to_owned()).or_default() += 1;
    }
    assert_eq!(served.into_values().collect::<Vec<_>>(), [128, 128]);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_works_on_at_most_16_requests_at_a_time() {
    let server = App::new().start().await;
    let answers = at_once(server.address, 100, "/slow?ms=300").await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let company =
        answers.iter().map(|answer| answer.header("x-at-a-time").parse::<u32>().unwrap()).max().unwrap();
    assert!((2..=16).contains(&company), "{company}");
    let instances: BTreeSet<_> = answers.iter().map(|answer| answer.header("x-instance")).collect();
    assert!(instances.len() >= 7, "100 requests, 16 in each: {}", instances.len());
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_requests_than_allowed_at_a_time_wait_and_are_answered() {
    let server = App::new().limits(|limits| limits.in_flight = 4).start().await;
    let start = Instant::now();
    let answers = at_once(server.address, 12, "/slow?ms=100").await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert!(start.elapsed() >= Duration::from_millis(300), "{:?}", start.elapsed());
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_answers_500_with_fixed_words_and_the_next_request_works() {
    let server = App::new().start().await;
    let answer = server.get("/panic").await;
    assert_eq!((answer.status, answer.body.as_str()), (500, "internal server error\n"));
    assert!(server.lines(Kind::Guest).iter().any(|line| line.contains("asked to")), "{:?}", server.lines);
    let faults = server.faults(1).await;
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains("unreachable") && !faults[0].contains('\n'), "{faults:?}");
    assert_eq!(server.get("/uri").await.status, 200);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_loops_are_stopped_while_other_requests_are_answered() {
    let server = App::new().limits(|limits| limits.request_timeout = Duration::from_secs(1)).start().await;
    let address = server.address;
    // More loops than threads: only interruption lets anything else run.
    let loops = tokio::spawn(at_once(address, 4, "/loop"));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(server.get("/uri").await.status, 200);
    let answers = loops.await.unwrap();
    assert!(answers.iter().all(|answer| answer.status == 504), "{answers:?}");
    let faults = server.faults(4).await;
    assert!(faults.iter().all(|line| line.contains("timed out")), "{faults:?}");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_response_that_takes_too_long_is_a_504() {
    let server =
        App::new().limits(|limits| limits.request_timeout = Duration::from_millis(300)).start().await;
    assert_eq!(server.get("/slow?ms=20000").await.status, 504);
    assert_eq!(server.get("/uri").await.status, 200);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_answers_what_is_in_flight_and_accepts_nothing_new() {
    let server = App::new().start().await;
    let address = server.address;
    let slow = tokio::spawn(async move { get(address, "/slow?ms=700").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.running.stop().await;
    let answer = slow.await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "slow"));
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_does_not_wait_longer_than_the_drain_time() {
    let server = App::new().limits(|limits| limits.drain = Duration::from_millis(200)).start().await;
    let address = server.address;
    let slow = tokio::spawn(async move { get(address, "/slow?ms=20000").await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let start = Instant::now();
    server.running.stop().await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    slow.abort();
}
