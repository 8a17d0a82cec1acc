//! A store in memory, for the unit tests.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use crate::key_value::{KeyValue, Unavailable};
use crate::maintenance::Sweepable;

#[derive(Default)]
pub(crate) struct Memory(RefCell<BTreeMap<String, Vec<u8>>>);

impl Memory {
    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }
}

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

/// A store as a process sees it that ends after so many writes.
pub(crate) struct Ending<'a> {
    left: Cell<usize>,
    store: &'a Memory,
}

impl<'a> Ending<'a> {
    pub(crate) fn after(writes: usize, store: &'a Memory) -> Self {
        Self { left: Cell::new(writes), store }
    }

    fn write<T>(&self, write: impl FnOnce(&Memory) -> Result<T, Unavailable>) -> Result<T, Unavailable> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                write(self.store)
            }
            None => Err(Unavailable("the process has ended".to_owned())),
        }
    }
}

impl KeyValue for Ending<'_> {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        self.store.get(key)
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Unavailable> {
        self.write(|store| store.set(key, value))
    }

    fn increment(&self, key: &str) -> Result<i64, Unavailable> {
        self.write(|store| store.increment(key))
    }
}
