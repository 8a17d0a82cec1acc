//! Remembered consent.
//!
//! A "yes" on the consent page is remembered per person and client, as the scope values agreed to, and at which resources. It stands in for a new answer
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

/// What a request asks for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The scope values.
    pub scope: &'a [String],
    /// Where they would count; none is the resource that goes without saying.
    pub resources: &'a [String],
}

impl Asked<'_> {
    /// What is agreed to, one by one: a scope value, or one at a resource. Neither has a space in it.
    pub fn values(self) -> Vec<String> {
        if self.resources.is_empty() {
            return self.scope.to_vec();
        }
        let at = |resource: &String| {
            let values = self.scope.iter().map(|value| format!("{resource} {value}")).collect::<Vec<_>>();
            // Without any scope, the resource is all that is asked for.
            values.into_iter().chain([format!("{resource} ")])
        };
        self.resources.iter().flat_map(at).collect()
    }
}

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
    fn an_answer_about_one_resource_is_none_about_another() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let asked = |scope: &[&str], resources: &[&str]| {
            Asked { scope: &texts(scope), resources: &texts(resources) }.values()
        };
        let memory = Memory::default();
        let yes = asked(&["read"], &["https://a.example"]);
        remember(&&memory, "alice", "app", SITE, yes.iter().map(String::as_str), 0).unwrap();
        let is_remembered =
            |asked: Vec<String>| is_remembered(&&memory, "alice", "app", SITE, &asked).unwrap();
        assert!(is_remembered(asked(&["read"], &["https://a.example"])));
        assert!(is_remembered(asked(&[], &["https://a.example"])));
        for other in [
            asked(&["read"], &["https://b.example"]),
            asked(&["read"], &["https://a.example", "https://b.example"]),
            asked(&[], &["https://b.example"]),
            asked(&["read"], &[]),
            asked(&["write"], &["https://a.example"]),
        ] {
            assert!(!is_remembered(other.clone()), "{other:?}");
        }
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
