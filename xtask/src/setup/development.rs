//! The development state: keys, a demo client and a demo user below `.attesto/`, never committed.
//!
//! The `attesto` command makes them, as it does for an operator; this file only says which there are.

use std::path::PathBuf;

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

/// One piece of the state: the file that shows it is there, and the `attesto` arguments that make it.
struct Piece {
    file: &'static str,
    arguments: &'static [&'static str],
}

const PIECES: &[Piece] = &[];

/// The state as the rest of this command uses it.
pub(crate) struct Development {
    pub(crate) directory: PathBuf,
}

/// Makes what is missing of the development state.
///
/// # Errors
/// When `attesto` cannot be built or refuses.
pub(crate) fn development_state(project: &Project) -> Result<Development> {
    let directory = project.root.join(FOLDER);
    let missing: Vec<&Piece> = PIECES.iter().filter(|piece| !directory.join(piece.file).exists()).collect();
    if !missing.is_empty() {
        std::fs::create_dir_all(&directory)?;
        let attesto = build::attesto(project)?;
        for piece in missing {
            process::quiet(project.command(&attesto).args(piece.arguments))?;
        }
    }
    Ok(Development { directory })
}

/// As a step of set-up.
///
/// # Errors
/// As [`development_state`].
pub(crate) fn ensure(project: &Project) -> Result<String> {
    let state = development_state(project)?;
    Ok(format!("{} key(s), client(s) and user(s) in {}", PIECES.len(), state.directory.display()))
}
