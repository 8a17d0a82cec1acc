//! Refresh tokens.
//!
//! | key | value |
//! |---|---|
//! | `refresh/<digest>` | the token |
//! | `refresh-used/<digest>` | the gate of rotation |
//! | `refresh-rotated/<digest>` | when it was rotated |
//! | `refresh-extended/<digest>` | until when it lives, where use prolonged its life |
//! | `refresh-family-revoked/<digest of the family>` | there, once the family is revoked; never removed before it can not matter |
//!
//! A rotation keeps the successor before it passes the gate. Nobody knows the successor yet, and every rotation of one
//! token names the same one, so the write is harmless if the gate is lost, and nothing is missing if the process ends
//! between any two steps: the client asks again, and is answered with a successor that is there.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::key_value::{KeyValue, Unavailable, claim, key, octets, read, write};

/// A refresh token, as kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshToken {
    /// The family.
    pub family: String,
    /// Whose it is.
    pub client_id: String,
    /// For whom it speaks.
    pub subject: String,
    /// Seconds since the Unix epoch.
    pub expires_at: u64,
    /// The engine's grant.
    #[serde(with = "octets")]
    pub grant: Vec<u8>,
}

/// A token as [`peek`] finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The token.
    pub token: RefreshToken,
    /// Another took its place.
    pub rotated: bool,
}

/// What became of an attempt to rotate a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// This call rotated it.
    Rotated,
    /// It had been rotated a moment ago: its successor stands.
    Retried,
    /// It had been rotated; this family has been revoked.
    Reused(String),
    /// Its family had been revoked.
    Revoked,
    /// There is no such token.
    Unknown,
}

#[derive(Serialize, Deserialize)]
struct Rotated {
    at: u64,
}

/// An entry that is of use until then; `maintenance` reads it too.
#[derive(Serialize, Deserialize)]
struct Until {
    expires_at: u64,
}

/// Keeps a token.
pub fn put(store: &impl KeyValue, digest: &[u8], token: &RefreshToken) -> Result<(), Unavailable> {
    write(store, &key("refresh", digest), token)
}

/// The token, rotated or not, while it and its family live.
pub fn peek(store: &impl KeyValue, digest: &[u8], now: u64) -> Result<Option<Found>, Unavailable> {
    let Some(token) = live(store, digest, now)? else { return Ok(None) };
    if is_revoked(store, &token.family)? {
        return Ok(None);
    }
    let rotated = is_used(store, digest)?;
    Ok(Some(Found { token, rotated }))
}

/// Replaces the token by its successor.
pub fn rotate(
    store: &impl KeyValue,
    digest: &[u8],
    successor_digest: &[u8],
    successor: &RefreshToken,
    grace: u64,
    now: u64,
) -> Result<Rotation, Unavailable> {
    let Some(token) = live(store, digest, now)? else { return Ok(Rotation::Unknown) };
    if is_revoked(store, &token.family)? {
        return Ok(Rotation::Revoked);
    }
    let rotated_key = key("refresh-rotated", digest);
    if !is_used(store, digest)? {
        put(store, successor_digest, successor)?;
        if claim(store, &key("refresh-used", digest))? {
            write(store, &rotated_key, &Rotated { at: now })?;
            // Revoked in the meantime, the successor is dead already, and the client may as well hear of it.
            return Ok(if is_revoked(store, &token.family)? { Rotation::Revoked } else { Rotation::Rotated });
        }
    }
    let at = match read::<Rotated>(store, &rotated_key)? {
        Some(Rotated { at }) => at,
        // Whoever passed the gate has not said when, or never will: the time to ask again begins now.
        None => {
            write(store, &rotated_key, &Rotated { at: now })?;
            now
        }
    };
    if now < at.saturating_add(grace) && !is_used(store, successor_digest)? {
        // Where the gate was passed by a process that ended, the successor is as this call would have kept it.
        return Ok(Rotation::Retried);
    }
    revoke_family(store, &token.family, successor.expires_at.max(token.expires_at))?;
    Ok(Rotation::Reused(token.family))
}

/// Prolongs the life of a token.
pub fn extend(store: &impl KeyValue, digest: &[u8], expires_at: u64) -> Result<(), Unavailable> {
    write(store, &key("refresh-extended", digest), &Until { expires_at })
}

/// Revokes the family.
pub fn revoke_family(store: &impl KeyValue, family: &str, expires_at: u64) -> Result<(), Unavailable> {
    write(store, &family_key(family), &Until { expires_at })
}

/// The token, before its expiry. Its family is not looked at.
fn live(store: &impl KeyValue, digest: &[u8], now: u64) -> Result<Option<RefreshToken>, Unavailable> {
    let Some(mut token) = read::<RefreshToken>(store, &key("refresh", digest))? else { return Ok(None) };
    if let Some(until) = read::<Until>(store, &key("refresh-extended", digest))? {
        token.expires_at = token.expires_at.max(until.expires_at);
    }
    Ok((now < token.expires_at).then_some(token))
}

fn is_used(store: &impl KeyValue, digest: &[u8]) -> Result<bool, Unavailable> {
    Ok(store.get(&key("refresh-used", digest))?.is_some())
}

fn is_revoked(store: &impl KeyValue, family: &str) -> Result<bool, Unavailable> {
    Ok(store.get(&family_key(family))?.is_some())
}

fn family_key(family: &str) -> String {
    key("refresh-family-revoked", &Sha256::digest(family.as_bytes()))
}
