//! Sweeping: a key-value store forgets nothing by itself.
//!
//! An entry goes when no function of the contract can be told from one that has never seen it, or could only repeat an
//! answer nobody can act on. What other entries hang on goes first, its gates after it: a gate that outlives its entry
//! opens nothing, an entry that outlived its gate would be honoured twice. What belongs to a span of time goes by its name.
//!
//! Another sweep may be at work, and servers are. What has expired is never written again under the same key, but for a
//! document: one that is put at this very moment may go too, and is fetched once more.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;

use crate::key_value::{KeyValue, Unavailable};
use crate::{replay_store, revoked_token_store};

/// A store whose keys can be listed.
pub trait Sweepable: KeyValue {
    /// Every key.
    fn keys(&self) -> Result<Vec<String>, Unavailable>;
    /// Removes the entry under `key`, if there is one.
    fn delete(&self, key: &str) -> Result<(), Unavailable>;
}

/// An entry, and what hangs on it.
struct Kind {
    name: &'static str,
    /// Further entries under the same digest.
    dependents: &'static [&'static str],
}

/// A code redeemed by a process that ended before it said for what is kept as long as an access token may live.
const UNFINISHED: u64 = 86_400;

const KINDS: [Kind; 9] = [
    Kind { name: "code", dependents: &["code-redeemed", "code-replayed", "code-issued"] },
    Kind { name: "consent", dependents: &["consent-consumed"] },
    Kind { name: "document", dependents: &[] },
    Kind { name: "nonce", dependents: &["nonce-accepted"] },
    Kind { name: "par", dependents: &["par-taken"] },
    Kind { name: "refresh", dependents: &["refresh-used", "refresh-rotated", "refresh-extended"] },
    Kind { name: "refresh-family-revoked", dependents: &[] },
    Kind { name: "revoked", dependents: &["revoked-listed"] },
    Kind { name: "revoked-at", dependents: &[] },
];

/// Entries of a span of time, whose number comes first in their names.
struct Span {
    name: &'static str,
    /// How long a span is, seconds.
    length: u64,
    /// How long it is of use after its end, seconds.
    kept: u64,
}

const MINUTE: u64 = revoked_token_store::MINUTE;
const KEPT: u64 = revoked_token_store::KEPT;

const SPANS: [Span; 3] = [
    Span { name: "replay", length: replay_store::SPAN, kept: 0 },
    Span { name: "revoked-at", length: MINUTE, kept: KEPT },
    Span { name: "revoked-slots", length: MINUTE, kept: KEPT },
];

impl Span {
    /// Whether the span that `rest` begins with is of no use any more. Where that is no number it is somebody else's.
    fn is_over(&self, rest: &str, now: u64) -> bool {
        let number = rest.split('/').next().and_then(|number| number.parse::<u64>().ok());
        number.is_some_and(|number| {
            number.saturating_add(1).saturating_mul(self.length).saturating_add(self.kept) <= now
        })
    }
}

/// The member every entry that expires has.
#[derive(Deserialize)]
struct Until {
    expires_at: u64,
}

/// Removes at most `limit` entries that have expired by `now`, and says how many of each kind.
pub fn sweep(store: &impl Sweepable, now: u64, limit: u64) -> Result<Vec<(&'static str, u64)>, Unavailable> {
    let keys = store.keys()?;
    let present: HashSet<&str> = keys.iter().map(String::as_str).collect();
    let mut counts = BTreeMap::new();
    let mut left = limit;
    for key in &keys {
        if left == 0 {
            break;
        }
        if let Some(kind) = sweep_one(store, &present, key, now)? {
            *counts.entry(kind).or_insert(0) += 1;
            left -= 1;
        }
    }
    Ok(counts.into_iter().collect())
}

