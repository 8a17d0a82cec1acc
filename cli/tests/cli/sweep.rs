//! `attesto sweep`, as an operator and their timers meet it.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "what has expired is a matter of the time; clippy allows the other in test functions, and their helpers are \
              test code too"
)]

use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::Folder;
use people::maintenance::GRACE;
use serde_json::json;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// A user and a client, who never expire.
fn inhabited() -> Folder {
    let folder = Folder::new();
    folder.text(&["users", "add", "alice"], "correct horse\n");
    let add =
        ["clients", "add", "--client-id", "app", "--name", "App", "--redirect-uri", "https://app.example/"];
    folder.text(&add, "");
    folder
}

fn set(folder: &Folder, keys: &[String]) {
    for key in keys {
        folder.file().store("default").set(key, b"{}").expect("written");
    }
}

#[test]
fn what_has_expired_is_removed_and_counted_by_kind() {
    let folder = inhabited();
    let kept = folder.file().store("default").keys("").expect("readable");
    let over = now() - GRACE;
    set(
        &folder,
        &[
            format!("people/session/{over}/a"),
            format!("people/session/{over}/a/seen"),
            format!("people/session/{}/b", over - 1_000_000),
            format!("people/attempts/{over}/a"),
        ],
    );
    let expired = format!(r#"{{"expires_at":{over}}}"#);
    for key in ["revoked/x", "refresh-family-revoked/x"] {
        folder.file().store("default").set(key, expired.as_bytes()).expect("written");
    }
    assert_eq!(
        folder.json(&["sweep"], ""),
        json!({ "session": 2, "attempt": 1, "revoked": 1, "refresh_family_revoked": 1 })
    );
    assert_eq!(folder.file().store("default").keys("").expect("readable"), kept);
    assert_eq!(folder.json(&["sweep"], ""), json!({}));
    assert_eq!(folder.text(&["sweep"], ""), "nothing has expired\n");
}

#[test]
fn what_is_live_or_only_just_over_stays() {
    let folder = inhabited();
    // A minute for a slow machine: what is on the edge now must still be there when the command looks.
    let recent = now() - GRACE + 60;
    set(&folder, &[format!("people/session/{recent}/a"), format!("people/attempts/{recent}/a")]);
    let live = format!(r#"{{"expires_at":{recent}}}"#);
    folder.file().store("default").set("revoked/x", live.as_bytes()).expect("written");
    let before = folder.file().store("default").keys("").expect("readable");
    folder.text(&["sweep"], "");
    assert_eq!(folder.file().store("default").keys("").expect("readable"), before);
}

#[test]
fn a_store_of_another_label_is_left_alone() {
    let folder = inhabited();
    set(&folder, &["people/session/1/a".to_owned()]);
    assert_eq!(folder.json(&["sweep", "--store", "other"], ""), json!({}));
    assert_eq!(folder.text(&["sweep"], ""), "session 1\n");
}

#[test]
fn a_server_that_writes_meanwhile_loses_nothing() {
    let folder = inhabited();
    set(&folder, &(0..200).map(|n| format!("people/session/1/{n}")).collect::<Vec<_>>());
    let live = now() + 3600;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let file = folder.file();
            for n in 0..50 {
                file.store("default")
                    .set(&format!("people/session/{live}/{n}"), b"{}")
                    .expect("not locked out");
            }
        });
        assert_eq!(folder.json(&["sweep"], "")["session"], 200);
    });
    let sessions = folder.file().store("default").keys("people/session/").expect("readable");
    assert_eq!(sessions.len(), 50);
}

#[test]
fn a_file_that_is_not_there_is_named_and_not_made() {
    let folder = Folder::new();
    let refusal = folder.refusal(&["sweep", "--state", "elsewhere.db"], "");
    assert!(refusal.starts_with("attesto: --state elsewhere.db: "), "{refusal}");
    assert!(folder.refusal(&["sweep"], "").contains("--state .attesto/state.db"));
    assert!(!folder.state().exists());
}
