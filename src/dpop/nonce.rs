//! Nonces of the server's own (RFC 9449 §8, §9): a proof that carries one was made after the server gave it.
//!
//! A stateless one is a time and a tag over it that only the server can make. Time goes in steps, so that all proofs of one
//! step share a nonce, and one tag serves them all.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rand_core::CryptoRng;

use super::DpopError;
use crate::config::DpopNonces;
use crate::host::{Host, HostError};
use crate::jose::base64url;
use crate::secret::{Digest, Secret};
use crate::server::Context;

/// What the tags of nonces are made for; they serve nothing else.
const PURPOSE: &str = "dpop-nonce";

/// Octets of the time a nonce begins with: seconds since the Unix epoch, big endian.
const TIME_LEN: usize = 8;

/// Octets of a nonce.
const LEN: usize = TIME_LEN + 32;

/// Steps in the life of a nonce. What is given out late in a step lives shorter by up to one of them.
const STEPS: u64 = 8;

/// Stateless nonces whose tags are known to be right, with their times: no tag is computed twice in one instance.
#[derive(Debug, Default)]
pub(crate) struct KnownNonces(Mutex<Vec<(u64, String)>>);

impl KnownNonces {
    /// More are not remembered. There is one for each step of a lifetime, and a second one while the secret is replaced.
    const CAPACITY: usize = 4 * STEPS as usize;

    fn entries(&self) -> MutexGuard<'_, Vec<(u64, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn issued_at(&self, nonce: &str) -> Option<u64> {
        self.entries().iter().find(|(_, known)| known == nonce).map(|(issued_at, _)| *issued_at)
    }

    fn of(&self, issued_at: u64) -> Option<String> {
        self.entries().iter().find(|(at, _)| *at == issued_at).map(|(_, nonce)| nonce.clone())
    }

    /// Remembers a nonce, and forgets those from before `oldest`.
    fn remember(&self, issued_at: u64, nonce: &str, oldest: u64) {
        let mut entries = self.entries();
        entries.retain(|(at, _)| *at >= oldest);
        if entries.len() < Self::CAPACITY {
            entries.push((issued_at, nonce.to_owned()));
        }
    }
}

/// Checks the nonce of a proof, where one is required, and offers the next one in [`Context::dpop_nonce`] where it is time
/// for it. The digest is that of a nonce which is good once and still to be consumed.
pub(super) async fn check(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    presented: Option<&str>,
) -> Result<Option<Digest>, DpopError> {
    match cx.server.config.dpop.nonces {
        DpopNonces::NotRequired => Ok(None),
        DpopNonces::Stateless => stateless(cx, presented).await.map(|()| None),
        DpopNonces::SingleUse => single_use(cx, presented).await.map(Some),
    }
}

async fn stateless(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    presented: Option<&str>,
) -> Result<(), DpopError> {
    let ttl = cx.server.config.dpop.nonce_ttl;
    let issued_at = match presented {
        Some(nonce) => issued_at(cx, nonce).await?,
        None => None,
    };
    // Another instance's clock may be ahead.
    let latest = cx.now.saturating_add(cx.server.config.clock_skew);
    let age = issued_at.filter(|at| *at <= latest).map(|at| cx.now.saturating_sub(at));
    // "the server can send the client the nonce value that the server wants it to use" (§8), and does so before the old one
    // is refused, which saves a round trip (§8.2).
    if age.is_none_or(|age| age >= ttl / 2) {
        cx.dpop_nonce = Some(current(cx).await?);
    }
    match (age, presented) {
        (Some(age), _) if age < ttl => Ok(()),
        (_, Some(_)) => Err(DpopError::NonceNotLive),
        (_, None) => Err(DpopError::NonceMissing),
    }
}

/// When this server made the nonce; `None` where it did not.
async fn issued_at(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    nonce: &str,
) -> Result<Option<u64>, DpopError> {
    let known = &cx.server.known_nonces;
    if let Some(issued_at) = known.issued_at(nonce) {
        return Ok(Some(issued_at));
    }
    let Some((time, tag)) = parts(nonce) else { return Ok(None) };
    if !cx.host.verify_mac(PURPOSE, &time, &tag).await.map_err(keystore)? {
        return Ok(None);
    }
    let issued_at = u64::from_be_bytes(time);
    known.remember(issued_at, nonce, oldest(cx));
    Ok(Some(issued_at))
}

fn parts(nonce: &str) -> Option<([u8; TIME_LEN], Vec<u8>)> {
    let octets = base64url::decode(nonce).ok().filter(|octets| octets.len() == LEN)?;
    let (time, tag) = octets.split_first_chunk()?;
    Some((*time, tag.to_vec()))
}

/// The nonce of this step.
async fn current(cx: &Context<'_, impl Host, impl CryptoRng>) -> Result<String, DpopError> {
    let step = (cx.server.config.dpop.nonce_ttl / STEPS).max(1);
    let issued_at = cx.now - cx.now % step;
    let known = &cx.server.known_nonces;
    if let Some(nonce) = known.of(issued_at) {
        return Ok(nonce);
    }
    let time = issued_at.to_be_bytes();
    let tag = cx.host.mac(PURPOSE, &time).await.map_err(keystore)?;
    let nonce = base64url::encode([time.as_slice(), &tag].concat());
    known.remember(issued_at, &nonce, oldest(cx));
    Ok(nonce)
}

/// Nonces from before are dead.
fn oldest<H, R>(cx: &Context<'_, H, R>) -> u64 {
    cx.now.saturating_sub(cx.server.config.dpop.nonce_ttl)
}

async fn single_use(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    presented: Option<&str>,
) -> Result<Digest, DpopError> {
    let digest = presented.map(|nonce| Digest::of(nonce.as_bytes()));
    let is_live = match &digest {
        Some(digest) => cx.host.is_nonce_live(digest, cx.now).await.map_err(stores)?,
        None => false,
    };
    // Whatever becomes of this request, the next one needs another nonce.
    let next = Secret::random(cx.rng);
    let expires_at = cx.now.saturating_add(cx.server.config.dpop.nonce_ttl);
    cx.host.issue_nonce(&next.digest(), expires_at).await.map_err(stores)?;
    cx.dpop_nonce = Some(next.expose().clone());
    match digest {
        Some(digest) if is_live => Ok(digest),
        Some(_) => Err(DpopError::NonceNotLive),
        None => Err(DpopError::NonceMissing),
    }
}

fn keystore(fault: HostError) -> DpopError {
    DpopError::Fault(format!("keystore: {fault}"))
}

fn stores(fault: HostError) -> DpopError {
    DpopError::Fault(format!("stores: {fault}"))
}
