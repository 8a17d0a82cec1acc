//! Denied access tokens, and the list of them by the time of their denial.
//!
//! | key | value |
//! |---|---|
//! | `revoked/<digest of the jti>` | when the token expires anyway; this is what denies it |
//! | `revoked-slots/<minute>` | how many slots of the list have been taken in this minute |
//! | `revoked-at/<minute>/<slot>` | a denied token, written once |
//!
//! The denial is written first: it stands, whatever becomes of the list. If the token can not be listed the call fails,
//! and whoever makes it again lists the token.
//!
//! A slot is a hole from when it is taken until the token is written into it, and for ever if the process ends in between.
//! So `next` is never later than a minute in which a call may still be at work: that minute is read again. In minutes
//! before it a hole belongs to a call that has not returned and never will, and is passed over.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::key_value::{KeyValue, Unavailable, count, key, read, write};

/// The length of a minute, seconds.
pub(crate) const MINUTE: u64 = 60;

/// How far the time that a call is given may be from when it writes, seconds: what a request takes, and how much the
/// clocks of two instances differ.
const SETTLING: u64 = 120;

/// No access token lives longer, seconds: what was denied before has expired.
const LONGEST_LIFE: u64 = 86_400;

/// How long a minute is of use after its end, seconds.
pub(crate) const KEPT: u64 = LONGEST_LIFE + SETTLING;

/// An answer ends with the minute that brings it to so many tokens.
const ENOUGH: usize = 1_000;

#[derive(Serialize, Deserialize)]
struct Revoked {
    expires_at: u64,
}

/// A denied token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedToken {
    /// Its identifier.
    pub jti: String,
    /// When it expires anyway, seconds since the Unix epoch.
    pub expires_at: u64,
}

/// A part of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedTokens {
    /// The tokens.
    pub tokens: Vec<RevokedToken>,
    /// The `since` that brings what comes next.
    pub next: u64,
}

/// Denies the token until it expires.
pub fn revoke(store: &impl KeyValue, jti: &str, expires_at: u64, now: u64) -> Result<(), Unavailable> {
    write(store, &key_of(jti), &Revoked { expires_at })?;
    // Denied again and again, a token is listed once. Whatever ended before the list had it, is made up for.
    let listed = key("revoked-listed", &Sha256::digest(jti.as_bytes()));
    if store.get(&listed)?.is_some() {
        return Ok(());
    }
    let minute = now / MINUTE;
    let slot = store.increment(&slots_key(minute))?;
    write(store, &format!("revoked-at/{minute}/{slot}"), &RevokedToken { jti: jti.to_owned(), expires_at })?;
    store.set(&listed, b"1")
}

/// Whether the token is denied.
pub fn is_revoked(store: &impl KeyValue, jti: &str, now: u64) -> Result<bool, Unavailable> {
    Ok(read::<Revoked>(store, &key_of(jti))?.is_some_and(|revoked| now < revoked.expires_at))
}

/// The tokens denied since then that have not expired.
pub fn revoked_since(store: &impl KeyValue, since: u64, now: u64) -> Result<RevokedTokens, Unavailable> {
    let settling = now.saturating_sub(SETTLING) / MINUTE;
    let first = since.max(now.saturating_sub(LONGEST_LIFE)) / MINUTE;
    let last = now.saturating_add(SETTLING) / MINUTE;
    let mut tokens = Vec::new();
    for minute in first..=last {
        // Minutes that are settling come in one answer: the next one begins with them again, and would never end.
        if minute <= settling && tokens.len() >= ENOUGH {
            return Ok(RevokedTokens { tokens, next: minute * MINUTE });
        }
        for slot in 1..=count(store, &slots_key(minute))? {
            let token = read::<RevokedToken>(store, &format!("revoked-at/{minute}/{slot}"))?;
            tokens.extend(token.filter(|token| now < token.expires_at));
        }
    }
    Ok(RevokedTokens { tokens, next: settling * MINUTE })
}

fn key_of(jti: &str) -> String {
    key("revoked", &Sha256::digest(jti.as_bytes()))
}

