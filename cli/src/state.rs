use std::fmt::Display;
use std::path::{Path, PathBuf};

use attesto_host::{FileStore, KeyValueFile};
use clap::Args;
use people::maintenance::Sweepable;
use people::store::{Store, Unavailable};
use store_key_value::key_value::{self, KeyValue};
use store_key_value::maintenance;

use crate::Failure;

/// Which key-value store to work on. The server may be running.
#[derive(Args)]
pub(crate) struct State {
    /// The SQLite file of the key-value stores, of `attesto serve` or of Spin; `add` makes it when missing
    #[arg(long, value_name = "FILE", default_value = ".attesto/state.db")]
    state: PathBuf,

    /// The label of the store, as `store` in attesto.toml
    #[arg(long, value_name = "LABEL", default_value = "default")]
    store: String,
}

impl State {
    /// Does `work` in one transaction on the file, which is made when missing.
    pub(crate) fn make<T>(&self, work: impl FnOnce(&Kept<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        if let Some(directory) = self.state.parent() {
            std::fs::create_dir_all(directory).map_err(|error| failed(&self.state, error))?;
        }
        self.transaction(work)
    }

    /// Does `work` in one transaction on the file, which must be there.
    pub(crate) fn update<T>(&self, work: impl FnOnce(&Kept<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        self.must_be_there()?;
        self.transaction(work)
    }

    /// Does `work`, each step of it a transaction of its own, so that a server never waits for long. For reading, and
    /// for changes that can be made again: a power cut may undo the latest.
    pub(crate) fn step_by_step<T>(
        &self,
        work: impl FnOnce(&Kept<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.must_be_there()?;
        let file = KeyValueFile::open(&self.state).and_then(KeyValueFile::without_waiting_for_the_disk);
        let file = file.map_err(|error| failed(&self.state, error))?;
        work(&Kept { store: file.store(&self.store), file: &self.state })
    }

    fn transaction<T>(&self, work: impl FnOnce(&Kept<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        KeyValueFile::open(&self.state)
            .and_then(|mut file| {
                file.transaction(&self.store, |store| work(&Kept { store: *store, file: &self.state }))
            })
            .map_err(|error| failed(&self.state, error))?
    }

    fn must_be_there(&self) -> Result<(), Failure> {
        std::fs::metadata(&self.state).map(drop).map_err(|error| failed(&self.state, error).into())
    }
}

/// The store, as the parts' own code sees one.
pub(crate) struct Kept<'a> {
    store: FileStore<'a>,
    file: &'a Path,
}

impl Store for Kept<'_> {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        self.store.get(key).map_err(|error| failed(self.file, error))
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Unavailable> {
        self.store.set(key, value).map_err(|error| failed(self.file, error))
    }

    fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.store.delete(key).map_err(|error| failed(self.file, error))
    }

    fn increment(&self, key: &str, delta: i64) -> Result<i64, Unavailable> {
        let sum = self.store.increment(key, delta).map_err(|error| failed(self.file, error))?;
        sum.map_err(|error| failed(self.file, error))
    }
}

impl Sweepable for Kept<'_> {
    fn keys(&self, prefix: &str) -> Result<Vec<String>, Unavailable> {
        self.store.keys(prefix).map_err(|error| failed(self.file, error))
    }
}

impl KeyValue for Kept<'_> {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, key_value::Unavailable> {
        Store::get(self, key).map_err(as_stores_say)
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), key_value::Unavailable> {
        Store::set(self, key, value).map_err(as_stores_say)
    }

    fn increment(&self, key: &str) -> Result<i64, key_value::Unavailable> {
        Store::increment(self, key, 1).map_err(as_stores_say)
    }
}

impl maintenance::Sweepable for Kept<'_> {
    fn keys(&self) -> Result<Vec<String>, key_value::Unavailable> {
        Sweepable::keys(self, "").map_err(as_stores_say)
    }

    fn delete(&self, key: &str) -> Result<(), key_value::Unavailable> {
        Store::delete(self, key).map_err(as_stores_say)
    }
}

fn as_stores_say(Unavailable(cause): Unavailable) -> key_value::Unavailable {
    key_value::Unavailable(cause)
}

fn failed(file: &Path, error: impl Display) -> Unavailable {
    Unavailable(format!("--state {}: {error}", file.display()))
}
