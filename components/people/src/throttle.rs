//! How often a password may be guessed.
//!
//! The count is per username and fixed window, and one atomic step per attempt, taken *before* the password is checked: however many
//! attempts run at once, no more than [`MOST_FAILURES`] get through. A success gives its own step back. Somebody who knows a
//! username can so keep its owner out until the window ends; that is the price of a bound that holds against many addresses
//! at once. Unknown names are counted alike, so the throttle does not tell which exist.

use crate::{
    secret::digest,
    store::{Store, Unavailable},
};

/// Failed attempts per username and window.
pub const MOST_FAILURES: i64 = 10;

/// The window's length, in seconds.
pub const WINDOW: u64 = 15 * 60;

/// One attempt that may go on to the password check.
pub struct Attempt {
    key: String,
}

/// Too many attempts; the window ends in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttled {
    /// Seconds.
    pub retry_after: u64,
}

impl Attempt {
    /// Counts an attempt for a prepared username.
    pub fn begin(
        store: &impl Store,
        username: &str,
        now: u64,
    ) -> Result<Result<Self, Throttled>, Unavailable> {
        let end = now.saturating_sub(now % WINDOW).saturating_add(WINDOW);
        // The window's end stands in the name, so that a sweep can go by names alone.
        let key = format!("people/attempts/{end}/{}", digest(username));
        let within = store.increment(&key, 1)? <= MOST_FAILURES;
        Ok(if within { Ok(Self { key }) } else { Err(Throttled { retry_after: end.saturating_sub(now) }) })
    }

    /// The password was right: this attempt was not a failure.
    pub fn succeeded(self, store: &impl Store) -> Result<(), Unavailable> {
        store.increment(&self.key, -1).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::Memory;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn the_eleventh_failure_in_a_window_is_refused_and_the_next_window_is_free() {
        let memory = Memory::default();
        let begin = |name: &str, now| Attempt::begin(&memory, name, now).unwrap();
        for _ in 0..MOST_FAILURES {
            assert!(begin("alice", NOW).is_ok());
        }
        assert_eq!(begin("alice", NOW + 60).err(), Some(Throttled { retry_after: WINDOW - 60 }));
        assert!(begin("bob", NOW).is_ok());
        assert!(begin("alice", NOW + WINDOW).is_ok());
    }

    #[test]
    fn successes_do_not_use_up_attempts() {
        let memory = Memory::default();
        for _ in 0..100 {
            let attempt = Attempt::begin(&memory, "alice", NOW).unwrap().ok().unwrap();
            attempt.succeeded(&memory).unwrap();
        }
        assert!(Attempt::begin(&memory, "alice", NOW).unwrap().is_ok());
    }
}
