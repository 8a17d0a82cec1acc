//! Attesto itself under the command: what is refused before it starts, and what it takes up while it runs.

use std::process::{Command, Output};
use std::sync::OnceLock;

use crate::fixtures;
use crate::support::blocks;
use crate::support::server::Server;

const MANIFEST: &str = include_str!("../../../spin.toml");
const SETTINGS: &str = include_str!("../../../attesto.toml");
const FAPI: &str = include_str!("../../../docs/fapi.md");
const ANCHOR: &str = include_str!("../../../tests/certificates/ca.pem");
const COMPONENTS: [&str; 7] =
    ["authorization_server", "keystore", "clients", "people", "rules", "store_key_value", "outbound"];

/// As many bytes as a secret has at least.
const SECRET: &str = "thirty-two bytes, and no more of";

/// The application in a directory of its own, with usable keys in `keys.toml`.
struct House(tempfile::TempDir);

impl House {
    fn new() -> Self {
        let house = Self(tempfile::tempdir().unwrap());
        let place = |manifest: String, name: &&str| {
            let relative = format!("target/components/{name}.wasm");
            assert!(manifest.contains(&relative), "spin.toml names {name}");
            manifest.replace(&relative, fixtures::component(name).to_str().unwrap())
        };
        house.write("spin.toml", &COMPONENTS.iter().fold(MANIFEST.to_owned(), place));
        house.write("attesto.toml", SETTINGS);
        house.write("keys.toml", keys());
        house
    }

    /// At once, so that a server that follows the file reads it whole.
    fn write(&self, name: &str, text: &str) {
        let beside = self.0.path().join(".new");
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(beside, self.0.path().join(name)).unwrap();
    }

    fn attesto(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attesto"));
        command.current_dir(self.0.path()).args(arguments);
        command
    }

    fn run(&self, command: &str) -> Output {
        self.attesto(&[command, "--variables-file", "keys.toml"]).output().unwrap()
    }

    /// What both commands say that refuse to go on.
    fn refusal(&self) -> String {
        let [check, serve] = ["check", "serve"].map(|command| {
            let output = self.run(command);
            let message = text(&output.stderr);
            assert_eq!((output.status.code(), message.lines().count()), (Some(1), 1), "{message}");
            message
        });
        assert_eq!(check, serve);
        check
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A variables file with a key for each algorithm that is needed by default: RSA primes take long to find.
fn keys() -> &'static str {
    static KEYS: OnceLock<String> = OnceLock::new();
    KEYS.get_or_init(|| generated(&["ES256", "RS256"]))
}

fn generated(algorithms: &[&str]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_attesto"));
    command.current_dir(directory.path()).args(["keys", "generate", "--variables-file", "keys.toml"]);
    let made = command.args(algorithms.iter().flat_map(|name| ["--algorithm", name])).output().unwrap();
    assert!(made.status.success(), "{}", text(&made.stderr));
    let made = std::fs::read_to_string(directory.path().join("keys.toml")).unwrap();
    // The tests write secrets of their own.
    let keys = made.find("signing_keys = ").unwrap();
    made[keys..].to_owned()
}

#[test]
fn what_is_right_is_ready_to_serve() {
    let house = House::new();
    let also = format!("mac_secret = '{SECRET}'\nmac_secret_previous = '{SECRET}'\n");
    house.write("keys.toml", &format!("{}{also}", keys()));
    let output = house.run("check");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).ends_with("attesto: ready to serve\n"), "{}", text(&output.stdout));
}

#[test]
fn keys_that_the_keystore_would_not_take_are_refused_by_the_variables_name() {
    let house = House::new();
    let pem = keys().split("'''").nth(1).unwrap();
    let holding = |text: &str| format!("signing_keys = '''{text}'''\n");
    for (variables, words) in [
        (holding(""), "holds no PEM block"),
        (holding("no keys"), "holds no PEM block"),
        (holding("{}"), "neither PEM blocks one after the other nor a JWK Set"),
        (holding(&format!("{pem}{pem}")), "two keys"),
        (holding(&pem.replacen("MI", "AA", 1)), "key 1 of the variable"),
        (holding(&format!("{pem}trailing")), "neither PEM blocks"),
        (generated(&["ES256", "Ed25519"]), "no active key for RS256"),
    ] {
        house.write("keys.toml", &variables);
        let refusal = house.refusal();
        assert!(refusal.contains("`signing_keys`") && refusal.contains(words), "{refusal}");
        assert!(!refusal.contains("PRIVATE KEY-----"), "{refusal}");
    }
}

#[test]
fn a_key_that_the_settings_ask_for_and_that_is_not_there_is_refused() {
    let house = House::new();
    house.write("attesto.toml", &format!("access_token_signing_alg = \"EdDSA\"\n{SETTINGS}"));
    let refusal = house.refusal();
    for word in ["`signing_keys`", "EdDSA", "`access_token_signing_alg`"] {
        assert!(refusal.contains(word), "{refusal}");
    }
}

