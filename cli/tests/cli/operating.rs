//! The commands of docs/operating.md and docs/fapi.md do what the pages say, in their order.

use std::path::Path;

use crate::support::{Folder, blocks};
use serde_json::json;

const OPERATING: &str = include_str!("../../../docs/operating.md");
const FAPI: &str = include_str!("../../../docs/fapi.md");

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

/// The `sh` blocks of a page, which are those to be run, but for the line that starts the server.
fn script(page: &str) -> String {
    let blocks = blocks(page, "sh");
    let lines = blocks.iter().flat_map(|block| block.lines());
    lines
        .filter(|line| !line.starts_with("attesto serve"))
        .fold(ATTESTO.to_owned(), |script, line| script + line + "\n")
}

/// What a page's commands print.
fn followed(page: &str, folder: &Folder) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_attesto")).parent().expect("a folder");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
    folder.shell(&script(page), &path)
}

#[test]
fn the_page_on_fapi_registers_its_clients() {
    let folder = Folder::new();
    // What the page has the client make with npm's jose. The key is that of RFC 7517 Appendix A.1.
    let key = json!({
        "kty": "EC", "crv": "P-256", "kid": "k1", "alg": "ES256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    });
    folder.write("budget.jwks.json", &json!({ "keys": [key] }).to_string());
    followed(FAPI, &folder);
    let clients = folder.json(&["clients", "list"], "");
    let method = |name: &str| {
        let of = clients.as_array().expect("a list").iter().find(|client| client["client_name"] == name);
        of.expect("it is registered")["token_endpoint_auth_method"].clone()
    };
    assert_eq!([method("Budget app"), method("Ledger")], ["private_key_jwt", "tls_client_auth"]);
}

#[test]
fn the_page_on_operating_can_be_followed_from_its_first_command_to_its_last() {
    let folder = Folder::new();
    let printed = followed(OPERATING, &folder);
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
