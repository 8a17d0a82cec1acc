//! Single-use consent grants: `consent/<digest>` is written once, `consent-consumed/<digest>` is the gate.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};

use crate::key_value::{KeyValue, Unavailable, claim, key, read, write};

#[derive(Serialize, Deserialize)]
struct Grant {
    /// A digest of public values: it is no secret, and needs no constant-time comparison.
    binding: String,
    expires_at: u64,
}

/// What became of an attempt to consume a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consumption {
    /// This call consumed it.
    Consumed,
    /// There is no such grant.
    Unknown,
    /// It has expired.
    Expired,
    /// It stands for another request.
    BindingMismatch,
    /// Another call had consumed it.
    AlreadyConsumed,
}

/// Keeps a grant for the request with this binding.
pub fn mint(
    store: &impl KeyValue,
    digest: &[u8],
    binding: &[u8],
    expires_at: u64,
) -> Result<(), Unavailable> {
    let grant = Grant { binding: Base64UrlUnpadded::encode_string(binding), expires_at };
    write(store, &key("consent", digest), &grant)
}

/// Consumes the grant, for the first caller with the right binding before its expiry.
pub fn consume(
    store: &impl KeyValue,
    digest: &[u8],
    binding: &[u8],
    now: u64,
) -> Result<Consumption, Unavailable> {
    let Some(grant) = read::<Grant>(store, &key("consent", digest))? else { return Ok(Consumption::Unknown) };
    if grant.binding != Base64UrlUnpadded::encode_string(binding) {
        return Ok(Consumption::BindingMismatch);
    }
    if now >= grant.expires_at {
        return Ok(Consumption::Expired);
    }
    Ok(if claim(store, &key("consent-consumed", digest))? {
        Consumption::Consumed
    } else {
        Consumption::AlreadyConsumed
    })
}
