//! `attesto clients`, as an operator and their scripts meet it.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "clippy allows these in test functions, and their helpers are test code too"
)]

mod support;

use clients::record::{ClientRecord, key, secret_sha256, verify_secret};
use serde_json::{Value, json};
use support::Folder;

const URI: &str = "https://app.example/callback";

/// A confidential client `shop`; answers with its secret.
fn shop(folder: &Folder) -> String {
    let add =
        ["clients", "add", "--client-id", "shop", "--name", "Shop", "--redirect-uri", URI, "--confidential"];
    folder.json(&add, "")["client_secret"].as_str().expect("a secret").to_owned()
}

/// The record as the server reads it.
fn record(folder: &Folder, client_id: &str) -> ClientRecord {
    let value = folder.file().store("default").get(&key(client_id)).expect("readable").expect("there");
    serde_json::from_slice(&value).expect("a record")
}

#[test]
fn a_client_is_public_and_for_authorization_codes_unless_said_otherwise() {
    let folder = Folder::new();
    let added = folder.json(&["clients", "add", "--name", "App", "--redirect-uri", URI], "");
    let client_id = added["client_id"].as_str().expect("an identifier");
    assert!(client_id.len() == 32 && client_id.bytes().all(|b| b.is_ascii_hexdigit()), "{client_id}");
    let expected = json!({
        "client_id": client_id,
        "client_name": "App",
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code"],
        "redirect_uris": [URI],
        "disabled": false,
    });
    assert_eq!(added, expected);
    assert_eq!(folder.json(&["clients", "list"], ""), json!([expected]));
    assert_eq!(record(&folder, client_id).client_secret_sha256, None);
}

#[test]
fn every_member_of_the_metadata_can_be_given() {
    let folder = Folder::new();
    let arguments = [
        "clients",
        "add",
        "--client-id",
        "all",
        "--name",
        "All",
        "--auth-method",
        "client_secret_post",
        "--redirect-uri",
        URI,
        "--redirect-uri",
        "http://127.0.0.1/cb",
        "--grant-type",
        "authorization_code",
        "--grant-type",
        "refresh_token",
        "--grant-type",
        "client_credentials",
        "--grant-type",
        "refresh_token",
        "--scope",
        "openid orders:read",
        "--id-token-alg",
        "ES256",
    ];
    let mut added = folder.json(&arguments, "");
    let issued = added.as_object_mut().expect("an object");
    assert_eq!(issued.remove("client_secret_expires_at"), Some(json!(0)));
    assert!(issued.remove("client_secret").is_some());
    let expected = json!({
        "client_id": "all",
        "client_name": "All",
        "token_endpoint_auth_method": "client_secret_post",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "redirect_uris": [URI, "http://127.0.0.1/cb"],
        "scope": "openid orders:read",
        "id_token_signed_response_alg": "ES256",
        "disabled": false,
    });
    assert_eq!(added, expected);
    assert_eq!(record(&folder, "all").scope, Some(vec!["openid".to_owned(), "orders:read".to_owned()]));
}

#[test]
fn confidential_is_short_for_client_secret_basic() {
    let folder = Folder::new();
    shop(&folder);
    let listed = folder.json(&["clients", "list"], "");
    assert_eq!(listed[0]["token_endpoint_auth_method"], "client_secret_basic");
    let both =
        ["clients", "add", "--name", "A", "--redirect-uri", URI, "--confidential", "--auth-method", "none"];
    assert!(folder.usage_error(&both).contains("--auth-method"));
}

#[test]
fn a_machine_needs_no_redirect_uri_and_a_client_for_codes_does() {
    let folder = Folder::new();
    let machine = ["clients", "add", "--name", "M", "--confidential", "--grant-type", "client_credentials"];
    assert_eq!(folder.json(&machine, "")["redirect_uris"], json!([]));
    assert!(folder.refusal(&["clients", "add", "--name", "A"], "").contains("--redirect-uri"));
    let both = [&machine[..], &["--grant-type", "authorization_code"]].concat();
    assert!(folder.refusal(&both, "").contains("--redirect-uri"));
}

