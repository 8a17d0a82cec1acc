//! JWK Sets that have been parsed before.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use crate::jose::{JwkSet, KeyError};
use crate::secret::Digest;

/// Keys of one generation: some MiB at most, were all of them RSA keys of the largest size.
const CAPACITY: usize = 1_024;

/// A bounded memory of parsed JWK Sets by the digest of their text, so that no request parses a key twice. What has not been
/// used for a while goes first.
#[derive(Debug, Default)]
pub struct ParsedSets(Mutex<Generations>);

/// There are two; the older one goes when the younger is full.
#[derive(Debug, Default)]
struct Generations {
    younger: HashMap<[u8; 32], Arc<JwkSet>>,
    older: HashMap<[u8; 32], Arc<JwkSet>>,
    /// Keys in the younger one, a set without any counting as one.
    keys: usize,
}

impl ParsedSets {
    /// The set with this text.
    pub fn parse(&self, text: &[u8]) -> Result<Arc<JwkSet>, KeyError> {
        let digest = *Digest::of(text).as_bytes();
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = generations.younger.get(&digest) {
            return Ok(Arc::clone(set));
        }
        let set = match generations.older.remove(&digest) {
            Some(set) => set,
            None => Arc::new(JwkSet::from_json(text)?),
        };
        generations.insert(digest, &set);
        Ok(set)
    }
}

impl Generations {
    fn insert(&mut self, digest: [u8; 32], set: &Arc<JwkSet>) {
        let keys = set.keys().len().max(1);
        if self.keys.saturating_add(keys) > CAPACITY {
            self.older = mem::take(&mut self.younger);
            self.keys = 0;
        }
        self.keys += keys;
        self.younger.insert(digest, Arc::clone(set));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037 A.2.
    fn text(kid: usize) -> String {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{x}"}}]}}"#)
    }

    #[test]
    fn a_text_is_parsed_once() {
        let sets = ParsedSets::default();
        let one = sets.parse(text(1).as_bytes()).unwrap();
        assert!(Arc::ptr_eq(&one, &sets.parse(text(1).as_bytes()).unwrap()));
        assert!(!Arc::ptr_eq(&one, &sets.parse(text(2).as_bytes()).unwrap()));
    }

    #[test]
    fn what_is_no_set_is_not_remembered() {
        let sets = ParsedSets::default();
        assert_eq!(sets.parse(b"{}"), Err(KeyError::Missing("keys")));
        assert!(sets.0.lock().unwrap().younger.is_empty());
    }

    #[test]
    fn memory_is_bounded_and_keeps_what_is_used() {
        let sets = ParsedSets::default();
        let first = sets.parse(text(0).as_bytes()).unwrap();
        for number in 1..5 * CAPACITY {
            sets.parse(text(number).as_bytes()).unwrap();
            let again = sets.parse(text(0).as_bytes()).unwrap();
            assert!(Arc::ptr_eq(&first, &again), "the one in use stays");
        }
        let generations = sets.0.lock().unwrap();
        assert!(generations.younger.len() <= CAPACITY && generations.older.len() <= CAPACITY);
    }
}
