//! `attesto clients`, as an operator and their scripts meet it.

use crate::support::Folder;
use clients::record::{ClientRecord, key, secret_sha256, verify_secret};
use serde_json::{Value, json};

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

/// The key of RFC 7517 Appendix A.1.
fn es256() -> Value {
    json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "kid": "1",
        "use": "sig",
    })
}

/// A file `keys` with this value as `keys`; answers with its name.
fn keys(folder: &Folder, keys: &Value) -> String {
    folder.write("keys", &json!({ "keys": keys }).to_string());
    "keys".to_owned()
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
fn a_client_that_authenticates_without_a_secret_is_given_none_and_has_none_to_rotate() {
    let folder = Folder::new();
    let file = keys(&folder, &json!([es256()]));
    for (method, needs) in [
        ("private_key_jwt", ["--jwks", &file]),
        ("self_signed_tls_client_auth", ["--jwks-uri", "https://bank.example/jwks"]),
        ("tls_client_auth", ["--tls-san-dns", "bank.example"]),
    ] {
        let add = ["clients", "add", "--client-id", method, "--name", "A", "--redirect-uri", URI];
        let added = folder.json(&[&add[..], &["--auth-method", method], &needs].concat(), "");
        assert_eq!(added["token_endpoint_auth_method"], method);
        assert!(added.get("client_secret").is_none() && added.get("client_secret_expires_at").is_none());
        let refusal = folder.refusal(&["clients", "rotate-secret", method], "");
        assert!(refusal.contains(&format!("`{method}` authenticates by {method}")), "{refusal}");
        assert_eq!(record(&folder, method).client_secret_sha256, None);
    }
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

#[test]
fn every_member_of_a_fapi_client_can_be_given_and_is_listed_under_its_registered_name() {
    let folder = Folder::new();
    let certificate = json!({ "kty": "RSA", "n": "short", "e": "AQAB", "use": "enc" });
    let file = keys(&folder, &json!([es256(), certificate]));
    let arguments = [
        "clients",
        "add",
        "--client-id",
        "bank",
        "--name",
        "Bank",
        "--redirect-uri",
        URI,
        "--auth-method",
        "private_key_jwt",
        "--jwks",
        &file,
        "--assertion-alg",
        "ES256",
        "--dpop-bound",
        "--require-par",
        "--require-signed-request",
        "--request-object-alg",
        "ES256",
        "--response-alg",
        "PS256",
        "--introspection-alg",
        "Ed25519",
        "--resource",
        "https://api.example/a",
        "--resource",
        "https://api.example/b",
        "--resource",
        "https://api.example/a",
    ];
    let expected = json!({
        "client_id": "bank",
        "client_name": "Bank",
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["authorization_code"],
        "redirect_uris": [URI],
        "jwks": { "keys": [es256(), certificate] },
        "token_endpoint_auth_signing_alg": "ES256",
        "dpop_bound_access_tokens": true,
        "require_pushed_authorization_requests": true,
        "require_signed_request_object": true,
        "request_object_signing_alg": "ES256",
        "authorization_signed_response_alg": "PS256",
        "introspection_signed_response_alg": "Ed25519",
        "resources": ["https://api.example/a", "https://api.example/b"],
        "disabled": false,
    });
    assert_eq!(folder.json(&arguments, ""), expected);
    assert_eq!(folder.json(&["clients", "list"], ""), json!([expected]));
    let kept = record(&folder, "bank");
    assert_eq!(kept.jwks_text().expect("one place").as_deref(), Some(&*expected["jwks"].to_string()));
    assert!(kept.dpop_bound_access_tokens && !kept.tls_client_certificate_bound_access_tokens);
}

/// A set may serve other purposes as well (RFC 7517 §5).
#[test]
fn keys_that_are_not_used_are_named_and_harm_nobody() {
    let folder = Folder::new();
    let mut other = es256();
    other["use"] = "enc".into();
    let file = keys(&folder, &json!([other, es256()]));
    let add = ["clients", "add", "--name", "A", "--redirect-uri", URI, "--auth-method", "private_key_jwt"];
    let output = folder.run(&[&add[..], &["--jwks", &file]].concat(), "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("not for signatures"), "{said}");
}

/// RFC 8705 §2.1.2.
#[test]
fn a_certificate_is_named_in_one_of_five_ways() {
    let folder = Folder::new();
    let add = ["clients", "add", "--name", "A", "--redirect-uri", URI, "--auth-method", "tls_client_auth"];
    for (option, value, member, kept) in [
        ("--tls-subject-dn", "CN=a,O=b\\, c", "tls_client_auth_subject_dn", "CN=a,O=b\\, c"),
        ("--tls-san-dns", "a.example", "tls_client_auth_san_dns", "a.example"),
        ("--tls-san-uri", "spiffe://a/b", "tls_client_auth_san_uri", "spiffe://a/b"),
        ("--tls-san-ip", "2001:DB8:0::1", "tls_client_auth_san_ip", "2001:db8::1"),
        ("--tls-san-email", "a@b.example", "tls_client_auth_san_email", "a@b.example"),
    ] {
        let added = folder.json(&[&add[..], &[option, value, "--certificate-bound"]].concat(), "");
        assert_eq!(added[member], kept);
        assert_eq!(added["tls_client_certificate_bound_access_tokens"], true);
    }
    let two = [&add[..], &["--tls-san-dns", "a.example", "--tls-san-ip", "::1"]].concat();
    assert!(folder.usage_error(&two).contains("--tls-san-ip"));
}

#[test]
fn options_that_contradict_each_other_are_refused_with_the_one_to_change() {
    let folder = Folder::new();
    let file = keys(&folder, &json!([es256()]));
    let private_key_jwt = ["--auth-method", "private_key_jwt", "--jwks", &file];
    let machine = ["--confidential", "--grant-type", "client_credentials"];
    let cases: [(&[&str], &str); 14] = [
        // RFC 7523 §3, OIDC Core §9: an assertion is checked with a registered key.
        (
            &["--auth-method", "private_key_jwt"],
            "private_key_jwt: needs the client's public keys; give --jwks or",
        ),
        // RFC 8705 §2.2.2.
        (&["--auth-method", "self_signed_tls_client_auth"], "give --jwks or --jwks-uri"),
        // RFC 8705 §2.1.2.
        (&["--auth-method", "tls_client_auth"], "tls_client_auth: needs to know whom the certificate names"),
        (&["--tls-san-dns", "a.example"], "--tls-san-dns: is for --auth-method tls_client_auth"),
        (&["--confidential", "--tls-subject-dn", "CN=a"], "--tls-subject-dn: is for"),
        (
            &["--confidential", "--assertion-alg", "PS256"],
            "--assertion-alg: is for --auth-method private_key_jwt",
        ),
        (&[&private_key_jwt[..], &["--assertion-alg", "PS256"]].concat(), "--assertion-alg PS256: no key of"),
        // RFC 9101 §10.5, §6.2.
        (
            &["--confidential", "--require-signed-request"],
            "--require-signed-request: needs the client's public",
        ),
        (&["--request-object-alg", "ES256"], "--request-object-alg: needs the client's public keys"),
        (
            &[&private_key_jwt[..], &["--request-object-alg", "EdDSA"]].concat(),
            "--request-object-alg EdDSA: no key",
        ),
        // RFC 7662 §2.1.
        (&["--introspection-alg", "ES256"], "--introspection-alg: a public client"),
        (&[&machine[..], &["--require-par"]].concat(), "--require-par: is about authorization requests"),
        (&[&machine[..], &["--response-alg", "ES256"]].concat(), "--response-alg: is about"),
        (
            &[&machine[..], &["--require-signed-request", "--jwks", &file]].concat(),
            "--require-signed-request: is",
        ),
    ];
    for (arguments, named) in cases {
        let refusal = folder
            .refusal(&[&["clients", "add", "--name", "A", "--redirect-uri", URI], arguments].concat(), "");
        assert!(refusal.contains(named), "{arguments:?}: {refusal}");
    }
    for (arguments, named) in [
        // RFC 7591 §2: never both.
        (["--jwks", &file, "--jwks-uri", "https://a.example/jwks"].as_slice(), "--jwks-uri"),
        (&["--dpop-bound", "--certificate-bound"], "--certificate-bound"),
        (&["--jwks-uri", "http://a.example/jwks"], "must be an https URL"),
        (&["--jwks-uri", "https://a:b@a.example/jwks"], "must be an https URL"),
        (&["--jwks-uri", "https://a.example/jwks#f"], "must be an https URL"),
        // RFC 8707 §2.
        (&["--resource", "/orders"], "must be an https URL without a fragment"),
        (&["--resource", "https://api.example/#f"], "must be an https URL without a fragment"),
        (&["--tls-subject-dn", "payments"], "RFC 4514"),
        (&["--tls-san-dns", "*.bank.example"], "without wildcards"),
        (&["--tls-san-ip", "bank"], "--tls-san-ip"),
        (&["--assertion-alg", "HS256"], "HS256"),
        (&["--request-object-alg", "none"], "none"),
    ] {
        let add = [&["clients", "add", "--name", "A", "--redirect-uri", URI], arguments].concat();
        let error = folder.usage_error(&add);
        assert!(error.contains(named), "{arguments:?}: {error}");
    }
    assert!(!folder.state().exists());
}

#[test]
fn a_file_that_is_no_set_of_usable_public_keys_is_refused() {
    let folder = Folder::new();
    let with = |name: &str, value: &str| {
        let mut key = es256();
        key[name] = value.into();
        key
    };
    let set = |keys: Value| json!({ "keys": keys }).to_string();
    for (text, named) in [
        // RFC 7517 §9.2.
        (
            set(json!([es256(), with("d", "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE")])),
            "has a private or symmetric",
        ),
        (
            set(json!([{ "kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T" }])),
            "has a private or",
        ),
        (set(json!([])), "has no key that can be used"),
        (set(json!([with("use", "enc")])), "has no key that can be used: key is not for signatures"),
        (set(json!([with("y", "AAAA")])), "has no key that can be used: coordinate"),
        (set(json!([with("crv", "P-384")])), "unsupported curve"),
        (set(json!([es256(), es256()])), "can not be told apart"),
        (es256().to_string(), "must be a JWK Set"),
        ("-----BEGIN PUBLIC KEY-----".to_owned(), "must be a JWK Set"),
        (r#"{"keys":[],"keys":[]}"#.to_owned(), "must be a JWK Set"),
    ] {
        folder.write("keys", &text);
        let add =
            ["clients", "add", "--name", "A", "--redirect-uri", URI, "--auth-method", "private_key_jwt"];
        let refusal = folder.refusal(&[&add[..], &["--jwks", "keys"]].concat(), "");
        assert!(refusal.contains("--jwks keys: ") && refusal.contains(named), "{text}: {refusal}");
    }
    let absent = ["clients", "add", "--name", "A", "--redirect-uri", URI, "--jwks", "absent"];
    assert!(folder.refusal(&absent, "").contains("--jwks absent: "));
    assert!(!folder.state().exists());
}
