//! The part's exports.

use std::cell::RefCell;
use std::rc::Rc;

use crate::bindings::Stores;
use crate::bindings::exports::attesto::stores::types::Error;
use crate::bindings::exports::attesto::stores::{
    code_store as codes, consent_grant_store as consents, document_cache as documents, maintenance as upkeep,
    nonce_store as nonces, par_store as pushed, refresh_store as tokens, replay_store as replays,
    revoked_token_store as revoked,
};
use crate::bucket::Store;
use crate::key_value::Unavailable;
use crate::{
    code_store, consent_grant_store, document_cache, maintenance, nonce_store, par_store, refresh_store,
    replay_store, revoked_token_store,
};

thread_local! {
    static STORE: RefCell<Option<Rc<Store>>> = const { RefCell::new(None) };
}

impl From<Unavailable> for Error {
    fn from(Unavailable(cause): Unavailable) -> Self {
        Self::Unavailable(cause)
    }
}

fn store() -> Result<Rc<Store>, Error> {
    STORE
        .with_borrow(Clone::clone)
        .ok_or_else(|| Error::Unavailable("`configure` has not been called".to_owned()))
}

impl codes::Guest for Stores {
    async fn configure(label: String) -> Result<(), String> {
        if STORE.with_borrow(Option::is_none) {
            let store = Store::open(&label)
                .map_err(|Unavailable(cause)| format!("the store `{label}` can not be opened: {cause}"))?;
            STORE.set(Some(Rc::new(store)));
        }
        Ok(())
    }

    async fn put(code: codes::Code) -> Result<(), Error> {
        let stored = code_store::Code {
            client_id: code.client_id,
            subject: code.subject,
            expires_at: code.expires_at,
            grant: code.grant,
        };
        Ok(code_store::put(&*store()?, &code.digest, &stored)?)
    }

    async fn peek(digest: Vec<u8>, now: u64) -> Result<Option<codes::Found>, Error> {
        let found = code_store::peek(&*store()?, &digest, now)?;
        Ok(found.map(|code_store::Found { code, redeemed }| codes::Found {
            code: codes::Code {
                digest,
                client_id: code.client_id,
                subject: code.subject,
                expires_at: code.expires_at,
                grant: code.grant,
            },
            redeemed,
        }))
    }

    async fn redeem(digest: Vec<u8>, now: u64) -> Result<codes::Redemption, Error> {
        use code_store::Redemption;
        let issued = |issued: code_store::Issued| codes::Issued {
            jti: issued.jti,
            jti_expires_at: issued.jti_expires_at,
            family: issued.family,
            expires_at: issued.expires_at,
        };
        Ok(match code_store::redeem(&*store()?, &digest, now)? {
            Redemption::Redeemed => codes::Redemption::Redeemed,
            Redemption::Replayed(what) => codes::Redemption::Replayed(what.map(issued)),
            Redemption::Unknown => codes::Redemption::Unknown,
        })
    }

    async fn finalize(digest: Vec<u8>, issued: codes::Issued) -> Result<codes::Finalization, Error> {
        use code_store::Finalization;
        let issued = code_store::Issued {
            jti: issued.jti,
            jti_expires_at: issued.jti_expires_at,
            family: issued.family,
            expires_at: issued.expires_at,
        };
        Ok(match code_store::finalize(&*store()?, &digest, &issued)? {
            Finalization::Finalized => codes::Finalization::Finalized,
            Finalization::Replayed => codes::Finalization::Replayed,
        })
    }
}

/// The digest a token is found by, and what is kept of it.
fn token_in(token: tokens::RefreshToken) -> (Vec<u8>, refresh_store::RefreshToken) {
    let kept = refresh_store::RefreshToken {
        family: token.family,
        client_id: token.client_id,
        subject: token.subject,
        expires_at: token.expires_at,
        grant: token.grant,
    };
    (token.digest, kept)
}

impl tokens::Guest for Stores {
    async fn put(token: tokens::RefreshToken) -> Result<(), Error> {
        let (digest, token) = token_in(token);
        Ok(refresh_store::put(&*store()?, &digest, &token)?)
    }

    async fn peek(digest: Vec<u8>, now: u64) -> Result<Option<tokens::Found>, Error> {
        let found = refresh_store::peek(&*store()?, &digest, now)?;
        Ok(found.map(|refresh_store::Found { token, rotated }| tokens::Found {
            token: tokens::RefreshToken {
                digest,
                family: token.family,
                client_id: token.client_id,
                subject: token.subject,
                expires_at: token.expires_at,
                grant: token.grant,
            },
            rotated,
        }))
    }

    async fn rotate(
        digest: Vec<u8>,
        successor: tokens::RefreshToken,
        grace: u64,
        now: u64,
    ) -> Result<tokens::Rotation, Error> {
        use refresh_store::Rotation;
        let (successor_digest, successor) = token_in(successor);
        let rotation = refresh_store::rotate(&*store()?, &digest, &successor_digest, &successor, grace, now)?;
        Ok(match rotation {
            Rotation::Rotated => tokens::Rotation::Rotated,
            Rotation::Retried => tokens::Rotation::Retried,
            Rotation::Reused(family) => tokens::Rotation::Reused(family),
            Rotation::Revoked => tokens::Rotation::Revoked,
            Rotation::Unknown => tokens::Rotation::Unknown,
        })
    }

