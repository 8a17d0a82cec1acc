//! The development state: keys, a demo client and a demo user below `.attesto/`, never committed.
//!
//! The `attesto` command makes them, as it does for an operator; this file only says which there are. Deleting the
//! folder starts anew.

use anyhow::Result;

use crate::build;
use crate::process;
use crate::project::Project;

/// The folder of the development state, ignored by git.
pub(crate) const FOLDER: &str = ".attesto";

/// The client and the user a newcomer signs in with; they exist on this machine only.
pub(crate) const CLIENT: &str = "demo";
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:8000/callback";
pub(crate) const USER: &str = "alice";
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// The private keys, as variables of the application.
pub(crate) const VARIABLES: &str = ".attesto/variables.toml";
/// The key-value stores: the demo client, the demo user, and whatever the application then keeps there.
pub(crate) const STATE: &str = ".attesto/state.db";
/// The stores while they are being filled: a half-made state is never taken for a whole one.
const UNFINISHED: &str = ".attesto/state.db.unfinished";

/// Makes what is missing of the development state.
///
/// # Errors
/// When `attesto` cannot be built or refuses.
pub(crate) fn development_state(project: &Project) -> Result<usize> {
    let missing = |file: &str| !project.root.join(file).exists();
    if !missing(VARIABLES) && !missing(STATE) {
        return Ok(0);
    }
    std::fs::create_dir_all(project.root.join(FOLDER))?;
    let attesto = build::attesto(project)?;
    let run = |arguments: &[&str], input: &str| {
        process::with_input(project.command(&attesto).args(arguments), input)
    };
    let mut made = 0;
    if missing(VARIABLES) {
        run(&["keys", "generate", "--variables-file", VARIABLES], "")?;
        made += 1;
    }
    if missing(STATE) {
        let unfinished = project.root.join(UNFINISHED);
        if unfinished.exists() {
            std::fs::remove_file(&unfinished)?;
        }
        let client = ["clients", "add", "--state", UNFINISHED, "--client-id", CLIENT, "--name", "Demo app"];
        let grants = ["--grant-type", "authorization_code", "--grant-type", "refresh_token"];
        run(&[&client[..], &grants, &["--redirect-uri", REDIRECT_URI]].concat(), "")?;
        let user = ["users", "add", USER, "--state", UNFINISHED, "--name", "Alice Doe"];
        run(&[&user[..], &["--email", "alice@example.com"]].concat(), &format!("{PASSWORD}\n"))?;
        std::fs::rename(unfinished, project.root.join(STATE))?;
        made += 1;
    }
    Ok(made)
}

/// As a step of set-up.
///
/// # Errors
/// As [`development_state`].
pub(crate) fn ensure(project: &Project) -> Result<String> {
    Ok(match development_state(project)? {
        0 => format!("there, in {FOLDER}"),
        _ => format!("made in {FOLDER}"),
    })
}
