//! Removes what has expired. A key-value store forgets nothing by itself, so every entry that expires carries its expiry in
//! its key, and a sweep goes by names alone: nothing is read, and no clock but the caller's is asked.

use crate::store::{Store, Unavailable};

/// An entry is removed so many seconds after its expiry: by then no server, whatever its clock, takes it for live.
pub const GRACE: u64 = 60 * 60;

/// The kinds of entries that expire, and what their keys start with; `<expiry>/<rest>` follows.
const KINDS: [(&str, &str); 2] = [("session", "people/session/"), ("attempt", "people/attempts/")];

/// A store that can say what is in it.
pub trait Sweepable: Store {
    /// The keys that start with `prefix`.
    fn keys(&self, prefix: &str) -> Result<Vec<String>, Unavailable>;
}

/// Removes the entries that expired [`GRACE`] before `now`, and says how many of each kind. Servers may be at work
/// meanwhile: an expiry never changes, so what is removed had ended for good.
pub fn sweep(store: &impl Sweepable, now: u64) -> Result<Vec<(&'static str, u64)>, Unavailable> {
    KINDS.into_iter().map(|(kind, prefix)| Ok((kind, sweep_kind(store, prefix, now)?))).collect()
}

fn sweep_kind(store: &impl Sweepable, prefix: &str, now: u64) -> Result<u64, Unavailable> {
    let mut removed = 0;
    for key in store.keys(prefix)? {
        if expiry(&key, prefix).is_some_and(|expiry| expiry.saturating_add(GRACE) <= now) {
            store.delete(&key)?;
            // When a session was last used stands in a key beside it and is no second session.
            removed += u64::from(!key.ends_with("/seen"));
        }
    }
    Ok(removed)
}

/// The expiry in a key. One that is not spelled as this part spells it is somebody else's, and stays.
fn expiry(key: &str, prefix: &str) -> Option<u64> {
    let (expiry, _) = key.strip_prefix(prefix)?.split_once('/')?;
    let seconds: u64 = expiry.parse().ok()?;
    (seconds.to_string() == expiry).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{self, User},
        secret::tests::counting,
        session::{ABSOLUTE_LIFETIME, Session},
        store::memory::Memory,
        throttle::{Attempt, WINDOW},
    };
    use serde_json::json;

    const NOW: u64 = 1_800_000_000;

    impl Sweepable for Memory {
        fn keys(&self, prefix: &str) -> Result<Vec<String>, Unavailable> {
            Ok(Memory::keys(self, prefix))
        }
    }

    fn removed(memory: &Memory, now: u64) -> [(&'static str, u64); 2] {
        sweep(memory, now).unwrap().try_into().unwrap()
    }

    #[test]
    fn expired_sessions_and_attempts_are_removed_and_nothing_else_is() {
        let memory = Memory::default();
        let sub = record::tests::add(&memory, "alice", "correct horse", json!({}));
        let user = User::admitted(&memory, &sub).unwrap().unwrap();
        Session::start(&memory, &counting(), &user, NOW).unwrap();
        let session = memory.keys("people/session/").remove(0);
        memory.set(&format!("{session}/seen"), b"{}").unwrap();
        assert!(Attempt::begin(&memory, "alice", NOW).unwrap().is_ok());

        let window_over = NOW - NOW % WINDOW + WINDOW + GRACE;
        assert_eq!(removed(&memory, window_over - 1), [("session", 0), ("attempt", 0)]);
        assert_eq!(removed(&memory, window_over), [("session", 0), ("attempt", 1)]);
        let session_over = NOW + ABSOLUTE_LIFETIME + GRACE;
        assert_eq!(removed(&memory, session_over - 1), [("session", 0), ("attempt", 0)]);
        assert_eq!(removed(&memory, session_over), [("session", 1), ("attempt", 0)]);
        // The user and their login.
        assert_eq!(memory.keys("").len(), 2);
        assert_eq!(removed(&memory, u64::MAX), [("session", 0), ("attempt", 0)]);
        assert_eq!(memory.keys("").len(), 2);
    }

    #[test]
    fn a_key_whose_expiry_is_not_spelled_our_way_stays() {
        let memory = Memory::default();
        for key in [
            "people/session/1",
            "people/session/01/x",
            "people/session/+1/x",
            "people/session/-1/x",
            "people/session//x",
            "people/session/99999999999999999999/x",
            "people/sessions/1/x",
        ] {
            memory.set(key, b"{}").unwrap();
        }
        assert_eq!(removed(&memory, u64::MAX), [("session", 0), ("attempt", 0)]);
        assert_eq!(memory.keys("").len(), 7);
    }

    #[test]
    fn a_store_that_fails_is_a_fault_and_no_empty_sweep() {
        let memory = Memory::default();
        memory.set("people/session/1/x", b"{}").unwrap();
        memory.broken.set(true);
        assert!(sweep(&memory, NOW).is_err());
    }
}
