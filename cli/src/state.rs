use std::path::PathBuf;

use attesto_host::KeyValueFile;
use clap::Args;

use crate::Failure;

/// Which key-value store to write to.
#[derive(Args)]
pub(crate) struct State {
    /// The SQLite file of the key-value stores, of `attesto serve` or of Spin; made when missing
    #[arg(long, value_name = "FILE", default_value = ".attesto/state.db")]
    state: PathBuf,

    /// The label of the store, as `store` in attesto.toml
    #[arg(long, value_name = "LABEL", default_value = "default")]
    store: String,
}

impl State {
    /// Writes the entries, all or none; none where `absent` is there already.
    pub(crate) fn insert(&self, absent: &str, entries: &[(String, Vec<u8>)]) -> Result<bool, Failure> {
        if let Some(directory) = self.state.parent() {
            std::fs::create_dir_all(directory)?;
        }
        KeyValueFile::open(&self.state)
            .and_then(|mut file| file.insert(&self.store, absent, entries))
            .map_err(|error| format!("--state {}: {error}", self.state.display()).into())
    }
}
