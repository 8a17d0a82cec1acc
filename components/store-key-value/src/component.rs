//! The part's exports, over `wasi:keyvalue`.

use std::cell::RefCell;
use std::rc::Rc;

use bindings::exports::attesto::stores::types::Error;
use bindings::exports::attesto::stores::{
    code_store as codes, consent_grant_store as consents, revoked_token_store,
};
use bindings::wasi::keyvalue::atomics::increment;
use bindings::wasi::keyvalue::store::{self, Bucket, open};

use crate::key_value::{KeyValue, Unavailable};
use crate::{code_store, consent_grant_store, revoked_token_store as revoked};

#[expect(unsafe_code, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit/wasi-keyvalue", "../../wit/stores", "wit"],
        world: "attesto-part:store-key-value/store-key-value",
        generate_all,
    });

    export!(Stores);

    pub(super) struct Stores;
}

use bindings::Stores;

thread_local! {
    static BUCKET: RefCell<Option<Rc<Bucket>>> = const { RefCell::new(None) };
}

impl KeyValue for Bucket {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        Bucket::get(self, key).map_err(unavailable)
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Unavailable> {
        Bucket::set(self, key, value).map_err(unavailable)
    }

    fn increment(&self, key: &str) -> Result<i64, Unavailable> {
        increment(self, key, 1).map_err(unavailable)
    }
}

fn unavailable(error: store::Error) -> Unavailable {
    Unavailable(format!("key-value: {error:?}"))
}

impl From<Unavailable> for Error {
    fn from(Unavailable(cause): Unavailable) -> Self {
        Self::Unavailable(cause)
    }
}

fn bucket() -> Result<Rc<Bucket>, Error> {
    BUCKET
        .with_borrow(Clone::clone)
        .ok_or_else(|| Error::Unavailable("`configure` has not been called".to_owned()))
}

impl codes::Guest for Stores {
    async fn configure(label: String) -> Result<(), String> {
        if BUCKET.with_borrow(Option::is_none) {
            let bucket =
                open(&label).map_err(|error| format!("the store `{label}` can not be opened: {error:?}"))?;
            BUCKET.set(Some(Rc::new(bucket)));
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
        Ok(code_store::put(&*bucket()?, &code.digest, &stored)?)
    }

    async fn peek(digest: Vec<u8>, now: u64) -> Result<Option<codes::Code>, Error> {
        let code = code_store::peek(&*bucket()?, &digest, now)?;
        Ok(code.map(|code| codes::Code {
            digest,
            client_id: code.client_id,
            subject: code.subject,
            expires_at: code.expires_at,
            grant: code.grant,
        }))
    }

    async fn redeem(digest: Vec<u8>, now: u64) -> Result<codes::Redemption, Error> {
        use code_store::Redemption;
        let token = |token: code_store::AccessToken| codes::AccessToken {
            jti: token.jti,
            expires_at: token.expires_at,
        };
        Ok(match code_store::redeem(&*bucket()?, &digest, now)? {
            Redemption::Redeemed => codes::Redemption::Redeemed,
            Redemption::Replayed(issued) => codes::Redemption::Replayed(issued.map(token)),
            Redemption::Unknown => codes::Redemption::Unknown,
        })
    }

    async fn finalize(digest: Vec<u8>, issued: codes::AccessToken) -> Result<codes::Finalization, Error> {
        use code_store::Finalization;
        let token = code_store::AccessToken { jti: issued.jti, expires_at: issued.expires_at };
        Ok(match code_store::finalize(&*bucket()?, &digest, &token)? {
            Finalization::Finalized => codes::Finalization::Finalized,
            Finalization::Replayed => codes::Finalization::Replayed,
        })
    }
}

impl revoked_token_store::Guest for Stores {
    async fn revoke(jti: String, expires_at: u64) -> Result<(), Error> {
        Ok(revoked::revoke(&*bucket()?, &jti, expires_at)?)
    }

    async fn is_revoked(jti: String, now: u64) -> Result<bool, Error> {
        Ok(revoked::is_revoked(&*bucket()?, &jti, now)?)
    }
}

impl consents::Guest for Stores {
    async fn mint(digest: Vec<u8>, binding: Vec<u8>, expires_at: u64) -> Result<(), Error> {
        Ok(consent_grant_store::mint(&*bucket()?, &digest, &binding, expires_at)?)
    }

    async fn consume(digest: Vec<u8>, binding: Vec<u8>, now: u64) -> Result<consents::Consumption, Error> {
        use consent_grant_store::Consumption;
        Ok(match consent_grant_store::consume(&*bucket()?, &digest, &binding, now)? {
            Consumption::Consumed => consents::Consumption::Consumed,
            Consumption::Unknown => consents::Consumption::Unknown,
            Consumption::Expired => consents::Consumption::Expired,
            Consumption::BindingMismatch => consents::Consumption::BindingMismatch,
            Consumption::AlreadyConsumed => consents::Consumption::AlreadyConsumed,
        })
    }
}
