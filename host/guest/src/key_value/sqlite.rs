//! The key-value table, as Spin lays it out.
//!
//! The schema and the form of a counter (8 bytes, little endian) are Spin's, so one file serves under both hosts.
//!
//! Writers wait for the disk, which would stall a Tokio worker: they do so on a thread of their own, all of them that
//! have come in the meantime at once. Readers of a write-ahead log wait for nobody and find most pages in memory: they
//! read where they are, which saves two changes of thread. A call that answered without ever yielding would hide races
//! between components, so every call gives the other tasks a turn.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
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

/// A handle on the database; its thread ends with the last handle.
#[derive(Clone)]
pub struct Database {
    jobs: std::sync::mpsc::Sender<Job>,
    /// Where there is a file.
    readers: Option<Arc<Readers>>,
}

/// Connections that only read, as many as there ever were calls at the same moment: no more than Tokio has workers.
struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let known = idle().pop();
        let connection = match known {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let result = query(&connection);
        idle().push(connection);
        result
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open(&self.path)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    }
}

/// How long to wait for another process's lock.
const BUSY: std::time::Duration = std::time::Duration::from_secs(5);

/// Writes inside the transaction that is open, or learns why there is none, and leaves what to do at its end.
type Job = Box<dyn FnOnce(Result<&mut Transaction<'_>, &Failure>) -> Answer + Send>;

/// Tells the caller how it went; nothing is true before it is on the disk.
type Answer = Box<dyn FnOnce(&Result<(), Failure>)>;

/// As many writes as go to the disk at once: those that came while it was busy with the ones before.
const TOGETHER: usize = 64;

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
        std::thread::Builder::new().name("key-value".to_owned()).spawn(move || {
            while let Ok(first) = queue.recv() {
                together(&mut connection, std::iter::once(first).chain(queue.try_iter()).take(TOGETHER));
            }
        })?;
        let readers = match location {
            Location::Memory => None,
            Location::File(path) => Some(Arc::new(Readers { path: path.clone(), idle: Mutex::default() })),
        };
        Ok(Self { jobs, readers })
    }

    /// Reads; sees every write that was answered before.
    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let Some(readers) = &self.readers else {
            return self.call(move |connection| query(connection)).await;
        };
        tokio::task::yield_now().await;
        readers.read(query).map_err(|error| error.to_string())
    }

    /// Writes: all that the job does, or nothing.
    async fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |transaction| {
            let result = match transaction {
                Ok(transaction) => alone(transaction, job).map_err(|error| error.to_string()),
                Err(failure) => Err(failure.clone()),
            };
            Box::new(move |end| {
                // The caller may be gone: its instance was stopped while it waited.
                let _ = answer.send(end.clone().and(result));
            })
        });
        self.jobs.send(job).map_err(|_| "the key-value thread has ended".to_owned())?;
        tokio::task::yield_now().await;
        match answered.await {
            Ok(result) => result,
            Err(_) => Err("the key-value thread has ended".to_owned()),
        }
    }
}

/// Runs jobs in one transaction, so that one wait for the disk serves all of them, and then answers.
fn together(connection: &mut Connection, jobs: impl Iterator<Item = Job>) {
    // IMMEDIATE: another process on the same file must not write between a job's read and its write.
    let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let (answers, end) = match begun {
        Ok(mut transaction) => {
            let answers: Vec<Answer> = jobs.map(|job| job(Ok(&mut transaction))).collect();
            (answers, transaction.commit().map_err(|error| error.to_string()))
        }
        Err(error) => {
            let failure = error.to_string();
            (jobs.map(|job| job(Err(&failure))).collect(), Err(failure))
        }
    };
    answers.into_iter().for_each(|answer| answer(&end));
}

/// Runs a job so that, where it fails, nothing of it remains.
fn alone<T>(
    transaction: &mut Transaction<'_>,
    job: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let savepoint = transaction.savepoint()?;
    let result = job(&savepoint)?;
    savepoint.commit()?;
    Ok(result)
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
            connection.busy_timeout(BUSY)?;
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
        self.database.read(move |connection| select(connection, &label, &key)).await
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
            .read(move |connection| {
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
            .read(move |connection| {
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
                for (key, value) in entries {
                    connection.prepare_cached(UPSERT)?.execute(params![label, key, value])?;
                }
                Ok(())
            })
            .await
    }

    pub(crate) async fn delete_many(&self, keys: Vec<String>) -> Result<(), Failure> {
        let label = self.label.clone();
        self.database
            .call(move |connection| {
                for key in keys {
                    connection.prepare_cached(DELETE)?.execute(params![label, key])?;
                }
                Ok(())
            })
            .await
    }

    /// Adds to a counter and answers with the sum; an absent key counts as zero.
    pub(crate) async fn increment(&self, key: String, delta: i64) -> Result<i64, Failure> {
        let label = self.label.clone();
        let sum = self.database.call(move |connection| add(connection, &label, &key, delta));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(location: &Location) -> (Database, Bucket) {
        let database = Database::open(location).unwrap();
        (database.clone(), Bucket { label: "default".to_owned(), database })
    }

    /// A new file, or memory.
    fn locations() -> (tempfile::TempDir, [Location; 2]) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("state.db");
        (directory, [Location::Memory, Location::File(file)])
    }

    #[tokio::test]
    async fn a_read_sees_every_write_that_was_answered() {
        let (_directory, locations) = locations();
        for location in locations {
            let (_, bucket) = opened(&location);
            for count in 0..50_u8 {
                bucket.set("key".to_owned(), vec![count]).await.unwrap();
                assert_eq!(bucket.get("key".to_owned()).await.unwrap(), Some(vec![count]));
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn writes_at_the_same_moment_all_count() {
        let (_directory, locations) = locations();
        for location in locations {
            let (_, bucket) = opened(&location);
            let add = |bucket: Bucket| async move { bucket.increment("n".to_owned(), 1).await.unwrap() };
            let tasks: Vec<_> = (0..100).map(|_| tokio::spawn(add(bucket.clone()))).collect();
            let mut sums = Vec::new();
            for task in tasks {
                sums.push(task.await.unwrap());
            }
            sums.sort_unstable();
            assert_eq!(sums, (1..=100).collect::<Vec<i64>>());
        }
    }

    #[test]
    fn a_write_that_fails_leaves_nothing_and_the_others_stay() {
        let mut connection = connect(&Location::Memory).unwrap();
        let write = |key: &'static str, fails: bool| -> Job {
            Box::new(move |transaction| {
                let result = alone(transaction.unwrap(), |connection| {
                    connection.prepare_cached(UPSERT)?.execute(params!["default", key, [1_u8]])?;
                    if fails { Err(rusqlite::Error::InvalidQuery) } else { Ok(()) }
                });
                Box::new(move |end| assert_eq!((result.is_err(), end), (fails, &Ok(()))))
            })
        };
        together(&mut connection, [write("a", false), write("b", true), write("c", false)].into_iter());
        let kept = ["a", "b", "c"].map(|key| select(&connection, "default", key).unwrap().is_some());
        assert_eq!(kept, [true, false, true]);
    }
}
