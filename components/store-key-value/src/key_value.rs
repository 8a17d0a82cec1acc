//! The operations the stores are built from.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A key-value store. Reads see what the same instance has written; `increment` is atomic.
pub trait KeyValue {
    /// The value under `key`.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable>;
    /// Sets the value under `key`.
    fn set(&self, key: &str, value: &[u8]) -> Result<(), Unavailable>;
    /// Adds 1 to the number under `key` and returns the sum, in one atomic step.
    fn increment(&self, key: &str) -> Result<i64, Unavailable>;
}

/// The store could not be reached, or holds what this version can not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable(pub String);

/// The key of an entry: its kind, and the digest it is found by.
pub(crate) fn key(kind: &str, digest: &[u8]) -> String {
    format!("{kind}/{}", Base64UrlUnpadded::encode_string(digest))
}

pub(crate) fn read<T: DeserializeOwned>(store: &impl KeyValue, key: &str) -> Result<Option<T>, Unavailable> {
    let parse = |value: Vec<u8>| {
        serde_json::from_slice(&value)
            .map_err(|error| Unavailable(format!("an entry is not readable: {error}")))
    };
    store.get(key)?.map(parse).transpose()
}

pub(crate) fn write(store: &impl KeyValue, key: &str, value: &impl Serialize) -> Result<(), Unavailable> {
    let value = serde_json::to_vec(value)
        .map_err(|error| Unavailable(format!("an entry does not serialize: {error}")))?;
    store.set(key, &value)
}

/// Passes the gate under `key`, for the first caller ever.
pub(crate) fn claim(store: &impl KeyValue, key: &str) -> Result<bool, Unavailable> {
    Ok(store.increment(key)? == 1)
}

/// The number under `key`, which nothing but `increment` has written.
pub(crate) fn count(store: &impl KeyValue, key: &str) -> Result<u64, Unavailable> {
    let Some(value) = store.get(key)? else { return Ok(0) };
    // Redis keeps its decimal digits, Spin's own store and the embedded host its eight octets. Nothing is counted that
    // far that the octets would all be digits.
    let digits = str::from_utf8(&value).ok().and_then(|digits| digits.parse().ok());
    let octets = || value.try_into().ok().map(u64::from_le_bytes);
    digits.or_else(octets).ok_or_else(|| Unavailable("a counter is not readable".to_owned()))
}

/// Octets as base64url text in JSON.
pub(crate) mod octets {
    use base64ct::{Base64UrlUnpadded, Encoding};
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(octets: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Base64UrlUnpadded::encode_string(octets))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        Base64UrlUnpadded::decode_vec(&text).map_err(|_| de::Error::custom("not base64url"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;

    #[test]
    fn a_count_is_read_as_each_store_keeps_it() {
        let store = Memory::default();
        assert_eq!(count(&store, "n"), Ok(0));
        store.increment("n").unwrap();
        store.increment("n").unwrap();
        assert_eq!(count(&store, "n"), Ok(2));
        for (value, number) in
            [(&b"7"[..], 7), (b"12345678", 12_345_678), (&[0x31, 0x32, 0, 0, 0, 0, 0, 0], 0x3231)]
        {
            store.set("n", value).unwrap();
            assert_eq!(count(&store, "n"), Ok(number));
        }
        store.set("n", b"seven").unwrap();
        assert!(count(&store, "n").is_err());
    }
}
