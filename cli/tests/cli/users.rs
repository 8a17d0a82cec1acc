//! `attesto users`, as an operator and their scripts meet it.

use crate::support::Folder;
use people::password;
use people::record::User;
use serde_json::json;

const PASSWORD: &str = "correct horse battery";

/// Adds `alice`; answers with her subject identifier.
fn alice(folder: &Folder) -> String {
    let add = ["users", "add", "alice", "--name", "Alice Doe", "--email", "alice@example.com"];
    folder.json(&add, &format!("{PASSWORD}\n"))["sub"].as_str().expect("a subject").to_owned()
}

/// The record as the server reads it.
fn record(folder: &Folder, sub: &str) -> User {
    let key = people::record::user_key(sub);
    let value = folder.file().store("default").get(&key).expect("readable").expect("there");
    serde_json::from_slice(&value).expect("a record")
}

fn opens(folder: &Folder, sub: &str, password: &str) -> bool {
    password::verify(password, Some(&record(folder, sub).password)).expect("a hash")
}

#[test]
fn a_new_user_has_a_persons_subject_claims_and_a_password_of_their_own() {
    let folder = Folder::new();
    let sub = alice(&folder);
    assert!(sub.starts_with("usr_"), "{sub}");
    assert!(opens(&folder, &sub, PASSWORD) && !opens(&folder, &sub, "correct horse"));
    let expected = json!([{
        "sub": sub,
        "username": "alice",
        "disabled": false,
        "claims": { "name": "Alice Doe", "email": "alice@example.com" },
        "updated_at": record(&folder, &sub).updated_at,
    }]);
    assert_eq!(folder.json(&["users", "list"], ""), expected);
}

#[test]
fn neither_password_nor_hash_is_ever_printed() {
    let folder = Folder::new();
    let password = format!("{PASSWORD}\n");
    let mut printed = folder.text(&["users", "add", "bob", "--json"], &password);
    printed += &folder.text(&["users", "add", "carol"], &password);
    for command in ["set-password", "disable", "enable"] {
        printed += &folder.text(&["users", command, "bob", "--json"], &password);
        printed += &folder.text(&["users", command, "carol"], &password);
    }
    printed += &folder.text(&["users", "list"], "");
    assert!(!printed.contains("argon2") && !printed.contains(PASSWORD), "{printed}");
}

#[test]
fn a_new_password_works_alone_and_ends_every_session() {
    let folder = Folder::new();
    let sub = alice(&folder);
    let before = record(&folder, &sub).credential_stamp();
    let set = folder.json(&["users", "set-password", "ALICE"], "battery staple\r\n");
    assert_eq!((&set["sub"], &set["username"]), (&json!(sub), &json!("alice")));
    assert!(opens(&folder, &sub, "battery staple") && !opens(&folder, &sub, PASSWORD));
    let after = record(&folder, &sub);
    assert!(after.password.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", after.password);
    // A session holds the stamp of its sign-in, and counts while it is the user's.
    assert_ne!(after.credential_stamp(), before);
}

#[test]
fn a_disabled_user_stays_so_with_a_new_password_until_enabled() {
    let folder = Folder::new();
    let sub = alice(&folder);
    for _ in 0..2 {
        assert_eq!(folder.json(&["users", "disable", "alice"], "")["disabled"], true);
    }
    assert_eq!(folder.json(&["users", "set-password", "alice"], "battery staple\n")["disabled"], true);
    assert!(record(&folder, &sub).disabled);
    assert_eq!(folder.text(&["users", "enable", "alice"], ""), "alice is enabled\n");
    assert!(!record(&folder, &sub).disabled);
}

#[test]
fn an_unknown_user_is_named() {
    let folder = Folder::new();
    alice(&folder);
    for command in ["disable", "enable", "set-password"] {
        let refusal = folder.refusal(&["users", command, "bob"], "battery staple\n");
        assert_eq!(refusal, "attesto: there is no user `bob`\n");
    }
}

#[test]
fn a_username_is_taken_in_whatever_case() {
    let folder = Folder::new();
    let sub = alice(&folder);
    let refusal = folder.refusal(&["users", "add", "Alice"], "another password\n");
    assert!(refusal.contains("there is a user `Alice` already"), "{refusal}");
    assert!(opens(&folder, &sub, PASSWORD));
    assert_eq!(folder.json(&["users", "list"], "").as_array().map(Vec::len), Some(1));
}

#[test]
fn weak_passwords_are_refused_and_change_nothing() {
    let folder = Folder::new();
    for password in ["", "seven77\n", &format!("{}\n", "a".repeat(1025))] {
        assert!(folder.refusal(&["users", "add", "alice"], password).contains("a password has at least 8"));
    }
    assert!(folder.refusal(&["users", "add", "  "], "correct horse\n").contains("a username has 1 to"));
    assert!(!folder.state().exists());
    let sub = alice(&folder);
    assert!(folder.refusal(&["users", "set-password", "alice"], "seven77\n").contains("at least 8"));
    assert!(opens(&folder, &sub, PASSWORD));
}

#[test]
fn the_list_is_a_table_in_the_order_of_the_names() {
    let folder = Folder::new();
    let bob = folder.json(&["users", "add", "bob"], &format!("{PASSWORD}\n"));
    let (alice, bob) = (alice(&folder), bob["sub"].as_str().expect("a subject").to_owned());
    folder.text(&["users", "disable", "bob"], "");
    assert_eq!(
        folder.text(&["users", "list"], ""),
        format!(
            "USERNAME  SUB                         STATUS    NAME\n\
             alice     {alice}  enabled   Alice Doe\n\
             bob       {bob}  disabled\n"
        )
    );
}

#[test]
fn only_add_makes_a_file() {
    let folder = Folder::new();
    for command in [&["users", "list"][..], &["users", "disable", "a"], &["users", "set-password", "a"]] {
        assert!(folder.refusal(command, "").starts_with("attesto: --state .attesto/state.db: "));
        assert!(!folder.state().exists());
    }
}
