//! What is good once, pushed requests, documents and denied tokens, as the stores keep them.

use attesto::host::{
    CachedDocument, Claim, DocumentCache, HostError, NonceStore, PushedRequestStore, ReplayStore,
    RevokedTokenStore, RevokedTokens, StoredPushedRequest,
};
use attesto::secret::Digest;

use crate::bindings::attesto::stores::{
    document_cache, nonce_store, par_store, replay_store, revoked_token_store,
};
use crate::host::{Parts, failed};

impl RevokedTokenStore for Parts {
    async fn revoke_token(&self, jti: &str, expires_at: u64, now: u64) -> Result<(), HostError> {
        revoked_token_store::revoke(jti.to_owned(), expires_at, now).await.map_err(failed)
    }

    async fn is_revoked(&self, jti: &str, now: u64) -> Result<bool, HostError> {
        revoked_token_store::is_revoked(jti.to_owned(), now).await.map_err(failed)
    }

    async fn revoked_since(&self, since: u64, now: u64) -> Result<RevokedTokens, HostError> {
        let revoked = revoked_token_store::revoked_since(since, now).await.map_err(failed)?;
        let tokens = revoked.tokens.into_iter().map(|token| (token.jti, token.expires_at)).collect();
        Ok(RevokedTokens { tokens, next: revoked.next })
    }
}

impl ReplayStore for Parts {
    async fn claim(&self, key: &Digest, expires_at: u64, now: u64) -> Result<Claim, HostError> {
        use replay_store::Claimed as Wit;
        Ok(match replay_store::claim(key.as_bytes().to_vec(), expires_at, now).await.map_err(failed)? {
            Wit::Fresh => Claim::Fresh,
            Wit::Replayed => Claim::Replayed,
        })
    }
}

impl NonceStore for Parts {
    async fn issue_nonce(&self, nonce: &Digest, expires_at: u64) -> Result<(), HostError> {
        nonce_store::issue(nonce.as_bytes().to_vec(), expires_at).await.map_err(failed)
    }

    async fn is_nonce_live(&self, nonce: &Digest, now: u64) -> Result<bool, HostError> {
        nonce_store::check(nonce.as_bytes().to_vec(), now).await.map_err(failed)
    }

    async fn accept_nonce(&self, nonce: &Digest, now: u64) -> Result<bool, HostError> {
        nonce_store::accept(nonce.as_bytes().to_vec(), now).await.map_err(failed)
    }
}

impl PushedRequestStore for Parts {
    async fn put_pushed_request(&self, request: StoredPushedRequest) -> Result<(), HostError> {
        let request = par_store::PushedRequest {
            digest: request.digest.as_bytes().to_vec(),
            client_id: request.client_id,
            expires_at: request.expires_at,
            request: request.request,
        };
        par_store::put(request).await.map_err(failed)
    }

    async fn fetch_pushed_request(
        &self,
        digest: &Digest,
        now: u64,
    ) -> Result<Option<StoredPushedRequest>, HostError> {
        let request = par_store::fetch(digest.as_bytes().to_vec(), now).await.map_err(failed)?;
        Ok(request.map(|request| StoredPushedRequest {
            digest: *digest,
            client_id: request.client_id,
            expires_at: request.expires_at,
            request: request.request,
        }))
    }

    async fn take_pushed_request(&self, digest: &Digest, now: u64) -> Result<bool, HostError> {
        par_store::take(digest.as_bytes().to_vec(), now).await.map_err(failed)
    }
}

impl DocumentCache for Parts {
    async fn cached_document(&self, url: &str, now: u64) -> Result<Option<CachedDocument>, HostError> {
        let document = document_cache::get(url.to_owned(), now).await.map_err(failed)?;
        Ok(document.map(|document| CachedDocument {
            body: document.body,
            fetched_at: document.fetched_at,
            expires_at: document.expires_at,
        }))
    }

    async fn cache_document(&self, url: &str, document: &CachedDocument) -> Result<(), HostError> {
        let document = document_cache::Document {
            body: document.body.clone(),
            fetched_at: document.fetched_at,
            expires_at: document.expires_at,
        };
        document_cache::put(url.to_owned(), document).await.map_err(failed)
    }
}
