//! Sweeping: a key-value store forgets nothing by itself.
//!
//! An entry goes when no function of the contract can be told from one that has never seen it, or could only repeat an
//! answer nobody can act on. What other entries hang on goes first, its gates after it: a gate that outlives its entry
//! opens nothing, an entry that outlived its gate would be honoured twice.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;

use crate::key_value::{KeyValue, Unavailable};

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

const KINDS: [Kind; 5] = [
    Kind { name: "code", dependents: &["code-redeemed", "code-replayed", "code-issued"] },
    Kind { name: "consent", dependents: &["consent-consumed"] },
    Kind { name: "refresh", dependents: &["refresh-used", "refresh-rotated", "refresh-extended"] },
    Kind { name: "refresh-family-revoked", dependents: &[] },
    Kind { name: "revoked", dependents: &[] },
];

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
        let Some((name, digest)) = key.split_once('/') else { continue };
        let gone = if let Some(kind) = KINDS.iter().find(|kind| kind.name == name) {
            expired(store, kind, key, digest, now)? && {
                remove(store, kind, key, digest)?;
                true
            }
        } else if let Some(kind) = KINDS.iter().find(|kind| kind.dependents.contains(&name)) {
            // What an earlier sweep left behind: the entry itself is always there first.
            !present.contains(format!("{}/{digest}", kind.name).as_str()) && {
                store.delete(key)?;
                true
            }
        } else {
            false
        };
        if gone {
            *counts.entry(name_of(name)).or_insert(0) += 1;
            left -= 1;
        }
    }
    Ok(counts.into_iter().collect())
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

/// The kind an entry is counted as.
fn name_of(name: &str) -> &'static str {
    KINDS
        .iter()
        .find(|kind| kind.name == name || kind.dependents.contains(&name))
        .map_or("other", |kind| kind.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code_store::{self, Code, Issued, Redemption};
    use crate::memory::Memory;
    use crate::refresh_store::{self, RefreshToken, Rotation};
    use crate::{consent_grant_store, revoked_token_store};

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
        revoked_token_store::revoke(&store, "j", NOW).unwrap();
        revoked_token_store::revoke(&store, "k", NOW + 1).unwrap();
        store.set("clients/x", b"{}").unwrap();
        let swept = sweep(&store, NOW, 100).unwrap();
        assert_eq!(swept, [("code", 1), ("consent", 1), ("revoked", 1)]);
        assert_eq!(sweep(&store, NOW, 100).unwrap(), []);
        assert_eq!(store.keys().unwrap().len(), 3);
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
