//! The commands of docs/operating.md do what the page says, in its order.

use std::path::Path;

use crate::support::Folder;
use serde_json::json;

const PAGE: &str = include_str!("../../../docs/operating.md");

/// Passwords come from a pipe, where the page has somebody type them.
const ATTESTO: &str = r#"
set -e
attesto() {
  case "$1 $2" in
    "users add" | "users set-password") echo 'correct horse battery' | command attesto "$@" ;;
    *) command attesto "$@" ;;
  esac
}
"#;

/// The `sh` blocks, which are those to be run.
fn script() -> String {
    let mut script = ATTESTO.to_owned();
    for block in PAGE.split("```sh\n").skip(1) {
        script += block.split("```").next().unwrap_or_default();
    }
    script
}

#[test]
fn the_page_can_be_followed_from_its_first_command_to_its_last() {
    let folder = Folder::new();
    let binary = Path::new(env!("CARGO_BIN_EXE_attesto")).parent().expect("a folder");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
    let printed = folder.shell(&script(), &path);
    assert_eq!(printed.matches("client_secret ").count(), 3, "{printed}");

    let clients = folder.json(&["clients", "list"], "");
    let of = |member: &str| {
        let clients = clients.as_array().expect("a list");
        clients.iter().map(|client| client[member].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("client_id"), ["bank-app", "clearing", "payments", "photos", "report", "shop"]);
    assert_eq!(of("disabled"), [false; 6]);
    assert_eq!(of("scope")[4], json!("orders:read"));
    assert_eq!(of("jwks")[0]["keys"][0]["kid"], json!("2026-1"));
    assert_eq!(of("tls_client_auth_subject_dn")[1], json!("CN=clearing,O=Bank,C=DE"));
    assert_eq!(of("request_object_signing_alg")[2], json!("PS256"));
    let users = folder.json(&["users", "list"], "");
    assert_eq!((&users[0]["username"], &users[0]["disabled"]), (&json!("alice"), &json!(false)));
}