#[test]
fn a_secret_has_256_bits_and_is_kept_as_a_digest_alone() {
    let folder = Folder::new();
    let secret = shop(&folder);
    // 256 bits in base64url are 43 characters.
    assert_eq!(secret.len(), 43);
    let record = record(&folder, "shop");
    assert!(verify_secret(Some(&record), secret.as_bytes()));
    let digest = secret_sha256(secret.as_bytes());
    let raw = folder.file().store("default").get(&key("shop")).expect("readable").expect("there");
    let raw = String::from_utf8(raw).expect("JSON");
    assert!(raw.contains(&digest) && !raw.contains(&secret));
    let listed = folder.text(&["clients", "list", "--json"], "") + &folder.text(&["clients", "list"], "");
    assert!(!listed.contains(&digest) && !listed.contains(&secret));
}

#[test]
fn a_rotated_secret_works_and_the_old_one_stops_at_once() {
    let folder = Folder::new();
    let old = shop(&folder);
    let rotated = folder.json(&["clients", "rotate-secret", "shop"], "");
    let new = rotated["client_secret"].as_str().expect("a secret");
    assert_eq!(rotated, json!({ "client_id": "shop", "client_secret": new, "client_secret_expires_at": 0 }));
    let record = record(&folder, "shop");
    assert!(verify_secret(Some(&record), new.as_bytes()));
    assert!(!verify_secret(Some(&record), old.as_bytes()));
}

#[test]
fn a_public_client_has_no_secret_to_rotate() {
    let folder = Folder::new();
    folder.text(&["clients", "add", "--client-id", "app", "--name", "App", "--redirect-uri", URI], "");
    let refusal = folder.refusal(&["clients", "rotate-secret", "app"], "");
    assert!(refusal.contains("`app` is a public one"), "{refusal}");
    assert_eq!(record(&folder, "app").client_secret_sha256, None);
}

#[test]
fn a_disabled_client_is_not_admitted_until_it_is_enabled() {
    let folder = Folder::new();
    let secret = shop(&folder);
    let before = record(&folder, "shop");
    for _ in 0..2 {
        assert_eq!(folder.json(&["clients", "disable", "shop"], "")["disabled"], true);
        assert!(!verify_secret(Some(&record(&folder, "shop")), secret.as_bytes()));
    }
    assert_eq!(folder.json(&["clients", "list"], "")[0]["disabled"], true);
    assert_eq!(folder.text(&["clients", "enable", "shop"], ""), "shop is enabled\n");
    assert_eq!(record(&folder, "shop"), before);
    assert!(verify_secret(Some(&before), secret.as_bytes()));
}

#[test]
fn an_unknown_client_is_named() {
    let folder = Folder::new();
    shop(&folder);
    for command in ["disable", "enable", "rotate-secret"] {
        assert_eq!(
            folder.refusal(&["clients", command, "shopp"], ""),
            "attesto: there is no client `shopp`\n"
        );
    }
    assert_eq!(folder.json(&["clients", "list"], "").as_array().map(Vec::len), Some(1));
}

#[test]
fn a_client_is_not_replaced_by_one_of_its_name() {
    let folder = Folder::new();
    let secret = shop(&folder);
    let again = ["clients", "add", "--client-id", "shop", "--name", "Other", "--redirect-uri", URI];
    assert!(folder.refusal(&again, "").contains("there is a client `shop` already"));
    assert!(verify_secret(Some(&record(&folder, "shop")), secret.as_bytes()));
}

#[test]
fn what_can_not_be_registered_is_refused_by_option_and_leaves_no_file() {
    let folder = Folder::new();
    let cases: [(&[&str], &str); 11] = [
        (&["--grant-type", "client_credentials"], "--grant-type client_credentials"),
        (&["--auth-method", "none", "--grant-type", "client_credentials"], "RFC 6749 §4.4"),
        (&["--confidential", "--grant-type", "refresh_token"], "--grant-type refresh_token"),
        (
            &["--confidential", "--grant-type", "refresh_token", "--grant-type", "client_credentials"],
            "--grant-type refresh_token",
        ),
        (&["--redirect-uri", "/callback"], "--redirect-uri /callback"),
        (&["--redirect-uri", "https://app.example/#f"], "--redirect-uri https://app.example/#f"),
        (&["--redirect-uri", "http://app.example/"], "--redirect-uri http://app.example/"),
        (&["--redirect-uri", URI, "--scope", "a  b"], "--scope"),
        (&["--redirect-uri", URI, "--client-id", ""], "--client-id"),
        (&["--redirect-uri", URI, "--client-id", "é"], "--client-id"),
        (&["--redirect-uri", URI, "--name", "A\u{1b}[2J"], "--name"),
    ];
    for (arguments, named) in cases {
        let name: &[&str] = if arguments.contains(&"--name") { &[] } else { &["--name", "A"] };
        let refusal = folder.refusal(&[&["clients", "add"], name, arguments].concat(), "");
        assert!(refusal.contains(named), "{arguments:?}: {refusal}");
    }
    for (option, value) in
        [("--auth-method", "private"), ("--grant-type", "password"), ("--id-token-alg", "none")]
    {
        let add = ["clients", "add", "--name", "A", "--redirect-uri", URI, option, value];
        assert!(folder.usage_error(&add).contains(value));
    }
    assert!(!folder.state().exists());
}

