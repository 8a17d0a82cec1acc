//! The operations of the stores, with a count that is read and then written.

use crate::bindings::wasi::keyvalue::store::{Bucket, Error, open};
use crate::key_value::{KeyValue, Unavailable};
use crate::maintenance::Sweepable;

/// The store under a label.
pub(crate) struct Store(Bucket);

impl Store {
    pub(crate) fn open(label: &str) -> Result<Self, Unavailable> {
        open(label).map(Self).map_err(unavailable)
    }
}

impl KeyValue for Store {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        self.0.get(key).map_err(unavailable)
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Unavailable> {
        self.0.set(key, value).map_err(unavailable)
    }

    fn increment(&self, key: &str) -> Result<i64, Unavailable> {
        let count = self.get(key)?.and_then(|value| value.try_into().ok()).map_or(0, i64::from_le_bytes) + 1;
        self.set(key, &count.to_le_bytes())?;
        Ok(count)
    }
}

impl Sweepable for Store {
    fn keys(&self) -> Result<Vec<String>, Unavailable> {
        let mut page = self.0.list_keys(None).map_err(unavailable)?;
        let mut keys = page.keys;
        while let Some(cursor) = page.cursor.take() {
            page = self.0.list_keys(Some(&cursor)).map_err(unavailable)?;
            keys.append(&mut page.keys);
        }
        Ok(keys)
    }

    fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.0.delete(key).map_err(unavailable)
    }
}

fn unavailable(error: Error) -> Unavailable {
    Unavailable(format!("key-value: {error:?}"))
}