    async fn extend(digest: Vec<u8>, expires_at: u64) -> Result<(), Error> {
        Ok(refresh_store::extend(&*store()?, &digest, expires_at)?)
    }

    async fn revoke_family(family: String, expires_at: u64) -> Result<(), Error> {
        Ok(refresh_store::revoke_family(&*store()?, &family, expires_at)?)
    }
}

impl revoked::Guest for Stores {
    async fn revoke(jti: String, expires_at: u64, now: u64) -> Result<(), Error> {
        Ok(revoked_token_store::revoke(&*store()?, &jti, expires_at, now)?)
    }

    async fn is_revoked(jti: String, now: u64) -> Result<bool, Error> {
        Ok(revoked_token_store::is_revoked(&*store()?, &jti, now)?)
    }

    async fn revoked_since(since: u64, now: u64) -> Result<revoked::RevokedTokens, Error> {
        let revoked_token_store::RevokedTokens { tokens, next } =
            revoked_token_store::revoked_since(&*store()?, since, now)?;
        let token = |token: revoked_token_store::RevokedToken| revoked::RevokedToken {
            jti: token.jti,
            expires_at: token.expires_at,
        };
        Ok(revoked::RevokedTokens { tokens: tokens.into_iter().map(token).collect(), next })
    }
}

impl replays::Guest for Stores {
    async fn claim(digest: Vec<u8>, expires_at: u64, now: u64) -> Result<replays::Claimed, Error> {
        use replay_store::Claim;
        Ok(match replay_store::claim(&*store()?, &digest, expires_at, now)? {
            Claim::Fresh => replays::Claimed::Fresh,
            Claim::Replayed => replays::Claimed::Replayed,
        })
    }
}

impl nonces::Guest for Stores {
    async fn issue(digest: Vec<u8>, expires_at: u64) -> Result<(), Error> {
        Ok(nonce_store::issue(&*store()?, &digest, expires_at)?)
    }

    async fn check(digest: Vec<u8>, now: u64) -> Result<bool, Error> {
        Ok(nonce_store::check(&*store()?, &digest, now)?)
    }

    async fn accept(digest: Vec<u8>, now: u64) -> Result<bool, Error> {
        Ok(nonce_store::accept(&*store()?, &digest, now)?)
    }
}

impl pushed::Guest for Stores {
    async fn put(request: pushed::PushedRequest) -> Result<(), Error> {
        let kept = par_store::PushedRequest {
            client_id: request.client_id,
            expires_at: request.expires_at,
            request: request.request,
        };
        Ok(par_store::put(&*store()?, &request.digest, &kept)?)
    }

    async fn fetch(digest: Vec<u8>, now: u64) -> Result<Option<pushed::PushedRequest>, Error> {
        let request = par_store::fetch(&*store()?, &digest, now)?;
        Ok(request.map(|request| pushed::PushedRequest {
            digest,
            client_id: request.client_id,
            expires_at: request.expires_at,
            request: request.request,
        }))
    }

    async fn take(digest: Vec<u8>, now: u64) -> Result<bool, Error> {
        Ok(par_store::take(&*store()?, &digest, now)?)
    }
}

impl documents::Guest for Stores {
    async fn get(url: String, now: u64) -> Result<Option<documents::Document>, Error> {
        let document = document_cache::get(&*store()?, &url, now)?;
        Ok(document.map(|document| documents::Document {
            body: document.body,
            fetched_at: document.fetched_at,
            expires_at: document.expires_at,
        }))
    }

    async fn put(url: String, document: documents::Document) -> Result<(), Error> {
        let document = document_cache::Document {
            body: document.body,
            fetched_at: document.fetched_at,
            expires_at: document.expires_at,
        };
        Ok(document_cache::put(&*store()?, &url, &document)?)
    }

    async fn delete(url: String) -> Result<(), Error> {
        Ok(document_cache::delete(&*store()?, &url)?)
    }
}

impl consents::Guest for Stores {
    async fn mint(digest: Vec<u8>, binding: Vec<u8>, expires_at: u64) -> Result<(), Error> {
        Ok(consent_grant_store::mint(&*store()?, &digest, &binding, expires_at)?)
    }

    async fn consume(digest: Vec<u8>, binding: Vec<u8>, now: u64) -> Result<consents::Consumption, Error> {
        use consent_grant_store::Consumption;
        Ok(match consent_grant_store::consume(&*store()?, &digest, &binding, now)? {
            Consumption::Consumed => consents::Consumption::Consumed,
            Consumption::Unknown => consents::Consumption::Unknown,
            Consumption::Expired => consents::Consumption::Expired,
            Consumption::BindingMismatch => consents::Consumption::BindingMismatch,
            Consumption::AlreadyConsumed => consents::Consumption::AlreadyConsumed,
        })
    }
}

impl upkeep::Guest for Stores {
    async fn sweep(now: u64, limit: u64) -> Result<Vec<upkeep::Swept>, Error> {
        let swept = maintenance::sweep(&*store()?, now, limit)?;
        Ok(swept.into_iter().map(|(kind, count)| upkeep::Swept { kind: kind.to_owned(), count }).collect())
    }
}