fn slots_key(minute: u64) -> String {
    format!("revoked-slots/{minute}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{Ending, Memory};

    /// The first second of a minute.
    const NOW: u64 = 1_800_000_000;

    fn jtis(answer: &RevokedTokens) -> Vec<&str> {
        answer.tokens.iter().map(|token| token.jti.as_str()).collect()
    }

    #[test]
    fn a_denied_token_is_listed_until_it_expires() {
        let store = Memory::default();
        revoke(&store, "a", NOW + 900, NOW).unwrap();
        revoke(&store, "b", NOW + 300, NOW).unwrap();
        let answer = revoked_since(&store, NOW, NOW + 299).unwrap();
        assert_eq!(answer.tokens[0], RevokedToken { jti: "a".into(), expires_at: NOW + 900 });
        assert_eq!(jtis(&answer), ["a", "b"]);
        assert_eq!(jtis(&revoked_since(&store, NOW, NOW + 300).unwrap()), ["a"]);
        assert_eq!(jtis(&revoked_since(&store, NOW + 60, NOW + 300).unwrap()), [""; 0]);
        assert_eq!(jtis(&revoked_since(&store, 0, NOW + 300).unwrap()), ["a"]);
    }

    #[test]
    fn whoever_follows_next_is_told_of_what_was_denied_with_an_earlier_time_than_the_last_answers() {
        let store = Memory::default();
        let next = revoked_since(&store, NOW, NOW).unwrap().next;
        revoke(&store, "late", NOW + 900, NOW - SETTLING).unwrap();
        assert_eq!(jtis(&revoked_since(&store, next, NOW).unwrap()), ["late"]);
        // And by an instance whose clock is ahead.
        revoke(&store, "early", NOW + 900, NOW + SETTLING).unwrap();
        assert_eq!(jtis(&revoked_since(&store, next, NOW).unwrap()), ["late", "early"]);
    }

    #[test]
    fn next_is_about_now_and_heals_a_since_in_the_future() {
        let store = Memory::default();
        for since in [0, NOW - 1, NOW, NOW + 86_400, u64::MAX] {
            assert_eq!(revoked_since(&store, since, NOW + 59).unwrap().next, NOW - SETTLING);
        }
    }

    #[test]
    fn a_denial_stands_although_its_process_ended_before_it_was_listed() {
        for writes in 1..3 {
            let store = Memory::default();
            assert!(revoke(&Ending::after(writes, &store), "a", NOW + 900, NOW).is_err());
            assert_eq!(is_revoked(&store, "a", NOW), Ok(true));
            assert_eq!(jtis(&revoked_since(&store, NOW, NOW).unwrap()), [""; 0]);
            revoke(&store, "b", NOW + 900, NOW).unwrap();
            assert_eq!(jtis(&revoked_since(&store, NOW, NOW).unwrap()), ["b"], "no hole hides another");
        }
    }

    #[test]
    fn a_hole_that_is_filled_while_its_minute_settles_is_not_missed() {
        let store = Memory::default();
        let slot = store.increment(&slots_key(NOW / MINUTE)).unwrap();
        let next = revoked_since(&store, NOW, NOW + 59 + MINUTE).unwrap().next;
        assert!(next <= NOW);
        let token = RevokedToken { jti: "a".into(), expires_at: NOW + 900 };
        write(&store, &format!("revoked-at/{}/{slot}", NOW / MINUTE), &token).unwrap();
        assert_eq!(jtis(&revoked_since(&store, next, NOW + 200).unwrap()), ["a"]);
    }

    #[test]
    fn a_long_list_comes_in_parts_that_bring_all_of_it() {
        let store = Memory::default();
        // Three minutes, the second with more than an answer is to have, and much that settles.
        let mut denied = 0;
        for (minute, tokens) in [(0, 700), (1, 2 * ENOUGH), (2, 10), (30, 2 * ENOUGH)] {
            for _ in 0..tokens {
                revoke(&store, &denied.to_string(), NOW + 7_200, NOW + minute * MINUTE).unwrap();
                denied += 1;
            }
        }
        let now = NOW + 30 * MINUTE;
        let (mut since, mut told, mut parts) = (0, Vec::new(), Vec::new());
        while since < now - SETTLING {
            let answer = revoked_since(&store, since, now).unwrap();
            assert!(answer.next > since, "there is progress");
            parts.push(answer.tokens.len());
            told.extend(answer.tokens.into_iter().map(|token| token.jti));
            since = answer.next;
        }
        assert_eq!(parts, [700 + 2 * ENOUGH, 10 + 2 * ENOUGH]);
        assert_eq!(told, (0..denied).map(|jti| jti.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn a_token_denied_as_it_was_issued_is_listed_for_the_longest_life_there_is() {
        let store = Memory::default();
        revoke(&store, "a", NOW + LONGEST_LIFE, NOW).unwrap();
        assert_eq!(jtis(&revoked_since(&store, 0, NOW + LONGEST_LIFE - 1).unwrap()), ["a"]);
    }
}
