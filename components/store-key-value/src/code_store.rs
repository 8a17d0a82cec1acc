//! Authorization codes.
//!
//! | key | value |
//! |---|---|
//! | `code/<digest>` | the code, written once |
//! | `code-redeemed/<digest>` | the gate of redemption |
//! | `code-replayed/<digest>` | there, once the code was presented again; written before the replay is answered |
//! | `code-issued/<digest>` | what it was redeemed for, written once by `finalize` |
//!
//! `finalize` writes `code-issued` and then reads `code-replayed`; a replay writes `code-replayed` and then reads
//! `code-issued`. Whichever is later sees the other.

use serde::{Deserialize, Serialize};

use crate::key_value::{KeyValue, Unavailable, claim, key, octets, read, write};

/// A code, as kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// Whose it is.
    pub client_id: String,
    /// For whom it was issued.
    pub subject: String,
    /// Seconds since the Unix epoch.
    pub expires_at: u64,
    /// The engine's grant.
    #[serde(with = "octets")]
    pub grant: Vec<u8>,
}

/// What a code was redeemed for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// The access token's `jti`.
    pub jti: String,
    /// Its expiry, seconds since the Unix epoch.
    pub jti_expires_at: u64,
    /// The refresh token's family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// When neither can live any more, seconds since the Unix epoch.
    pub expires_at: u64,
}

/// A code, as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The code.
    pub code: Code,
    /// It has been redeemed.
    pub redeemed: bool,
}

/// What became of an attempt to redeem a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// This call redeemed it.
    Redeemed,
    /// Another had.
    Replayed(Option<Issued>),
    /// There is no such code.
    Unknown,
}

/// What became of recording the issued token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finalization {
    /// It is recorded.
    Finalized,
    /// The code was presented again meanwhile.
    Replayed,
}

/// Keeps a new code.
pub fn put(store: &impl KeyValue, digest: &[u8], code: &Code) -> Result<(), Unavailable> {
    write(store, &key("code", digest), code)
}

/// The code, redeemed or not, while there is anything to do about it.
pub fn peek(store: &impl KeyValue, digest: &[u8], now: u64) -> Result<Option<Found>, Unavailable> {
    let Some(code) = read::<Code>(store, &key("code", digest))? else { return Ok(None) };
    let redeemed = is_redeemed(store, digest)?;
    // Where it is redeemed and nothing says for what, whoever redeemed it is still to say so.
    let live = now < code.expires_at
        || redeemed && issued(store, digest)?.is_none_or(|issued| now < issued.expires_at);
    Ok(live.then_some(Found { code, redeemed }))
}

/// Redeems the code, for the first caller before its expiry.
pub fn redeem(store: &impl KeyValue, digest: &[u8], now: u64) -> Result<Redemption, Unavailable> {
    let Some(code) = read::<Code>(store, &key("code", digest))? else { return Ok(Redemption::Unknown) };
    if now >= code.expires_at {
        // Expired unredeemed it is unknown; expired and redeemed, this is a replay.
        if !is_redeemed(store, digest)? {
            return Ok(Redemption::Unknown);
        }
    } else if claim(store, &key("code-redeemed", digest))? {
        return Ok(Redemption::Redeemed);
    }
    store.set(&key("code-replayed", digest), b"1")?;
    Ok(Redemption::Replayed(issued(store, digest)?))
}

/// Records what was issued.
pub fn finalize(store: &impl KeyValue, digest: &[u8], issued: &Issued) -> Result<Finalization, Unavailable> {
    write(store, &key("code-issued", digest), issued)?;
    Ok(match store.get(&key("code-replayed", digest))? {
        None => Finalization::Finalized,
        Some(_) => Finalization::Replayed,
    })
}

fn is_redeemed(store: &impl KeyValue, digest: &[u8]) -> Result<bool, Unavailable> {
    Ok(store.get(&key("code-redeemed", digest))?.is_some())
}

fn issued(store: &impl KeyValue, digest: &[u8]) -> Result<Option<Issued>, Unavailable> {
    read(store, &key("code-issued", digest))
}
