//! The key-value table, as Spin lays it out, on a thread of its own.
//!
//! The schema and the form of a counter (8 bytes, little endian) are Spin's, so one file serves under both hosts.
//! SQLite waits for the disk, which would stall a Tokio worker; and a call that answered without ever yielding would
//! hide races between components, so every call gives the other tasks a turn.

use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::oneshot;

/// Where the key-value stores live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In memory, gone when the host stops.
    Memory,
    /// In a SQLite file, made when missing.
    File(PathBuf),
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Memory => f.write_str(":memory:"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// A handle on the database thread; the thread ends with the last handle.
#[derive(Clone)]
pub struct Database(std::sync::mpsc::Sender<Job>);

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Why a call failed, for the component's eyes.
pub(crate) type Failure = String;

impl Database {
    /// Opens the database and starts its thread.
    ///
    /// # Errors
    /// What SQLite or the system said.
    pub fn open(location: &Location) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let mut connection = connect(location)?;
        let (jobs, queue) = std::sync::mpsc::channel::<Job>();
        std::thread::Builder::new()
            .name("key-value".to_owned())
            .spawn(move || queue.into_iter().for_each(|job| job(&mut connection)))?;
        Ok(Self(jobs))
    }

    async fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // The caller may be gone: its instance was stopped while it waited.
            let _ = answer.send(job(connection));
        });
        self.0.send(job).map_err(|_| "the key-value thread has ended".to_owned())?;
        tokio::task::yield_now().await;
        match answered.await {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(_) => Err("the key-value thread has ended".to_owned()),
        }
    }
}

/// Makes the file for its owner's eyes only, before SQLite makes it for everybody's: password hashes are in it. SQLite
/// gives its side files the same permissions. An existing file keeps its own.
fn private(path: &std::path::Path) {
    use std::os::unix::fs::OpenOptionsExt;
    // What can not be made here can not be opened there, and is said there.
    let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
}

pub(super) fn connect(location: &Location) -> rusqlite::Result<Connection> {
    let connection = match location {
        Location::Memory => Connection::open_in_memory()?,
        Location::File(path) => {
            private(path);
            let connection = Connection::open(path)?;
            connection.busy_timeout(std::time::Duration::from_secs(5))?;
            // A code once redeemed must stay redeemed after a power cut, hence FULL; WAL makes that one sync a commit.
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection
        }
    };
    connection.execute(
        "CREATE TABLE IF NOT EXISTS spin_key_value (
            store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key))",
        [],
    )?;
    Ok(connection)
}

/// One labelled store.
#[derive(Clone)]
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Bucket {
    pub(crate) label: String,
    pub(crate) database: Database,
}

const SELECT: &str = "SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2";
pub(super) const UPSERT: &str = "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
     ON CONFLICT (store, key) DO UPDATE SET value = ?3";
pub(super) const DELETE: &str = "DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2";

impl Bucket {
    pub(crate) async fn get(&self, key: String) -> Result<Option<Vec<u8>>, Failure> {
        let label = self.label.clone();
        self.database.call(move |connection| select(connection, &label, &key)).await
    }

    pub(crate) async fn set(&self, key: String, value: Vec<u8>) -> Result<(), Failure> {
        self.set_many(vec![(key, value)]).await
    }

    pub(crate) async fn delete(&self, key: String) -> Result<(), Failure> {
        self.delete_many(vec![key]).await
    }

    pub(crate) async fn exists(&self, key: String) -> Result<bool, Failure> {
        Ok(self.get(key).await?.is_some())
    }

    pub(crate) async fn keys(&self) -> Result<Vec<String>, Failure> {
        let label = self.label.clone();
        self.database
            .call(move |connection| {
                let mut statement =
                    connection.prepare_cached("SELECT key FROM spin_key_value WHERE store = ?1")?;
                statement.query_map([label], |row| row.get(0))?.collect()
            })
            .await
    }

    pub(crate) async fn get_many(
        &self,
        keys: Vec<String>,
    ) -> Result<Vec<(String, Option<Vec<u8>>)>, Failure> {
        let label = self.label.clone();
        self.database
            .call(move |connection| {
                keys.into_iter()
                    .map(|key| select(connection, &label, &key).map(|value| (key, value)))
                    .collect()
            })
            .await
    }

    pub(crate) async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
        let label = self.label.clone();
        self.database
            .call(move |connection| {
                let transaction = connection.transaction()?;
                for (key, value) in entries {
                    transaction.prepare_cached(UPSERT)?.execute(params![label, key, value])?;
                }
                transaction.commit()
            })
            .await
    }

    pub(crate) async fn delete_many(&self, keys: Vec<String>) -> Result<(), Failure> {
        let label = self.label.clone();
        self.database
            .call(move |connection| {
                let transaction = connection.transaction()?;
                for key in keys {
                    transaction.prepare_cached(DELETE)?.execute(params![label, key])?;
                }
                transaction.commit()
            })
            .await
    }

    /// Adds to a counter and answers with the sum; an absent key counts as zero.
    pub(crate) async fn increment(&self, key: String, delta: i64) -> Result<i64, Failure> {
        let label = self.label.clone();
        let sum = self.database.call(move |connection| {
            // IMMEDIATE: another process on the same file must not read between our read and our write.
            let transaction =
                connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let sum = add(&transaction, &label, &key, delta)?;
            transaction.commit()?;
            Ok(sum)
        });
        sum.await?.map_err(str::to_owned)
    }

    /// Replaces `old` by `new` and says whether `old` was still there. From an absent key this writes whatever is
    /// there by now: Spin's embedded store does the same, so a component cannot use it as "create once" here either.
    pub(crate) async fn swap(
        &self,
        key: String,
        old: Option<Vec<u8>>,
        new: Vec<u8>,
    ) -> Result<bool, Failure> {
        let Some(old) = old else { return self.set(key, new).await.map(|()| true) };
        let label = self.label.clone();
        self.database
            .call(move |connection| {
                connection
                    .prepare_cached(
                        "UPDATE spin_key_value SET value = ?4 WHERE store = ?1 AND key = ?2 AND value = ?3",
                    )?
                    .execute(params![label, key, old, new])
                    .map(|rows| rows == 1)
            })
            .await
    }
}

pub(super) fn select(connection: &Connection, label: &str, key: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    connection.prepare_cached(SELECT)?.query_row([label, key], |row| row.get(0)).optional()
}

/// Adds to a counter inside the caller's transaction.
pub(super) fn add(
    connection: &Connection,
    label: &str,
    key: &str,
    delta: i64,
) -> rusqlite::Result<Result<i64, &'static str>> {
    let count = match select(connection, label, key)?.map(<[u8; 8]>::try_from) {
        None => 0,
        Some(Ok(bytes)) => i64::from_le_bytes(bytes),
        Some(Err(_)) => return Ok(Err("the value is not a counter")),
    };
    let Some(sum) = count.checked_add(delta) else { return Ok(Err("the counter would overflow")) };
    connection.prepare_cached(UPSERT)?.execute(params![label, key, sum.to_le_bytes()])?;
    Ok(Ok(sum))
}
