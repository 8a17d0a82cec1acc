//! The key-value stores: whom they let in, that races are real, and that `increment` settles them.

use std::collections::BTreeSet;

use crate::support::{Answer, App, at_once};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_interfaces_work_on_the_same_entries() {
    let server = App::new().start().await;
    assert_eq!(server.get("/wasi-kv/get?store=default&key=k").await.body, "(none)");
    assert_eq!(server.get("/wasi-kv/set?store=default&key=k&value=v").await.status, 200);
    assert_eq!(server.get("/spin-kv/get?store=default&key=k").await.body, "v");
    assert_eq!(server.get("/spin-kv/exists?store=default&key=k").await.body, "true");
    assert_eq!(server.get("/spin-kv/set?store=default&key=j&value=w").await.status, 200);
    assert_eq!(server.get("/wasi-kv/keys?store=default").await.body, "j,k");
    assert_eq!(server.get("/spin-kv/keys?store=default").await.body, "j,k");
    assert_eq!(server.get("/spin-kv/delete?store=default&key=j").await.status, 200);
    assert_eq!(server.get("/wasi-kv/delete?store=default&key=k").await.status, 200);
    assert_eq!(server.get("/wasi-kv/exists?store=default&key=k").await.body, "false");
    assert_eq!(server.get("/wasi-kv/batch?store=default").await.body, "a=1;b=(none);");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_that_is_not_granted_is_denied() {
    let server = App::new().start().await;
    for call in ["/wasi-kv/get?store=other&key=k", "/spin-kv/get?store=other&key=k"] {
        let answer = server.get(call).await;
        assert!(answer.status == 418 && answer.body.contains("AccessDenied"), "{call}: {answer:?}");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_of_other_labels_are_apart() {
    let server = App::new()
        .replace("key_value_stores = [\"default\"]", "key_value_stores = [\"default\", \"other\"]")
        .start()
        .await;
    server.get("/wasi-kv/set?store=default&key=k&value=v").await;
    assert_eq!(server.get("/wasi-kv/get?store=other&key=k").await.body, "(none)");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn increment_loses_nothing_and_has_one_winner() {
    let server = App::new().start().await;
    let answers = at_once(server.address, 100, "/wasi-kv/increment?store=default&key=marker").await;
    let mut sums: Vec<u32> = answers.iter().map(|answer| answer.body.parse().unwrap()).collect();
    sums.sort_unstable();
    assert_eq!(sums, (1..=100).collect::<Vec<_>>());
    assert!(instances(&answers) >= 4, "{}", instances(&answers));
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn get_then_set_lets_several_win() {
    let server = App::new().start().await;
    // A race may go well by luck, so a few rounds are tried.
    for round in 0..20 {
        let path = format!("/wasi-kv/get-then-set?store=default&key=marker{round}");
        let answers = at_once(server.address, 100, &path).await;
        if answers.iter().filter(|answer| answer.body == "won").count() > 1 {
            return server.running.stop().await;
        }
    }
    panic!("no round had two winners: the host hides races");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_that_is_not_one_is_an_error_and_not_a_trap() {
    let server = App::new().start().await;
    server.get("/wasi-kv/set?store=default&key=k&value=text").await;
    let answer = server.get("/wasi-kv/increment?store=default&key=k").await;
    assert!(answer.status == 418 && answer.body.contains("not a counter"), "{answer:?}");
    let greatest = i64::MAX;
    server.get(&format!("/wasi-kv/increment?store=default&key=big&value={greatest}")).await;
    let answer = server.get("/wasi-kv/increment?store=default&key=big").await;
    assert!(answer.status == 418 && answer.body.contains("overflow"), "{answer:?}");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swap_fails_when_the_value_changed_under_way() {
    let server = App::new().start().await;
    server.get("/wasi-kv/set?store=default&key=k&value=old").await;
    assert_eq!(server.get("/wasi-kv/swap?store=default&key=k&value=interfere").await.body, "swapped");
    assert_eq!(server.get("/wasi-kv/swap?store=default&key=k&value=new").await.body, "changed under way");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_keeps_what_was_stored_as_spin_would_store_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("state.db");
    let server = App::new().state(&file).start().await;
    server.get("/wasi-kv/set?store=default&key=k&value=v").await;
    server.get("/wasi-kv/increment?store=default&key=n&value=258").await;
    server.running.stop().await;

    let server = App::new().state(&file).start().await;
    assert_eq!(server.get("/wasi-kv/get?store=default&key=k").await.body, "v");
    assert_eq!(server.get("/wasi-kv/increment?store=default&key=n").await.body, "259");
    server.running.stop().await;

    let database = rusqlite::Connection::open(&file).unwrap();
    let value: Vec<u8> = database
        .query_row("SELECT value FROM spin_key_value WHERE store = 'default' AND key = 'n'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(value, [3, 1, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn a_database_that_cannot_be_opened_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("no").join("state.db");
    assert!(App::new().state(&file).refusal().contains(file.to_str().unwrap()));
}

fn instances(answers: &[Answer]) -> usize {
    answers.iter().map(|answer| answer.header("x-instance")).collect::<BTreeSet<_>>().len()
}
