//! Tokens that have been verified before.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::Verified;

/// A bounded memory of tokens whose signature and claims have been found good, so that they need not be checked again
/// with every request. Time still counts: what has expired is refused however well it is remembered.
///
/// It belongs to one [`super::Policy`] and one set of keys: **begin a new one when either changes**, or a token under a
/// withdrawn key goes on opening doors. Only good tokens get in, so a stranger cannot push others out.
#[derive(Debug)]
pub struct Seen {
    /// Tokens of one generation; there are two, and the older one goes when the younger is full.
    capacity: usize,
    younger: Generation,
    older: Generation,
}

/// By SHA-256: the tokens themselves are not kept.
type Generation = HashMap<[u8; 32], Arc<Verified>>;

impl Seen {
    /// Remembers at most `capacity` tokens, and at least the half of that number last used.
    pub fn new(capacity: usize) -> Self {
        Self { capacity: capacity.div_ceil(2), younger: Generation::new(), older: Generation::new() }
    }

    pub(super) fn recall(&mut self, token: &str) -> Option<Arc<Verified>> {
        let digest = digest(token);
        if let Some(verified) = self.younger.get(&digest) {
            return Some(Arc::clone(verified));
        }
        let verified = self.older.remove(&digest)?;
        self.insert(digest, &verified);
        Some(verified)
    }

    pub(super) fn remember(&mut self, token: &str, verified: &Arc<Verified>) {
        self.insert(digest(token), verified);
    }

    fn insert(&mut self, digest: [u8; 32], verified: &Arc<Verified>) {
        if self.younger.len() >= self.capacity {
            self.older = mem::take(&mut self.younger);
        }
        self.younger.insert(digest, Arc::clone(verified));
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{Claims, NumericDate};
    use crate::scope::Scope;

    fn verified(subject: &str) -> Arc<Verified> {
        Arc::new(Verified {
            subject: subject.to_owned(),
            client_id: "c".to_owned(),
            scope: Scope::default(),
            audience: vec![],
            expires_at: NumericDate::from_secs(0),
            issued_at: NumericDate::from_secs(0),
            token_id: "j".to_owned(),
            confirmation: None,
            claims: Claims::default(),
        })
    }

    #[test]
    fn a_token_is_remembered_by_its_whole_text() {
        let mut seen = Seen::new(4);
        seen.remember("a.b.c", &verified("alice"));
        assert_eq!(seen.recall("a.b.c").map(|verified| verified.subject.clone()).as_deref(), Some("alice"));
        assert_eq!(seen.recall("a.b.C"), None);
    }

    #[test]
    fn memory_is_bounded_and_keeps_what_is_used() {
        let mut seen = Seen::new(8);
        for number in 0..1_000 {
            seen.remember(&number.to_string(), &verified("x"));
            assert!(number == 0 || seen.recall("0").is_some(), "the one in use stays");
            assert!(seen.younger.len() + seen.older.len() <= 8);
        }
        assert_eq!(seen.recall("1"), None);
        assert!(seen.recall("999").is_some());
    }
}