#[test]
fn secrets_that_are_too_short_or_out_of_place_are_refused_by_the_variables_name() {
    let house = House::new();
    let short = &SECRET[1..];
    for (variables, words) in [
        (format!("mac_secret = '{short}'\n"), "`mac_secret` has fewer than 32 bytes"),
        (
            format!("mac_secret = '{SECRET}'\nmac_secret_previous = '{short}'\n"),
            "`mac_secret_previous` has fewer than 32 bytes",
        ),
        (format!("mac_secret_previous = '{SECRET}'\n"), "`mac_secret` is empty"),
    ] {
        house.write("keys.toml", &format!("{}{variables}", keys()));
        let refusal = house.refusal();
        assert!(refusal.contains(words) && !refusal.contains(short), "{refusal}");
    }
}

#[test]
fn settings_are_checked_wherever_they_come_from() {
    let house = House::new();
    house.write("keys.toml", &format!("{}attesto_toml = 'isuer = 1'\n", keys()));
    assert!(house.refusal().contains("isuer"));

    house.write("keys.toml", keys());
    house.write("attesto.toml", &format!("isuer = 1\n{SETTINGS}"));
    assert!(house.refusal().contains("isuer"));
    let manifest = std::fs::read_to_string(house.0.path().join("spin.toml")).unwrap();
    for files in ["\"*.toml\"", "{ source = \"attesto.toml\", destination = \"/attesto.toml\" }"] {
        house.write(
            "spin.toml",
            &manifest.replace("files = [\"attesto.toml\"]", &format!("files = [{files}]")),
        );
        assert!(house.refusal().contains("isuer"), "{files}");
    }
}

#[test]
fn a_running_server_keeps_what_it_has_when_a_variables_file_becomes_unfit() {
    let house = House::new();
    let server = Server::start(house.attesto(&["serve", "--variables-file", "keys.toml"]), &["--in-memory"]);
    let jwks = || {
        let answer = server.get("/.well-known/jwks.json");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer.rsplit_once("\r\n\r\n").map(|(_, body)| body.to_owned())
    };
    let before = jwks();

    for (variables, words) in [
        (generated(&["ES256"]), "no active key for RS256"),
        (format!("{}mac_secret = 'short'\n", keys()), "`mac_secret` has fewer than 32 bytes"),
        (format!("{}attesto_toml = 'isuer = 1'\n", keys()), "isuer"),
        ("signing_keys = '''-----BEGIN".to_owned(), "keys.toml: line 1: "),
    ] {
        house.write("keys.toml", &variables);
        let lines = server.lines(words);
        assert!(
            lines.iter().all(|line| line.contains("keys.toml has changed and is not used: ")),
            "{lines:?}"
        );
        assert_eq!(jwks(), before);
    }

    house.write("keys.toml", &format!("{}mac_secret = '{SECRET}'\n", keys()));
    server.lines("keys.toml has changed and is in use");
    assert_eq!(server.lines("is not used").len(), 4, "each is said once");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_body_that_is_too_large_for_what_is_read_ahead_reaches_the_component_as_such() {
    let house = House::new();
    let server = Server::start(house.attesto(&["serve", "--variables-file", "keys.toml"]), &["--in-memory"]);
    let answer = |length: usize| {
        server.send(&format!(
            "POST /oauth/token HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\na={}",
            "x".repeat(length - 2)
        ))
    };
    let largest = answer(attesto::http::MAX_BODY);
    assert!(largest.starts_with("HTTP/1.1 400"), "{largest}");
    let larger = answer(attesto::http::MAX_BODY + 1);
    assert!(larger.starts_with("HTTP/1.1 413") && larger.contains("invalid_request"), "{larger}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn the_settings_of_the_page_on_fapi_are_whole_alone_and_with_each_of_its_additions() {
    let house = House::new();
    house.write("keys.toml", &format!("{}mac_secret = '{SECRET}'\n", keys()));
    let blocks = blocks(FAPI, "toml");
    let [first, nonces, certificates] = blocks.as_slice() else { panic!("{blocks:?}") };
    let message_signing = first.replace("\"fapi2-security\"", "\"fapi2-message-signing\"");
    assert_ne!(*first, message_signing);
    let placeholder = "-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n";
    assert!(certificates.contains(placeholder), "{certificates}");
    for first in [*first, message_signing.as_str()] {
        for more in ["", nonces, &certificates.replace(placeholder, ANCHOR)] {
            house.write("attesto.toml", &format!("{first}{more}"));
            let output = house.run("check");
            assert!(output.status.success(), "{more}: {}", text(&output.stderr));
        }
    }
}
