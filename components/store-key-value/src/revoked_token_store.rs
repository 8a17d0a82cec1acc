//! Denied access tokens: `revoked/<digest of the jti>` holds the time at which the token expires anyway.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::key_value::{KeyValue, Unavailable, key, read, write};

#[derive(Serialize, Deserialize)]
struct Revoked {
    expires_at: u64,
}

/// Denies the token until it expires.
pub fn revoke(store: &impl KeyValue, jti: &str, expires_at: u64) -> Result<(), Unavailable> {
    write(store, &key_of(jti), &Revoked { expires_at })
}

/// Whether the token is denied.
pub fn is_revoked(store: &impl KeyValue, jti: &str, now: u64) -> Result<bool, Unavailable> {
    Ok(read::<Revoked>(store, &key_of(jti))?.is_some_and(|revoked| now < revoked.expires_at))
}

fn key_of(jti: &str) -> String {
    key("revoked", &Sha256::digest(jti.as_bytes()))
}
