//! `attesto keys` as an operator meets it.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

/// A variables file with one Ed25519 and one ES256 key: RSA primes take long to find.
struct House(tempfile::TempDir);

impl House {
    fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn new() -> Self {
        let house = Self::empty();
        let made = house.keys(&[
            "generate",
            "--algorithm",
            "ES256",
            "--algorithm",
            "Ed25519",
            "--variables-file",
            "v",
        ]);
        assert!(made.status.success(), "{}", text(&made.stderr));
        assert_eq!(text(&made.stdout), "", "nothing private is printed");
        house
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("v")
    }

    fn contents(&self) -> String {
        std::fs::read_to_string(self.file()).unwrap()
    }

    fn keys(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attesto"));
        command.current_dir(self.0.path()).arg("keys").args(arguments).output().unwrap()
    }

    /// What the file gives a variable.
    fn variable(&self, name: &str) -> Option<String> {
        attesto_host::variables::read_file(&self.file()).unwrap().remove(name)
    }

    /// The keys that a command shows as JSON.
    fn shown(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.keys(&[arguments, &["--variables-file", "v", "--json"]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        json["keys"].as_array().unwrap().clone()
    }

    /// Why a command fails.
    fn refused(&self, arguments: &[&str]) -> String {
        let before = std::fs::read(self.file()).ok();
        let output = self.keys(arguments);
        assert!(!output.status.success());
        assert_eq!(before, std::fs::read(self.file()).ok(), "the file is as it was");
        text(&output.stderr)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn states(keys: &[Value]) -> Vec<(&str, &str, bool)> {
    let mut states: Vec<_> = keys
        .iter()
        .map(|key| (key["alg"].as_str().unwrap(), key["status"].as_str().unwrap(), key["private"] == true))
        .collect();
    states.sort_unstable();
    states
}

#[test]
fn generated_keys_are_written_for_their_owner_only_and_never_over_others() {
    let house = House::new();
    assert_eq!(std::fs::metadata(house.file()).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(house.contents().contains("signing_keys = '''\n-----BEGIN PRIVATE KEY-----\n"));
    let again = house.refused(&["generate", "--algorithm", "ES256", "--variables-file", "v"]);
    assert!(again.contains("--variables-file v"), "{again}");
}

#[test]
fn generate_prints_pem_or_a_private_jwk_set_where_no_file_is_named() {
    let house = House::empty();
    let pem = text(&house.keys(&["generate", "--algorithm", "EdDSA"]).stdout);
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{pem}");
    let set = house.keys(&["generate", "--algorithm", "ES256", "--json"]).stdout;
    let set: Value = serde_json::from_slice(&set).unwrap();
    assert!(set["keys"][0]["d"].is_string());
}

/// PEM could not say what the key is for.
#[test]
fn a_ps256_key_is_written_as_a_jwk() {
    let house = House::empty();
    assert!(house.keys(&["generate", "--algorithm", "PS256", "--variables-file", "v"]).status.success());
    assert_eq!(states(&house.shown(&["list"])), [("PS256", "active", true)]);
}

#[test]
fn algorithms_that_are_not_done_are_refused() {
    for algorithm in ["none", "HS256", "ES384", "Ed448"] {
        House::empty().refused(&["generate", "--algorithm", algorithm]);
    }
}

#[test]
fn list_shows_nothing_private() {
    let house = House::new();
    house.shown(&["rotate"]);
    let secrets: Vec<String> =
        house.contents().split("\"d\":\"").skip(1).map(|rest| rest[..43].to_owned()).collect();
    assert_eq!(secrets.len(), 4);
    for arguments in [&["list", "--variables-file", "v"][..], &["list", "--variables-file", "v", "--json"]] {
        let printed = text(&house.keys(arguments).stdout);
        assert!(printed.contains("upcoming"), "{printed}");
        assert!(secrets.iter().all(|secret| !printed.contains(secret)), "{printed}");
    }
}

#[test]
fn rotate_publishes_successors_ahead_and_limits_the_keys_before_them() {
    let house = House::new();
    std::fs::set_permissions(house.file(), PermissionsExt::from_mode(0o640)).unwrap();
    let others = "other = \"it's \\\"quoted\\\" \\u007F\"\n";
    std::fs::write(house.file(), format!("{}{others}", house.contents())).unwrap();
    let old = house.shown(&["list"]);
    let inode = std::fs::metadata(house.file()).unwrap().ino();

    let rotated = house.shown(&["rotate", "--activate-after", "60", "--keep-for", "600"]);
    assert_eq!(
        states(&rotated),
        [
            ("ES256", "active", true),
            ("ES256", "upcoming", true),
            ("Ed25519", "active", true),
            ("Ed25519", "upcoming", true)
        ]
    );
    for key in &rotated {
        let is_old = old.iter().any(|other| other["kid"] == key["kid"]);
        assert_eq!(is_old, key["status"] == "active");
        assert_eq!(key["published_until"].is_u64(), is_old);
        assert_eq!(key["signs_from"].is_u64(), !is_old);
    }
    let time = |name: &str| rotated.iter().find_map(|key| key[name].as_u64()).unwrap();
    assert_eq!(time("published_until"), time("signs_from") + 600);

    let metadata = std::fs::metadata(house.file()).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o640, "who could read it still can");
    assert_ne!(metadata.ino(), inode, "another file in its place");
    assert_eq!(std::fs::read_dir(house.0.path()).unwrap().count(), 1, "nothing is left beside it");
    assert!(house.contents().contains("other = \"it's \\\"quoted\\\" \\u007F\"\n"), "{}", house.contents());
}

#[test]
fn rotate_refuses_while_a_successor_is_waiting() {
    let house = House::new();
    house.shown(&["rotate", "--algorithm", "ES256"]);
    let message = house.refused(&["rotate", "--variables-file", "v"]);
    assert!(message.contains("has not begun to sign yet"), "{message}");
    assert_eq!(house.shown(&["rotate", "--algorithm", "EdDSA"]).len(), 4);
}

#[test]
fn a_rotation_in_an_emergency_leaves_only_the_new_keys() {
    let house = House::new();
    let old = house.shown(&["list"]);
    let new = house.shown(&["rotate", "--activate-after", "0", "--keep-for", "0"]);
    assert_eq!(states(&new), [("ES256", "active", true), ("Ed25519", "active", true)]);
    assert!(new.iter().all(|key| old.iter().all(|other| other["kid"] != key["kid"])));
}

#[test]
fn prune_keeps_the_public_half_of_a_key_that_signs_no_more() {
    let house = House::new();
    house.shown(&["rotate", "--algorithm", "ES256"]);
    // As if the successor had begun long ago.
    let begun = house.contents();
    let (before, after) = begun.split_once("\"nbf\":").unwrap();
    let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap();
    std::fs::write(house.file(), format!("{before}\"nbf\":1{}", &after[digits..])).unwrap();
    assert_eq!(
        states(&house.shown(&["list"])),
        [("ES256", "active", true), ("ES256", "retired", true), ("Ed25519", "active", true)]
    );
    assert_eq!(
        states(&house.shown(&["prune"])),
        [("ES256", "active", true), ("ES256", "retired", false), ("Ed25519", "active", true)]
    );
}

#[test]
fn a_variables_file_has_a_secret_for_macs_and_printed_keys_have_none() {
    let (house, other) = (House::new(), House::new());
    // 256 bits in base64url are 43 characters.
    assert_eq!(house.variable("mac_secret").map(|secret| secret.len()), Some(43));
    assert_ne!(house.variable("mac_secret"), other.variable("mac_secret"));
    let printed = house.keys(&["generate", "--algorithm", "ES256"]);
    assert!(!text(&printed.stdout).contains("mac_secret"));
}

#[test]
fn a_rotated_mac_secret_leaves_the_one_before_it_and_the_keys() {
    let house = House::new();
    let (old, keys) = (house.variable("mac_secret"), house.shown(&["list"]));
    let rotate = ["rotate-mac-secret", "--variables-file", "v"];
    assert_eq!(text(&house.keys(&rotate).stdout), "", "nothing private is printed");
    let new = house.variable("mac_secret");
    assert_ne!(new, old);
    assert_eq!(house.variable("mac_secret_previous"), old);
    assert_eq!(house.shown(&["list"]), keys);
    assert!(house.keys(&rotate).status.success());
    assert_eq!(house.variable("mac_secret_previous"), new, "the oldest is void");
}

/// A secret the keystore refuses would make it refuse the new one as well.
#[test]
fn a_first_mac_secret_is_made_where_there_was_none_that_is_good() {
    let house = House::new();
    for before in ["", "mac_secret = \"\"\n", "mac_secret = \"short\"\n"] {
        let contents = house.contents();
        let keys = &contents[contents.find("signing_keys").unwrap()..];
        std::fs::write(house.file(), format!("{before}{keys}")).unwrap();
        assert!(house.keys(&["rotate-mac-secret", "--variables-file", "v"]).status.success());
        assert_eq!(house.variable("mac_secret").map(|secret| secret.len()), Some(43));
        assert_eq!(house.variable("mac_secret_previous"), None);
    }
}

#[test]
fn a_file_without_usable_keys_is_left_alone() {
    let house = House::empty();
    for contents in ["", "other = \"x\"\n", "signing_keys = \"secret\"\n", "not toml"] {
        std::fs::write(house.file(), contents).unwrap();
        for command in ["list", "rotate", "prune", "rotate-mac-secret"] {
            let message = house.refused(&[command, "--variables-file", "v"]);
            assert!(!message.contains("secret"), "{message}");
        }
    }
}
