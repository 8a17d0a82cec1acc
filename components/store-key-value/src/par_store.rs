//! Pushed authorization requests: `par/<digest>` is written once, `par-taken/<digest>` is the gate.

use serde::{Deserialize, Serialize};

use crate::key_value::{KeyValue, Unavailable, claim, key, octets, read, write};

/// A request, as kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedRequest {
    /// Whose it is.
    pub client_id: String,
    /// Seconds since the Unix epoch.
    pub expires_at: u64,
    /// The engine's request.
    #[serde(with = "octets")]
    pub request: Vec<u8>,
}

/// Keeps a new request.
pub fn put(store: &impl KeyValue, digest: &[u8], request: &PushedRequest) -> Result<(), Unavailable> {
    write(store, &key("par", digest), request)
}

/// The request, before its expiry and until it is taken.
pub fn fetch(store: &impl KeyValue, digest: &[u8], now: u64) -> Result<Option<PushedRequest>, Unavailable> {
    let Some(request) = live(store, digest, now)? else { return Ok(None) };
    Ok(store.get(&taken_key(digest))?.is_none().then_some(request))
}

/// Takes the request, for the first caller before its expiry.
pub fn take(store: &impl KeyValue, digest: &[u8], now: u64) -> Result<bool, Unavailable> {
    // What is unknown passes no gate: strangers leave nothing behind.
    Ok(live(store, digest, now)?.is_some() && claim(store, &taken_key(digest))?)
}

/// The request, before its expiry. Whether it is taken is not looked at.
fn live(store: &impl KeyValue, digest: &[u8], now: u64) -> Result<Option<PushedRequest>, Unavailable> {
    let request = read::<PushedRequest>(store, &key("par", digest))?;
    Ok(request.filter(|request| now < request.expires_at))
}

fn taken_key(digest: &[u8]) -> String {
    key("par-taken", digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;

    const NOW: u64 = 1_800_000_000;

    fn pushed() -> PushedRequest {
        PushedRequest { client_id: "c".into(), expires_at: NOW + 60, request: vec![0, 255] }
    }

    #[test]
    fn a_request_is_fetched_as_often_as_needed_and_taken_once() {
        let store = Memory::default();
        put(&store, b"r", &pushed()).unwrap();
        assert_eq!(fetch(&store, b"r", NOW), Ok(Some(pushed())));
        assert_eq!(fetch(&store, b"r", NOW + 59), Ok(Some(pushed())));
        assert_eq!(take(&store, b"r", NOW + 59), Ok(true));
        assert_eq!(take(&store, b"r", NOW + 59), Ok(false));
        assert_eq!(fetch(&store, b"r", NOW + 59), Ok(None));
    }

    #[test]
    fn an_expired_request_is_neither_fetched_nor_taken() {
        let store = Memory::default();
        put(&store, b"r", &pushed()).unwrap();
        assert_eq!(fetch(&store, b"r", NOW + 60), Ok(None));
        assert_eq!(take(&store, b"r", NOW + 60), Ok(false));
        assert_eq!(take(&store, b"r", NOW + 59), Ok(true), "the refusal has taken nothing");
    }

    #[test]
    fn an_unknown_request_leaves_nothing_behind() {
        let store = Memory::default();
        assert_eq!(fetch(&store, b"r", NOW), Ok(None));
        assert_eq!(take(&store, b"r", NOW), Ok(false));
        assert_eq!(store.len(), 0);
    }
}
