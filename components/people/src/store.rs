//! The key-value store as this part needs it, and JSON records in it.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _};
use std::fmt;

/// What wasi:keyvalue offers: no compare-and-swap, no expiry. `increment` alone is atomic.
pub trait Store {
    /// The value under `key`.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable>;
    /// Writes `value` under `key`, whatever stood there.
    fn set(&self, key: &str, value: &[u8]) -> Result<(), Unavailable>;
    /// Removes `key`; removing what is absent succeeds.
    fn delete(&self, key: &str) -> Result<(), Unavailable>;
    /// Adds `delta` to the number under `key` (absent meaning zero) in one atomic step and returns the sum.
    fn increment(&self, key: &str, delta: i64) -> Result<i64, Unavailable>;
}

impl<S: Store> Store for &S {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        (**self).get(key)
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Unavailable> {
        (**self).set(key, value)
    }

    fn delete(&self, key: &str) -> Result<(), Unavailable> {
        (**self).delete(key)
    }

    fn increment(&self, key: &str, delta: i64) -> Result<i64, Unavailable> {
        (**self).increment(key, delta)
    }
}

/// The part could not answer. The text is for the operator's log only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable(pub String);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

/// The record under `key`. A record that cannot be read is a fault, never an absence: taking a damaged or newer record for a
/// missing one could sign somebody else in.
pub fn read<T: DeserializeOwned>(store: &impl Store, key: &str) -> Result<Option<T>, Unavailable> {
    let Some(bytes) = store.get(key)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| Unavailable(format!("record {key}: {error}")))
}

/// Writes `record` under `key`.
pub fn write(store: &impl Store, key: &str, record: &impl Serialize) -> Result<(), Unavailable> {
    store.set(key, &encode(record)?)
}

/// A record's bytes.
pub fn encode(record: &impl Serialize) -> Result<Vec<u8>, Unavailable> {
    serde_json::to_vec(record).map_err(|error| Unavailable(format!("encoding a record: {error}")))
}

/// The `version` member of a record: reading any other version fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Version<const N: u32>;

impl<const N: u32> Serialize for Version<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(N)
    }
}

impl<'de, const N: u32> Deserialize<'de> for Version<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            found if found == N => Ok(Self),
            found => Err(D::Error::custom(format_args!("version {found}, where {N} is known"))),
        }
    }
}

#[cfg(test)]
pub(crate) mod memory {
    //! A store for tests.

    use super::{Store, Unavailable};
    use std::{cell::RefCell, collections::BTreeMap};

    #[derive(Default)]
    pub(crate) struct Memory {
        pub(crate) entries: RefCell<BTreeMap<String, Vec<u8>>>,
        pub(crate) broken: std::cell::Cell<bool>,
    }

    impl Memory {
        pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
            self.entries.borrow().keys().filter(|key| key.starts_with(prefix)).cloned().collect()
        }

        fn check(&self) -> Result<(), Unavailable> {
            if self.broken.get() { Err(Unavailable("the store is broken".into())) } else { Ok(()) }
        }
    }

    impl Store for Memory {
        fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable> {
            self.check()?;
            Ok(self.entries.borrow().get(key).cloned())
        }

        fn set(&self, key: &str, value: &[u8]) -> Result<(), Unavailable> {
            self.check()?;
            self.entries.borrow_mut().insert(key.into(), value.into());
            Ok(())
        }

        fn delete(&self, key: &str) -> Result<(), Unavailable> {
            self.check()?;
            self.entries.borrow_mut().remove(key);
            Ok(())
        }

        fn increment(&self, key: &str, delta: i64) -> Result<i64, Unavailable> {
            self.check()?;
            let mut entries = self.entries.borrow_mut();
            let entry = entries.entry(key.into()).or_insert_with(|| 0i64.to_be_bytes().to_vec());
            let sum = i64::from_be_bytes(entry.as_slice().try_into().expect("a counter")) + delta;
            *entry = sum.to_be_bytes().to_vec();
            Ok(sum)
        }
    }

    #[test]
    fn a_record_of_another_version_is_a_fault_and_no_absence() {
        #[derive(Debug, serde::Deserialize)]
        struct Thing {
            #[serde(rename = "version")]
            _version: super::Version<1>,
        }
        let memory = Memory::default();
        memory.set("thing", br#"{"version":2}"#).unwrap();
        let fault = super::read::<Thing>(&memory, "thing").unwrap_err();
        assert!(fault.0.contains("version 2, where 1 is known"), "{fault}");
        assert!(super::read::<Thing>(&memory, "other").unwrap().is_none());
    }
}
