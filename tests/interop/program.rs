//! A client that is a program of its own. It prints `authorize <url>` and is told where the browser ended up, `register
//! <JWK Set>` and is told the `client_id` of a new client with these keys, and `completed <what>` for each thing that it has
//! done and found right.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use test_support::{project_root, target_dir};

use crate::house::House;

/// How long a client may be silent.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Runs a client of `js/` and returns what it completed.
pub(crate) fn node(house: &House, client: &str) -> Vec<String> {
    let folder = folder("js");
    assert!(
        folder.join("node_modules").is_dir(),
        "the npm packages are missing: `cargo xtask setup` gets them"
    );
    let mut command = Command::new("node");
    command.current_dir(folder).arg(client);
    converse(house, command)
}

/// Runs a client of `python/` and returns what it completed.
pub(crate) fn python(house: &House, client: &str) -> Vec<String> {
    let python = target_dir().join("interop-venv/bin/python");
    assert!(python.is_file(), "{} is missing: `cargo xtask setup` makes it", python.display());
    let mut command = Command::new(python);
    // `-P`: a file beside the program must not stand in for a library of the same name.
    command.current_dir(folder("python")).args(["-B", "-P", client]);
    converse(house, command)
}

fn folder(language: &str) -> PathBuf {
    project_root().join("tests/interop").join(language)
}

fn converse(house: &House, mut command: Command) -> Vec<String> {
    command.envs(house.settings()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let mut program = Program(child);
    let mut input = program.0.stdin.take().expect("stdin is piped");
    let output = BufReader::new(program.0.stdout.take().expect("stdout is piped"));
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));

    let mut completed = Vec::new();
    loop {
        match lines.recv_timeout(TIME_LIMIT) {
            Ok(line) => match line.split_once(' ') {
                Some(("authorize", url)) => {
                    writeln!(input, "{}", house.authorize(url)).expect("the client reads on");
                }
                Some(("register", jwks)) => {
                    writeln!(input, "{}", house.register(jwks)).expect("the client reads on");
                }
                Some(("completed", what)) => {
                    println!("completed {what}");
                    completed.push(what.to_owned());
                }
                _ => println!("{line}"),
            },
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => panic!("the client hangs after {completed:?}"),
        }
    }
    let status = program.0.wait().expect("the client ends");
    assert!(status.success(), "the client failed after {completed:?}");
    completed
}

/// Ends with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself; both calls then say so, and there is nothing left to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
