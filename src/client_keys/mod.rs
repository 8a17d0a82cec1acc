//! The public keys of clients: registered with them, or at the `jwks_uri` they registered (RFC 7591 §2).

mod parsed;

use std::sync::Arc;

use rand_core::CryptoRng;

use crate::client::Client;
use crate::host::{CachedDocument, Claim, FetchLimits, Host, HostError};
use crate::jose::jwk::MAX_SET_LEN;
use crate::jose::{JwkSet, JwsError, KeyError, SelectError, UnverifiedJws, VerifiedJws, jws};
use crate::secret::Digest;
use crate::server::Context;

pub use parsed::ParsedSets;

/// What fetching a set may cost.
const LIMITS: FetchLimits = FetchLimits { max_bytes: MAX_SET_LEN as u64, timeout_ms: 5_000 };

/// How long a fetched set is kept, seconds: what its `Cache-Control` says, within bounds. The lower one keeps a client's
/// every request from becoming one of ours; the upper one is how long a key that its client withdrew can go on working.
const MIN_TTL: u64 = 60;
const MAX_TTL: u64 = 86_400;
/// Where it says nothing.
const DEFAULT_TTL: u64 = 600;

/// How soon a URL is asked again because a key was missing, seconds. Whoever knows a client's identifier can send names of
/// keys that do not exist.
const PACE: u64 = 30;

/// How soon it is asked again where there is nothing, because asking has failed, seconds.
const RETRY: u64 = 10;

/// How many requests fetch from a URL of which nothing is kept, in each [`RETRY`]. The first may find a connection that hangs,
/// and a second try is worth having; all others would only wait beside them, at a stranger's bidding.
const FETCHES: u8 = 4;

/// Why something a client signed is not verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientKeysError {
    /// The client has no keys, or none that could be had.
    #[error("the client has no keys: {0}")]
    NoKeys(String),
    /// It is not what one of its keys has signed.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// An internal fault, for the log.
    #[error("{0}")]
    Fault(String),
}

/// Verifies what a client has signed with one of its keys. Where the keys are at a `jwks_uri` and the `kid` is unknown, they
/// are fetched once more, at a pace.
///
/// "The verifier knows to go back to the `jwks_uri` location to re-retrieve the keys when it sees an unfamiliar `kid` value"
/// (OIDC Core §10.1.1).
pub async fn verify(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    client: &Client,
    jws: UnverifiedJws<'_>,
    policy: &jws::Policy<'_>,
) -> Result<VerifiedJws, ClientKeysError> {
    let keys = Keys::of(cx, client).await?;
    let set = keys.parse(cx)?;
    match jws.clone().verify(&set, policy) {
        Err(JwsError::Key(SelectError::UnknownKey)) if jws.header().kid.is_some() => {}
        outcome => return Ok(outcome?),
    }
    match keys.fresher(cx).await? {
        Some(keys) => {
            let set = keys.parse(cx)?;
            Ok(jws.verify(&set, policy)?)
        }
        None => Err(JwsError::Key(SelectError::UnknownKey).into()),
    }
}

/// The client's keys, a JWK Set as JSON text.
pub async fn text(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    client: &Client,
) -> Result<String, ClientKeysError> {
    Keys::of(cx, client).await?.into_text()
}

/// What [`text`] gives when the client's `jwks_uri` is asked once more because a key was missing; `None` where there is
/// nothing to ask, or where it was asked a moment ago.
pub async fn fresher_text(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    client: &Client,
) -> Result<Option<String>, ClientKeysError> {
    Keys::of(cx, client).await?.fresher(cx).await?.map(Keys::into_text).transpose()
}

