//! The command as an operator meets it.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::fixtures;
use crate::support::server::Server;

/// The fixture application in a directory of its own.
struct App {
    directory: tempfile::TempDir,
}

impl App {
    fn new(change: impl Fn(String) -> String) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("spin.toml"), change(fixtures::manifest())).unwrap();
        std::fs::write(directory.path().join("attesto-test.txt"), "mounted\n").unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn attesto(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attesto"));
        command.current_dir(self.directory.path()).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.attesto(arguments).output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn check_lists_the_parts_and_what_they_inherit() {
    let output = App::new(|manifest| manifest).run(&["check", "--variable", "secret=x"]);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(printed.contains("part attesto-test:greeter@0.1.0 inherits key_value_stores"), "{printed}");
}

#[test]
fn bad_configuration_fails_with_one_line_naming_the_key() {
    let app = App::new(|manifest| manifest.replace("allowed_outbound_hosts", "allowed_inbound_hosts"));
    for command in ["check", "serve"] {
        let output = app.run(&[command, "--variable", "secret=x"]);
        assert_eq!(output.status.code(), Some(1));
        let message = text(&output.stderr);
        assert!(
            message.starts_with("attesto: spin.toml") && message.contains("allowed_inbound_hosts"),
            "{message}"
        );
    }
    let output = App::new(|manifest| manifest).run(&["serve"]);
    let message = text(&output.stderr);
    assert_eq!((output.status.code(), message.lines().count()), (Some(1), 1), "{message}");
    assert!(message.starts_with("attesto: variables.secret"), "{message}");
}

#[test]
fn a_variables_file_gives_way_to_the_command_line() {
    let app = App::new(|manifest| manifest);
    std::fs::write(app.path("variables.toml"), "secret = \"x\"\ngreeting = \"file\"\n").unwrap();
    let server = Server::start(
        app.attesto(&["serve"]),
        &["--variables-file", "variables.toml", "--variable", "greeting=flag"],
    );
    assert!(server.get("/variable?name=greeting").contains("flag, x"));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn the_state_survives_a_restart_and_a_termination_ends_cleanly() {
    let app = App::new(|manifest| manifest);
    let server = Server::start(app.attesto(&["serve"]), &["--variable", "secret=x"]);
    assert!(server.get("/hello?name=Ada").contains("Hello, Ada! (1)"));
    assert_eq!(server.stop(), Some(0));
    assert!(app.path(".attesto/state.db").is_file());

    let server = Server::start(app.attesto(&["serve"]), &["--variable", "secret=x"]);
    assert!(server.get("/hello?name=Ada").contains("Hello, Ada! (2)"));
    assert_eq!(server.stop(), Some(0));
}
