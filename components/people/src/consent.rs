//! Remembered consent.
//!
//! A "yes" on the consent page is remembered per person and client, as the scope values agreed to. It stands in for a new answer
//! only where the request asks for no more than that and its redirect URI vouches for the client
//! ([`Destination::vouches_for_the_client`]). It is written in one place, when the page's form comes back with "allow", and a "no" there
//! forgets it. Two answers at once may lose one of them: the person is asked again.

use crate::{
    destination::Destination,
    secret::digest,
    store::{Store, Unavailable, Version, read, write},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Scope values remembered for one client; what goes beyond is asked for again.
const MOST_VALUES: usize = 128;

#[derive(Serialize, Deserialize)]
struct Record {
    version: Version<1>,
    scope: BTreeSet<String>,
    /// Of the latest answer, in seconds since the Unix epoch.
    given_at: u64,
}

/// Whether this person has agreed before to all that is asked now.
pub fn is_remembered(
    store: &impl Store,
    sub: &str,
    client_id: &str,
    redirect_uri: &str,
    scope: &[String],
) -> Result<bool, Unavailable> {
    if !Destination::of(redirect_uri).vouches_for_the_client() {
        return Ok(false);
    }
    let record = read::<Record>(store, &key(sub, client_id))?;
    Ok(record.is_some_and(|record| scope.iter().all(|value| record.scope.contains(value))))
}

/// Remembers a "yes" to `scope`, beside what was agreed to before.
pub fn remember<'a>(
    store: &impl Store,
    sub: &str,
    client_id: &str,
    redirect_uri: &str,
    scope: impl Iterator<Item = &'a str>,
    now: u64,
) -> Result<(), Unavailable> {
    if !Destination::of(redirect_uri).vouches_for_the_client() {
        return Ok(());
    }
    let key = key(sub, client_id);
    let mut agreed = read::<Record>(store, &key)?.map(|record| record.scope).unwrap_or_default();
    agreed.extend(scope.map(str::to_owned));
    let scope = agreed.into_iter().take(MOST_VALUES).collect();
    write(store, &key, &Record { version: Version, scope, given_at: now })
}

/// Forgets what was agreed to.
pub fn forget(store: &impl Store, sub: &str, client_id: &str) -> Result<(), Unavailable> {
    store.delete(&key(sub, client_id))
}

fn key(sub: &str, client_id: &str) -> String {
    format!("people/consent/{}/{}", digest(sub), digest(client_id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::Memory;

    const SITE: &str = "https://app.example.com/cb";

    fn agreed(memory: &Memory, sub: &str, client: &str, uri: &str, scope: &[&str]) -> bool {
        let scope: Vec<String> = scope.iter().map(|value| (*value).to_owned()).collect();
        is_remembered(&memory, sub, client, uri, &scope).unwrap()
    }

    fn agree(memory: &Memory, uri: &str, scope: &[&str]) {
        remember(&memory, "alice", "app", uri, scope.iter().copied(), 0).unwrap();
    }

    #[test]
    fn the_same_or_less_is_remembered_and_more_is_asked() {
        let memory = Memory::default();
        agree(&memory, SITE, &["openid", "email"]);
        assert!(agreed(&memory, "alice", "app", SITE, &["email", "openid"]));
        assert!(agreed(&memory, "alice", "app", SITE, &["openid"]));
        assert!(!agreed(&memory, "alice", "app", SITE, &["openid", "phone"]));
    }

    #[test]
    fn answers_add_up() {
        let memory = Memory::default();
        agree(&memory, SITE, &["openid"]);
        agree(&memory, SITE, &["phone"]);
        assert!(agreed(&memory, "alice", "app", SITE, &["openid", "phone"]));
    }

    #[test]
    fn another_person_and_another_client_are_asked() {
        let memory = Memory::default();
        agree(&memory, SITE, &["openid"]);
        assert!(!agreed(&memory, "bob", "app", SITE, &["openid"]));
        assert!(!agreed(&memory, "alice", "app2", SITE, &["openid"]));
    }

    #[test]
    fn a_redirect_uri_that_vouches_for_nobody_neither_uses_nor_makes_a_memory() {
        let memory = Memory::default();
        for uri in [
            "com.example.app:/cb",
            "http://127.0.0.1:8080/cb",
            "http://localhost/cb",
            "http://app.example.com/cb",
        ] {
            agree(&memory, uri, &["openid"]);
            assert!(memory.keys("").is_empty(), "{uri}");
        }
        agree(&memory, SITE, &["openid"]);
        for uri in [
            "com.example.app:/cb",
            "http://127.0.0.1:8080/cb",
            "http://localhost/cb",
            "http://app.example.com/cb",
        ] {
            assert!(!agreed(&memory, "alice", "app", uri, &["openid"]), "{uri}");
        }
    }

    #[test]
    fn forgotten_consent_is_asked_again() {
        let memory = Memory::default();
        agree(&memory, SITE, &["openid"]);
        forget(&memory, "alice", "app").unwrap();
        assert!(!agreed(&memory, "alice", "app", SITE, &["openid"]));
    }
}