/// Where the keys of a client come from.
enum Keys<'c> {
    /// `jwks`.
    Registered(&'c str),
    /// `jwks_uri`, and what is kept of it.
    Fetched(&'c str, CachedDocument),
}

impl<'c> Keys<'c> {
    /// "The `jwks_uri` and `jwks` parameters MUST NOT both be present in the same request or response" (RFC 7591 §2).
    async fn of(
        cx: &Context<'_, impl Host, impl CryptoRng>,
        client: &'c Client,
    ) -> Result<Self, ClientKeysError> {
        match (&client.jwks, &client.jwks_uri) {
            (Some(jwks), None) => Ok(Self::Registered(jwks)),
            (None, Some(url)) => {
                let document = match fresh(cx, url).await? {
                    Some(kept) => kept,
                    None => cold(cx, url).await?,
                };
                Ok(Self::Fetched(url, document))
            }
            (None, None) => Err(ClientKeysError::NoKeys("neither `jwks` nor `jwks_uri`".to_owned())),
            (Some(_), Some(_)) => Err(ClientKeysError::NoKeys("both `jwks` and `jwks_uri`".to_owned())),
        }
    }

    fn octets(&self) -> Result<&[u8], ClientKeysError> {
        match self {
            Self::Registered(jwks) => Ok(jwks.as_bytes()),
            Self::Fetched(url, kept) if kept.body.is_empty() => {
                Err(ClientKeysError::NoKeys(format!("{url} gave none a moment ago")))
            }
            Self::Fetched(_, kept) => Ok(&kept.body),
        }
    }

    fn parse(&self, cx: &Context<'_, impl Host, impl CryptoRng>) -> Result<Arc<JwkSet>, ClientKeysError> {
        cx.server.client_keys.parse(self.octets()?).map_err(|error| unusable("its JWK Set", error))
    }

    fn into_text(self) -> Result<String, ClientKeysError> {
        String::from_utf8(self.octets()?.to_vec())
            .map_err(|_| ClientKeysError::NoKeys("its JWK Set is not UTF-8".to_owned()))
    }

    /// The keys as the URL gives them now, where there is one and it was not asked a moment ago.
    async fn fresher(
        self,
        cx: &Context<'_, impl Host, impl CryptoRng>,
    ) -> Result<Option<Self>, ClientKeysError> {
        match self {
            Self::Fetched(url, kept) if cx.now >= kept.fetched_at.saturating_add(PACE) => {
                // Whoever asks while this fetch is under way finds that one has been made.
                let attempt = CachedDocument { fetched_at: cx.now, ..kept.clone() };
                cx.host.cache_document(url, &attempt).await.map_err(store_fault)?;
                fetch(cx, url, Some(&kept)).await.map(|document| Some(Self::Fetched(url, document)))
            }
            Self::Registered(_) | Self::Fetched(..) => Ok(None),
        }
    }
}

/// What is kept of a URL. What is not fresh is not there, whatever the store says.
async fn fresh(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    url: &str,
) -> Result<Option<CachedDocument>, ClientKeysError> {
    let kept = cx.host.cached_document(url, cx.now).await.map_err(store_fault)?;
    Ok(kept.filter(|kept| cx.now < kept.expires_at))
}

/// The set of a URL of which nothing is kept: by fetching it, or from one of the few that are fetching already.
async fn cold(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    url: &str,
) -> Result<CachedDocument, ClientKeysError> {
    let window = cx.now / RETRY;
    for fetch_number in 0..FETCHES {
        let place = [b"jwks_uri".as_slice(), url.as_bytes(), &window.to_be_bytes(), &[fetch_number]];
        let claim = cx.host.claim(&Digest::of_parts(place), cx.now.saturating_add(RETRY), cx.now).await;
        if claim.map_err(store_fault)? == Claim::Fresh {
            return fetch(cx, url, None).await;
        }
    }
    fresh(cx, url).await?.ok_or_else(|| ClientKeysError::NoKeys(format!("{url} is being fetched")))
}

/// Fetches the set and keeps it. Where that fails, what was `kept` stays as fresh as it was; where there is nothing, the
/// failure is kept as an empty document.
async fn fetch(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    url: &str,
    kept: Option<&CachedDocument>,
) -> Result<CachedDocument, ClientKeysError> {
    let error = match fetch_set(cx, url).await {
        Ok(document) => {
            keep(cx, url, &document).await;
            return Ok(document);
        }
        Err(error) => error,
    };
    cx.host.log_fault(&format!("outbound: {error}"));
    // Another request may have had more luck meanwhile.
    let other = cx.host.cached_document(url, cx.now).await.map_err(store_fault)?;
    let is_news = |body: &[u8]| !body.is_empty() && kept.is_none_or(|kept| kept.body != body);
    if let Some(other) = other.filter(|other| is_news(&other.body)) {
        return Ok(other);
    }
    if kept.is_none() {
        let failed = CachedDocument { body: Vec::new(), fetched_at: cx.now, expires_at: cx.now + RETRY };
        keep(cx, url, &failed).await;
    }
    Err(error)
}

async fn fetch_set(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    url: &str,
) -> Result<CachedDocument, ClientKeysError> {
    let document = cx.host.fetch_document(url, LIMITS).await;
    let document = document.map_err(|error| ClientKeysError::NoKeys(format!("{url}: {error}")))?;
    cx.server.client_keys.parse(&document.body).map_err(|error| unusable(url, error))?;
    let ttl = document.max_age.unwrap_or(DEFAULT_TTL).clamp(MIN_TTL, MAX_TTL);
    Ok(CachedDocument { body: document.body, fetched_at: cx.now, expires_at: cx.now + ttl })
}

/// Keeps the document. The client may go on where that fails: the next request fetches again.
async fn keep(cx: &Context<'_, impl Host, impl CryptoRng>, url: &str, document: &CachedDocument) {
    if let Err(fault) = cx.host.cache_document(url, document).await {
        cx.host.log_fault(&format!("stores: {fault}"));
    }
}

fn unusable(what: &str, error: KeyError) -> ClientKeysError {
    ClientKeysError::NoKeys(format!("{what}: {error}"))
}

fn store_fault(fault: HostError) -> ClientKeysError {
    ClientKeysError::Fault(format!("stores: {fault}"))
}