/// Removes the entry under `key` if it is of no use any more, and says of which kind it was.
fn sweep_one(
    store: &impl Sweepable,
    present: &HashSet<&str>,
    key: &str,
    now: u64,
) -> Result<Option<&'static str>, Unavailable> {
    let Some((name, rest)) = key.split_once('/') else { return Ok(None) };
    if let Some(span) = SPANS.iter().find(|span| span.name == name)
        && span.is_over(rest, now)
    {
        store.delete(key)?;
        return Ok(Some(span.name));
    }
    if let Some(kind) = KINDS.iter().find(|kind| kind.name == name) {
        if !expired(store, kind, key, rest, now)? {
            return Ok(None);
        }
        remove(store, kind, key, rest)?;
        return Ok(Some(kind.name));
    }
    let Some(kind) = KINDS.iter().find(|kind| kind.dependents.contains(&name)) else { return Ok(None) };
    // What an earlier sweep left behind: the entry itself is always there first. A store may list what was written
    // while it went through its keys, and not all of it; so the entry is looked for once more.
    let entry = format!("{}/{rest}", kind.name);
    if present.contains(entry.as_str()) || store.get(&entry)?.is_some() {
        return Ok(None);
    }
    store.delete(key)?;
    Ok(Some(kind.name))
}

fn expired(
    store: &impl Sweepable,
    kind: &Kind,
    key: &str,
    digest: &str,
    now: u64,
) -> Result<bool, Unavailable> {
    // What can not be read is left alone, and holds up nothing else.
    let until = |key: &str| {
        let value = store.get(key)?;
        let until = value.and_then(|value| serde_json::from_slice::<Until>(&value).ok());
        Ok(until.map(|until| until.expires_at))
    };
    let Some(own) = until(key)? else { return Ok(false) };
    let latest = match kind.name {
        "code" => match until(&format!("code-issued/{digest}"))? {
            Some(issued) => own.max(issued),
            None if store.get(&format!("code-redeemed/{digest}"))?.is_some() => {
                own.saturating_add(UNFINISHED)
            }
            None => own,
        },
        "refresh" => until(&format!("refresh-extended/{digest}"))?.map_or(own, |extended| own.max(extended)),
        _ => own,
    };
    Ok(now >= latest)
}

