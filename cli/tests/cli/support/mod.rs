//! The built command, in a directory of its own.

pub(crate) mod server;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use attesto_host::KeyValueFile;
use serde_json::Value;
use tempfile::TempDir;

/// The blocks of a page of the documentation that are in `language`.
pub(crate) fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let opening = format!("```{language}\n");
    page.split(&opening).skip(1).map(|block| block.split("```").next().unwrap()).collect()
}

pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// The state file, where the command looks for it.
    pub(crate) fn state(&self) -> PathBuf {
        self.0.path().join(".attesto/state.db")
    }

    pub(crate) fn file(&self) -> KeyValueFile {
        KeyValueFile::open(&self.state()).unwrap()
    }

    /// Puts a file where the command runs.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    /// The command, to be run here.
    pub(crate) fn attesto(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attesto"));
        command.current_dir(self.0.path()).args(arguments);
        command
    }

    /// Runs the command on `input`.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.attesto(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that wants no input may have closed it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// What a shell script prints that finds its commands in `path`.
    pub(crate) fn shell(&self, script: &str, path: &str) -> String {
        let mut command = Command::new("sh");
        command.current_dir(self.0.path()).env("PATH", path).args(["-c", script]).stdin(Stdio::null());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a successful command prints.
    pub(crate) fn text(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a successful command prints with `--json`.
    pub(crate) fn json(&self, arguments: &[&str], input: &str) -> Value {
        let text = self.text(&[arguments, &["--json"]].concat(), input);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// What a command says that fails on its own account, which prints nothing else, in whatever form.
    pub(crate) fn refusal(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(&[arguments, &["--json"]].concat(), input);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{arguments:?}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        message
    }

    /// What the command line's own check says.
    pub(crate) fn usage_error(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments, "");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}
