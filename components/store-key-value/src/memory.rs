//! A store in memory, for the unit tests.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::key_value::{KeyValue, Unavailable};
use crate::maintenance::Sweepable;

#[derive(Default)]
pub(crate) struct Memory(RefCell<BTreeMap<String, Vec<u8>>>);

impl KeyValue for Memory {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        Ok(self.0.borrow().get(key).cloned())
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Unavailable> {
        self.0.borrow_mut().insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    fn increment(&self, key: &str) -> Result<i64, Unavailable> {
        let before = self.get(key)?.and_then(|value| value.try_into().ok()).map_or(0, i64::from_le_bytes);
        self.set(key, &(before + 1).to_le_bytes())?;
        Ok(before + 1)
    }
}

impl Sweepable for Memory {
    fn keys(&self) -> Result<Vec<String>, Unavailable> {
        Ok(self.0.borrow().keys().cloned().collect())
    }

    fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.0.borrow_mut().remove(key);
        Ok(())
    }
}