fn remove(store: &impl Sweepable, kind: &Kind, key: &str, digest: &str) -> Result<(), Unavailable> {
    store.delete(key)?;
    for dependent in kind.dependents {
        store.delete(&format!("{dependent}/{digest}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code_store::{self, Code, Issued, Redemption};
    use crate::document_cache::{self, Document};
    use crate::memory::Memory;
    use crate::par_store::{self, PushedRequest};
    use crate::refresh_store::{self, RefreshToken, Rotation};
    use crate::replay_store::Claim;
    use crate::{consent_grant_store, nonce_store};

    const NOW: u64 = 1_800_000_000;

    fn code(store: &Memory, digest: &[u8], expires_at: u64) {
        let code = Code { client_id: "c".into(), subject: "s".into(), expires_at, grant: vec![] };
        code_store::put(store, digest, &code).unwrap();
    }

    fn token(expires_at: u64) -> RefreshToken {
        RefreshToken {
            family: "f".into(),
            client_id: "c".into(),
            subject: "s".into(),
            expires_at,
            grant: vec![],
        }
    }

    #[test]
    fn what_lives_stays_and_what_has_expired_goes_with_all_that_hangs_on_it() {
        let store = Memory::default();
        code(&store, b"live", NOW + 1);
        code(&store, b"dead", NOW);
        consent_grant_store::mint(&store, b"g", b"b", NOW).unwrap();
        consent_grant_store::consume(&store, b"g", b"b", NOW - 1).unwrap();
        revoked_token_store::revoke(&store, "j", NOW, NOW - 900).unwrap();
        revoked_token_store::revoke(&store, "k", NOW + 1, NOW - 900).unwrap();
        store.set("clients/x", b"{}").unwrap();
        let swept = sweep(&store, NOW, 100).unwrap();
        assert_eq!(swept, [("code", 1), ("consent", 1), ("revoked", 1), ("revoked-at", 1)]);
        assert_eq!(sweep(&store, NOW, 100).unwrap(), []);
        let left = revoked_token_store::revoked_since(&store, 0, NOW).unwrap();
        assert_eq!(left.tokens.len(), 1);
        assert_eq!(
            store.len(),
            6,
            "live code, denial, its slot, its mark, the count of its minute, what is another's"
        );
    }

    #[test]
    fn nonces_pushed_requests_and_documents_go_at_their_expiry_with_their_gates() {
        let store = Memory::default();
        for (digest, expires_at) in [(b"live", NOW + 1), (b"dead", NOW)] {
            nonce_store::issue(&store, digest, expires_at).unwrap();
            assert_eq!(nonce_store::accept(&store, digest, NOW - 1), Ok(true));
            let request = PushedRequest { client_id: "c".into(), expires_at, request: vec![] };
            par_store::put(&store, digest, &request).unwrap();
            assert_eq!(par_store::take(&store, digest, NOW - 1), Ok(true));
        }
        for (url, expires_at) in [("https://a.example", NOW + 1), ("https://b.example", NOW)] {
            let document = Document { body: vec![], fetched_at: NOW - 60, expires_at };
            document_cache::put(&store, url, &document).unwrap();
        }
        assert_eq!(sweep(&store, NOW, 100).unwrap(), [("document", 1), ("nonce", 1), ("par", 1)]);
        assert_eq!(store.len(), 5);
        assert_eq!(nonce_store::accept(&store, b"live", NOW), Ok(false), "accepted for ever");
        assert_eq!(par_store::take(&store, b"live", NOW), Ok(false), "taken for ever");
        assert!(document_cache::get(&store, "https://a.example", NOW).unwrap().is_some());
    }

    #[test]
    fn a_claim_stays_until_its_last_span_is_over() {
        let store = Memory::default();
        let claim = |now| replay_store::claim(&store, b"a", NOW + 10, now);
        assert_eq!(claim(NOW - 10), Ok(Claim::Fresh));
        assert_eq!(sweep(&store, NOW - 1, 100).unwrap(), []);
        assert_eq!(sweep(&store, NOW, 100).unwrap(), [("replay", 1)], "the earlier span");
        assert_eq!(claim(NOW + 9), Ok(Claim::Replayed));
        assert_eq!(sweep(&store, NOW + replay_store::SPAN - 1, 100).unwrap(), []);
        assert_eq!(sweep(&store, NOW + replay_store::SPAN, 100).unwrap(), [("replay", 1)]);
        assert_eq!(store.len(), 0);
    }

    #[test]
    fn the_list_of_denied_tokens_goes_a_day_after_its_minute_whatever_is_in_it() {
        let store = Memory::default();
        revoked_token_store::revoke(&store, "a", NOW + 900, NOW).unwrap();
        let minute = NOW / MINUTE;
        store.set(&format!("revoked-at/{minute}/2"), b"not JSON").unwrap();
        store.set("revoked-at/other/1", b"not JSON").unwrap();
        assert_eq!(sweep(&store, NOW + 900, 100).unwrap(), [("revoked", 1), ("revoked-at", 1)]);
        let over = NOW + MINUTE + KEPT;
        assert_eq!(sweep(&store, over - 1, 100).unwrap(), []);
        assert_eq!(sweep(&store, over, 100).unwrap(), [("revoked-at", 1), ("revoked-slots", 1)]);
        assert_eq!(store.keys().unwrap(), ["revoked-at/other/1"]);
    }

    /// A list of keys that leaves out what was written while it was made.
    struct Behind<'a>(&'a Memory, &'static str);

    impl KeyValue for Behind<'_> {
        fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable> {
            self.0.get(key)
        }

        fn set(&self, key: &str, value: &[u8]) -> Result<(), Unavailable> {
            self.0.set(key, value)
        }

        fn increment(&self, key: &str) -> Result<i64, Unavailable> {
            self.0.increment(key)
        }
    }

    impl Sweepable for Behind<'_> {
        fn keys(&self) -> Result<Vec<String>, Unavailable> {
            Ok(self.0.keys()?.into_iter().filter(|key| !key.starts_with(self.1)).collect())
        }

        fn delete(&self, key: &str) -> Result<(), Unavailable> {
            self.0.delete(key)
        }
    }

    #[test]
    fn a_gate_stays_although_the_list_of_keys_lacks_its_entry() {
        let store = Memory::default();
        nonce_store::issue(&store, b"n", NOW + 60).unwrap();
        assert_eq!(nonce_store::accept(&store, b"n", NOW), Ok(true));
        assert_eq!(sweep(&Behind(&store, "nonce/"), NOW, 100).unwrap(), []);
        assert_eq!(nonce_store::accept(&store, b"n", NOW), Ok(false));
    }

    #[test]
    fn a_redeemed_code_stays_while_anything_it_led_to_could_be_revoked() {
        let store = Memory::default();
        code(&store, b"d", NOW + 60);
        assert_eq!(code_store::redeem(&store, b"d", NOW), Ok(Redemption::Redeemed));
        assert_eq!(sweep(&store, NOW + 100, 100).unwrap(), [], "not said yet for what");
        let issued = Issued {
            jti: "j".into(),
            jti_expires_at: NOW + 900,
            family: Some("f".into()),
            expires_at: NOW + 5000,
        };
        code_store::finalize(&store, b"d", &issued).unwrap();
        assert_eq!(sweep(&store, NOW + 4999, 100).unwrap(), []);
        assert!(code_store::peek(&store, b"d", NOW + 4999).unwrap().is_some_and(|found| found.redeemed));
        assert_eq!(code_store::peek(&store, b"d", NOW + 5000), Ok(None));
        assert_eq!(sweep(&store, NOW + 5000, 100).unwrap(), [("code", 1)]);
        assert!(store.keys().unwrap().is_empty());
    }

    #[test]
    fn a_rotated_token_stays_as_evidence_until_it_would_have_expired() {
        let store = Memory::default();
        refresh_store::put(&store, b"a", &token(NOW + 100)).unwrap();
        let rotated = refresh_store::rotate(&store, b"a", b"b", &token(NOW + 200), 60, NOW);
        assert_eq!(rotated, Ok(Rotation::Rotated));
        assert_eq!(sweep(&store, NOW + 99, 100).unwrap(), []);
        assert_eq!(sweep(&store, NOW + 100, 100).unwrap(), [("refresh", 1)]);
        assert!(refresh_store::peek(&store, b"b", NOW + 100).unwrap().is_some());
    }

    #[test]
    fn an_entry_that_can_not_be_read_stays_and_holds_up_no_other() {
        let store = Memory::default();
        store.set("code/a", b"not JSON").unwrap();
        code(&store, b"dead", NOW);
        assert_eq!(sweep(&store, NOW, 100).unwrap(), [("code", 1)]);
        assert_eq!(store.keys().unwrap(), ["code/a"]);
    }

    #[test]
    fn an_extended_token_stays() {
        let store = Memory::default();
        refresh_store::put(&store, b"a", &token(NOW + 100)).unwrap();
        refresh_store::extend(&store, b"a", NOW + 300).unwrap();
        assert_eq!(sweep(&store, NOW + 299, 100).unwrap(), []);
        assert_eq!(sweep(&store, NOW + 300, 100).unwrap(), [("refresh", 1)]);
        assert!(store.keys().unwrap().is_empty());
    }

    #[test]
    fn what_an_interrupted_sweep_left_goes_with_the_next_and_the_limit_is_kept() {
        let store = Memory::default();
        store.increment("code-redeemed/x").unwrap();
        for number in 0..5_u8 {
            code(&store, &[number], NOW);
        }
        assert_eq!(sweep(&store, NOW, 4).unwrap().iter().map(|(_, count)| count).sum::<u64>(), 4);
        assert_eq!(sweep(&store, NOW, 4).unwrap(), [("code", 2)]);
        assert!(store.keys().unwrap().is_empty());
    }
}
