//! Nonces that are good once: `nonce/<digest>` is written once, `nonce-accepted/<digest>` is the gate.

use serde::{Deserialize, Serialize};

use crate::key_value::{KeyValue, Unavailable, claim, key, read, write};

#[derive(Serialize, Deserialize)]
struct Nonce {
    expires_at: u64,
}

/// Keeps a new nonce.
pub fn issue(store: &impl KeyValue, digest: &[u8], expires_at: u64) -> Result<(), Unavailable> {
    write(store, &key("nonce", digest), &Nonce { expires_at })
}

/// Whether the nonce is good, without consuming it.
pub fn check(store: &impl KeyValue, digest: &[u8], now: u64) -> Result<bool, Unavailable> {
    Ok(is_live(store, digest, now)? && store.get(&accepted_key(digest))?.is_none())
}

/// Consumes the nonce, for the first caller before its expiry.
pub fn accept(store: &impl KeyValue, digest: &[u8], now: u64) -> Result<bool, Unavailable> {
    // What is unknown passes no gate: strangers leave nothing behind.
    Ok(is_live(store, digest, now)? && claim(store, &accepted_key(digest))?)
}

fn is_live(store: &impl KeyValue, digest: &[u8], now: u64) -> Result<bool, Unavailable> {
    Ok(read::<Nonce>(store, &key("nonce", digest))?.is_some_and(|nonce| now < nonce.expires_at))
}

fn accepted_key(digest: &[u8]) -> String {
    key("nonce-accepted", digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn a_nonce_is_accepted_once_before_its_expiry() {
        let store = Memory::default();
        issue(&store, b"n", NOW + 60).unwrap();
        assert_eq!(check(&store, b"n", NOW + 59), Ok(true));
        assert_eq!(accept(&store, b"n", NOW + 60), Ok(false));
        assert_eq!(
            accept(&store, b"n", NOW + 59),
            Ok(true),
            "looking has consumed nothing, nor has a refusal"
        );
        assert_eq!(accept(&store, b"n", NOW + 59), Ok(false));
        assert_eq!(check(&store, b"n", NOW + 59), Ok(false));
    }

    #[test]
    fn an_unknown_nonce_is_not_accepted_and_leaves_nothing_behind() {
        let store = Memory::default();
        assert_eq!(check(&store, b"n", NOW), Ok(false));
        assert_eq!(accept(&store, b"n", NOW), Ok(false));
        assert_eq!(store.len(), 0);
    }
}