#[test]
fn the_file_is_for_its_owner_alone_and_only_add_makes_one() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    for command in [&["clients", "list"][..], &["clients", "disable", "shop"]] {
        let refusal = folder.refusal(command, "");
        assert!(refusal.starts_with("attesto: --state .attesto/state.db: "), "{refusal}");
        assert!(!folder.state().exists());
    }
    shop(&folder);
    let mode = std::fs::metadata(folder.state()).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn stores_of_other_labels_are_apart() {
    let folder = Folder::new();
    shop(&folder);
    assert_eq!(folder.json(&["clients", "list", "--store", "other"], ""), json!([]));
    assert!(folder.refusal(&["clients", "disable", "shop", "--store", "other"], "").contains("`shop`"));
}

#[test]
fn the_list_is_a_table_in_the_order_of_the_identifiers() {
    let folder = Folder::new();
    folder.text(&["clients", "add", "--client-id", "zoo", "--name", "Zoo app", "--redirect-uri", URI], "");
    shop(&folder);
    folder.text(&["clients", "disable", "zoo"], "");
    assert_eq!(
        folder.text(&["clients", "list"], ""),
        "CLIENT_ID  AUTHENTICATION       GRANTS              STATUS    NAME\n\
         shop       client_secret_basic  authorization_code  enabled   Shop\n\
         zoo        none                 authorization_code  disabled  Zoo app\n"
    );
}

#[test]
fn a_name_in_the_store_can_not_steer_the_terminal() {
    let folder = Folder::new();
    shop(&folder);
    let mut client = record(&folder, "shop");
    client.client_name = "Shop\u{1b}[2J\nroot".to_owned();
    let value = serde_json::to_vec(&client).expect("JSON");
    folder.file().store("default").set(&key("shop"), &value).expect("written");
    let listed = folder.text(&["clients", "list"], "");
    assert!(listed.ends_with("Shop\u{FFFD}[2J\u{FFFD}root\n"), "{listed:?}");
}

#[test]
fn a_record_this_version_does_not_know_is_neither_listed_nor_changed() {
    let folder = Folder::new();
    shop(&folder);
    let value = folder.file().store("default").get(&key("shop")).expect("readable").expect("there");
    let mut newer: Value = serde_json::from_slice(&value).expect("JSON");
    newer["version"] = json!(2);
    newer["member_of_tomorrow"] = json!(true);
    let newer = serde_json::to_vec(&newer).expect("JSON");
    folder.file().store("default").set(&key("shop"), &newer).expect("written");
    for command in
        [&["clients", "list"][..], &["clients", "disable", "shop"], &["clients", "rotate-secret", "shop"]]
    {
        assert!(folder.refusal(command, "").contains("version 2"));
    }
    assert_eq!(folder.file().store("default").get(&key("shop")).expect("readable"), Some(newer));
}

#[test]
fn many_commands_at_once_lose_nothing() {
    let folder = Folder::new();
    shop(&folder);
    let add = |n: usize| {
        let id = format!("client-{n}");
        folder.text(&["clients", "add", "--client-id", &id, "--name", "A", "--redirect-uri", URI], "");
    };
    std::thread::scope(|scope| {
        for n in 0..4 {
            scope.spawn(move || add(n));
        }
        scope.spawn(|| folder.text(&["clients", "disable", "shop"], ""));
        scope.spawn(|| folder.text(&["clients", "rotate-secret", "shop"], ""));
    });
    assert_eq!(folder.json(&["clients", "list"], "").as_array().map(Vec::len), Some(5));
    assert!(record(&folder, "shop").revoked);
}
