use std::path::PathBuf;

use crate::capabilities::Excess;

/// Why an application cannot be started. Every message names what to change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file that the manifest or the command line names cannot be read.
    #[error("{}: {cause}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// A TOML file is not well formed, misses a key, or holds one this host does not know.
    #[error("{}: {cause}", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The parser's message, with line and key.
        cause: Box<toml::de::Error>,
    },
    /// A file of variables is not well formed.
    #[error("{}{}: {problem}", .path.display(), .line.map(|line| format!(": line {line}")).unwrap_or_default())]
    Variables {
        /// The file.
        path: PathBuf,
        /// The line, from 1, where the parser names one.
        line: Option<usize>,
        /// The parser's words, without the line itself: it may hold a secret.
        problem: String,
    },
    /// A manifest key holds a value that cannot be used.
    #[error("{key}: {problem}")]
    Key {
        /// The key, as a path into the manifest.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A required variable has no value.
    #[error(
        "variables.{name}: required, but has no value; give it with --variable {name}=…, a variables file or {env}=…"
    )]
    MissingVariable {
        /// The variable's name in the manifest.
        name: String,
        /// The environment variable that would supply it.
        env: String,
    },
    /// A value was given for a variable that the manifest does not declare.
    #[error(
        "variables.{name}: given on the command line or in a file, but the manifest declares no such variable"
    )]
    UnknownVariable {
        /// The name as given.
        name: String,
    },
    /// A part wants more than the manifest lets it inherit.
    #[error(transparent)]
    Capability(#[from] Excess),
    /// A component and its parts do not fit together, or want what this host does not have.
    #[error("component.{component}: {cause}")]
    Component {
        /// The component's id.
        component: String,
        /// The whole chain of causes.
        cause: String,
    },
    /// The key-value database cannot be opened.
    #[error("key-value store {location}: {cause}")]
    KeyValue {
        /// The file, or `:memory:`.
        location: String,
        /// What SQLite said.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The engine cannot be set up on this machine.
    #[error("engine: {0}")]
    Engine(String),
}

impl LoadError {
    pub(crate) fn key(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Key { key: key.into(), problem: problem.into() }
    }

    pub(crate) fn component(component: &str, cause: impl Into<String>) -> Self {
        Self::Component { component: component.to_owned(), cause: cause.into() }
    }
}

/// Reads a whole file, naming it when that fails.
pub(crate) fn read(path: &std::path::Path) -> Result<Vec<u8>, LoadError> {
    std::fs::read(path).map_err(|cause| LoadError::Read { path: path.to_owned(), cause })
}

/// Reads a TOML file, naming it and the offending key when that fails.
pub(crate) fn read_toml<T: serde::de::DeserializeOwned>(path: &std::path::Path) -> Result<T, LoadError> {
    let text =
        std::fs::read_to_string(path).map_err(|cause| LoadError::Read { path: path.to_owned(), cause })?;
    toml::from_str(&text).map_err(|cause| LoadError::Syntax { path: path.to_owned(), cause: Box::new(cause) })
}
