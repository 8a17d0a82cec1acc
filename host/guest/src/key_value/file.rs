//! The key-value file of an application, for programs that work on it beside a server.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior::Immediate, params};

use super::sqlite::{DELETE, Location, UPSERT, add, connect, select};

/// The key-value file of an application. The server that has it open may go on serving.
pub struct KeyValueFile(Connection);

impl KeyValueFile {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// When SQLite can not.
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        connect(&Location::File(path.to_owned())).map(Self)
    }

    /// Stops waiting for the disk at each change: a power cut may undo the latest ones, which suits only what can be
    /// done again.
    ///
    /// # Errors
    /// When SQLite can not.
    pub fn without_waiting_for_the_disk(self) -> rusqlite::Result<Self> {
        self.0.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(self)
    }

    /// The store with this label. Each call on it is a transaction of its own.
    pub fn store<'a>(&'a self, label: &'a str) -> FileStore<'a> {
        FileStore { connection: &self.0, label }
    }

    /// Does `work` in one transaction: nobody else writes between its reads and its writes. Of work that ends in an
    /// error nothing is kept; the error is the inner one.
    ///
    /// # Errors
    /// When SQLite can not; nothing is kept then either.
    pub fn transaction<T, E>(
        &mut self,
        label: &str,
        work: impl FnOnce(&FileStore<'_>) -> Result<T, E>,
    ) -> rusqlite::Result<Result<T, E>> {
        let transaction = self.0.transaction_with_behavior(Immediate)?;
        let answer = work(&FileStore { connection: &transaction, label });
        if answer.is_ok() {
            transaction.commit()?;
        }
        Ok(answer)
    }
}

/// One labelled store of a file.
#[derive(Clone, Copy)]
pub struct FileStore<'a> {
    connection: &'a Connection,
    label: &'a str,
}

impl FileStore<'_> {
    /// The value under `key`.
    ///
    /// # Errors
    /// When SQLite can not.
    pub fn get(&self, key: &str) -> rusqlite::Result<Option<Vec<u8>>> {
        select(self.connection, self.label, key)
    }

    /// Sets the value under `key`.
    ///
    /// # Errors
    /// When SQLite can not.
    pub fn set(&self, key: &str, value: &[u8]) -> rusqlite::Result<()> {
        self.connection.prepare_cached(UPSERT)?.execute(params![self.label, key, value]).map(drop)
    }

    /// Removes `key`; removing what is absent succeeds.
    ///
    /// # Errors
    /// When SQLite can not.
    pub fn delete(&self, key: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(DELETE)?.execute(params![self.label, key]).map(drop)
    }

    /// Adds to the counter under `key`, where absence is zero, and answers with the sum.
    ///
    /// # Errors
    /// When SQLite can not; and what stands under `key` when that is no counter or would overflow.
    pub fn increment(&self, key: &str, delta: i64) -> rusqlite::Result<Result<i64, &'static str>> {
        if !self.connection.is_autocommit() {
            return add(self.connection, self.label, key, delta);
        }
        let transaction = Transaction::new_unchecked(self.connection, Immediate)?;
        let sum = add(&transaction, self.label, key, delta)?;
        transaction.commit()?;
        Ok(sum)
    }

    /// The keys that start with `prefix`, in order.
    ///
    /// # Errors
    /// When SQLite can not.
    pub fn keys(&self, prefix: &str) -> rusqlite::Result<Vec<String>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT key FROM spin_key_value WHERE store = ?1 AND key >= ?2 ORDER BY key")?;
        let mut rows = statement.query([self.label, prefix])?;
        let mut keys = Vec::new();
        // The key is part of the primary key: rows come in its order, and those with the prefix come first.
        while let Some(row) = rows.next()? {
            let key: String = row.get(0)?;
            if !key.starts_with(prefix) {
                break;
            }
            keys.push(key);
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(directory: &tempfile::TempDir) -> KeyValueFile {
        KeyValueFile::open(&directory.path().join("state.db")).unwrap()
    }

    #[test]
    fn a_new_file_is_for_its_owners_eyes_only() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let file = open(&directory);
        file.store("default").set("k", b"v").unwrap();
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
        }
    }

    #[test]
    fn keys_are_those_with_the_prefix_of_that_store_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let file = open(&directory);
        for key in ["a/2", "a/1", "a", "a0", "b/1", "a/\u{10FFFF}"] {
            file.store("default").set(key, b"").unwrap();
        }
        file.store("other").set("a/3", b"").unwrap();
        assert_eq!(file.store("default").keys("a/").unwrap(), ["a/1", "a/2", "a/\u{10FFFF}"]);
        assert_eq!(file.store("default").keys("").unwrap().len(), 6);
        assert!(file.store("default").keys("c").unwrap().is_empty());
    }

    #[test]
    fn of_a_transaction_that_fails_nothing_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = open(&directory);
        let failed = file.transaction("default", |store| {
            store.set("k", b"v").unwrap();
            store.increment("n", 1).unwrap().unwrap();
            Err::<(), _>("no")
        });
        assert_eq!(failed, Ok(Err("no")));
        assert!(file.store("default").keys("").unwrap().is_empty());
    }

    #[test]
    fn updates_from_two_connections_at_once_lose_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = [open(&directory), open(&directory)];
        std::thread::scope(|scope| {
            for file in &mut files {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let append = |store: &FileStore<'_>| {
                            let mut value = store.get("k")?.unwrap_or_default();
                            value.push(b'x');
                            store.set("k", &value)
                        };
                        file.transaction("default", append).unwrap().unwrap();
                        assert!(file.store("default").increment("n", 1).unwrap().is_ok());
                    }
                });
            }
        });
        let [file, _] = files;
        let store = file.store("default");
        assert_eq!(store.get("k").unwrap().map(|value| value.len()), Some(40));
        assert_eq!(store.increment("n", 2).unwrap(), Ok(42));
        assert!(store.increment("k", 1).unwrap().is_err());
        store.delete("k").unwrap();
        assert_eq!((store.get("k").unwrap(), store.keys("").unwrap()), (None, vec!["n".to_owned()]));
    }
}
