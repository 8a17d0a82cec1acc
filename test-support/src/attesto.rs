//! The whole application, as an operator starts it: the `attesto` command, the built components, a state of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{Process, free_ports};
use crate::{project_root, target_dir};

/// The first start compiles the components; a busy machine takes its time.
const START: Duration = Duration::from_secs(120);

/// The demo client, the demo user and what they know.
pub const CLIENT_ID: &str = "demo";
/// Where the demo client is answered.
pub const REDIRECT_URI: &str = "http://127.0.0.1:8000/callback";
/// The demo user.
pub const USERNAME: &str = "alice";
/// Their password.
pub const PASSWORD: &str = "correct horse battery staple";
/// The API the tokens are for.
pub const AUDIENCE: &str = "http://localhost:10000";

/// What the tests' nonces are made with.
const MAC_SECRET: &str = "a secret for tests, and for nothing else";

/// A running application. It ends when this is dropped.
#[derive(Debug)]
pub struct Attesto {
    process: Process,
    port: u16,
    /// The confidential client's `client_id` and `client_secret`.
    pub confidential: (String, String),
    directory: TempDir,
}

impl Attesto {
    /// Starts the application with its manifest and settings as they are in the repository, but for the port.
    pub fn start() -> Self {
        Self::start_with(|manifest| manifest, |settings| settings)
    }

    /// Starts the application with its manifest and its settings changed.
    pub fn start_with(
        manifest: impl FnOnce(String) -> String,
        settings: impl FnOnce(String) -> String,
    ) -> Self {
        let [port] = free_ports();
        let directory = application(port, manifest, settings);
        let secret = people_and_clients(directory.path());
        let mut command = attesto(directory.path());
        command.args(["serve", "--listen", &format!("127.0.0.1:{port}")]);
        command.args(["--variables-file", "variables.toml", "--state", "state.db"]);
        let mut process = Process::start(&mut command, &directory.path().join("log"));
        process.wait_for_port(port, START);
        Self { process, port, confidential: ("backend".to_owned(), secret), directory }
    }

    /// The port it listens on.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The issuer URL, which is where it listens.
    pub fn issuer(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Runs the operator's command beside the running server; answers with what it prints.
    pub fn command(&self, arguments: &[&str]) -> String {
        run(attesto(self.directory.path()).args(arguments), "")
    }

    /// Writes a file beside the manifest; answers with its name.
    pub fn file(&self, name: &str, text: &str) -> String {
        fs::write(self.directory.path().join(name), text).expect("it can be written");
        name.to_owned()
    }

    /// Everything it has printed.
    pub fn output(&self) -> String {
        self.process.output()
    }
}

/// Whether `attesto check` finds the application good, and what it says.
pub fn check(
    manifest: impl FnOnce(String) -> String,
    settings: impl FnOnce(String) -> String,
) -> (bool, String) {
    let directory = application(8080, manifest, settings);
    let output = attesto(directory.path())
        .args(["check", "--variables-file", "variables.toml"])
        .output()
        .expect("the command can be started");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A built component.
pub fn component(name: &str) -> PathBuf {
    let path = target_dir().join("components").join(format!("{name}.wasm"));
    assert!(path.is_file(), "{} is missing: `cargo xtask build` makes it", path.display());
    path
}

/// A directory with manifest, settings and keys.
fn application(
    port: u16,
    manifest: impl FnOnce(String) -> String,
    settings: impl FnOnce(String) -> String,
) -> TempDir {
    let directory = TempDir::new().expect("a directory can be made");
    let root = project_root();
    let read = |name: &str| fs::read_to_string(root.join(name)).expect("the repository has it");
    let write =
        |name: &str, text: String| fs::write(directory.path().join(name), text).expect("it can be written");
    component("authorization_server");
    let components = format!("{}/", target_dir().join("components").display());
    write("spin.toml", manifest(read("spin.toml")).replace("target/components/", &components));
    write(
        "attesto.toml",
        settings(read("attesto.toml")).replace("localhost:8080", &format!("localhost:{port}")),
    );
    write("variables.toml", keys().to_owned());
    directory
}

/// One pair of keys for every application of a run: finding RSA primes takes long.
fn keys() -> &'static str {
    static KEYS: OnceLock<String> = OnceLock::new();
    KEYS.get_or_init(|| {
        let directory = TempDir::new().expect("a directory can be made");
        run(attesto(directory.path()).args(["keys", "generate", "--variables-file", "variables.toml"]), "");
        let keys = fs::read_to_string(directory.path().join("variables.toml"));
        let keys = keys.expect("the command has written it");
        if keys.contains("mac_secret") {
            return keys;
        }
        format!("{keys}\nmac_secret = \"{MAC_SECRET}\"\n")
    })
}

/// Registers the demo client, a confidential client and the demo user; answers with the client secret.
fn people_and_clients(directory: &Path) -> String {
    let grants = ["authorization_code", "refresh_token"].map(|grant| ["--grant-type", grant]).concat();
    let add_client = ["clients", "add", "--state", "state.db", "--redirect-uri", REDIRECT_URI];
    let add_client = [&add_client[..], &grants].concat();
    run(attesto(directory).args(&add_client).args(["--client-id", CLIENT_ID, "--name", "Demo app"]), "");
    let confidential = ["--client-id", "backend", "--name", "Back end", "--confidential"];
    let confidential = [&confidential[..], &["--grant-type", "client_credentials"]].concat();
    let printed = run(attesto(directory).args(&add_client).args(confidential), "");
    let user = [
        "users",
        "add",
        USERNAME,
        "--state",
        "state.db",
        "--name",
        "Alice Doe",
        "--email",
        "alice@example.com",
    ];
    run(attesto(directory).args(user), &format!("{PASSWORD}\n"));
    let secret = printed.lines().find_map(|line| line.strip_prefix("client_secret "));
    secret.expect("a confidential client is given a secret").trim().to_owned()
}

/// The operator's command, to be run in `directory`.
pub fn attesto(directory: &Path) -> Command {
    let mut command = Command::new(binary());
    command.current_dir(directory);
    command
}

fn run(command: &mut Command, input: &str) -> String {
    use std::io::Write;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    if let Some(mut stdin) = child.stdin.take() {
        // A command that wants no input may have closed it.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().expect("the command ends");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The `attesto` binary: of `ATTESTO`, or built here.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("ATTESTO") {
        Some(path) => path.into(),
        None => build(),
    })
}

fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(project_root()).args(["build", "--package", "attesto-cli"]);
    let status = command.status();
    assert!(status.is_ok_and(|status| status.success()), "cannot build the `attesto` command: {command:?}");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(target_dir, PathBuf::from).join("debug/attesto")
}
