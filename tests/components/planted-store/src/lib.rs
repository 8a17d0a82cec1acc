//! The key-value stores over a gate that is none: it reads, then writes. The contract suite must not pass it.

use std::cell::RefCell;
use std::rc::Rc;

use bindings::exports::attesto::stores::types::Error;
use bindings::exports::attesto::stores::{
    code_store as codes, consent_grant_store as consents, revoked_token_store,
};
use bindings::wasi::keyvalue::store::{self, Bucket, open};

use crate::key_value::{KeyValue, Unavailable};

#[path = "../../../../components/store-key-value/src/code_store.rs"]
mod code_store;
#[path = "../../../../components/store-key-value/src/consent_grant_store.rs"]
mod consent_grant_store;
#[path = "../../../../components/store-key-value/src/key_value.rs"]
mod key_value;
#[path = "../../../../components/store-key-value/src/revoked_token_store.rs"]
mod revoked;

#[expect(unsafe_code, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit/wasi-keyvalue", "../../../wit/stores", "wit"],
        world: "attesto-test:planted-store/planted-store",
        generate_all,
    });

    export!(Stores);

    pub(super) struct Stores;
}

use bindings::Stores;

thread_local! {
    static BUCKET: RefCell<Option<Rc<Bucket>>> = const { RefCell::new(None) };
}

struct Planted(Rc<Bucket>);

impl KeyValue for Planted {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        self.0.get(key).map_err(unavailable)
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Unavailable> {
        self.0.set(key, value).map_err(unavailable)
    }

    fn increment(&self, key: &str) -> Result<i64, Unavailable> {
        let count = self.get(key)?.and_then(|value| value.try_into().ok()).map_or(0, i64::from_le_bytes) + 1;
        self.set(key, &count.to_le_bytes())?;
        Ok(count)
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

fn planted() -> Result<Planted, Error> {
    let bucket = BUCKET.with_borrow(Clone::clone);
    bucket.map(Planted).ok_or_else(|| Error::Unavailable("`configure` has not been called".to_owned()))
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
        Ok(code_store::put(&planted()?, &code.digest, &stored)?)
    }

    async fn peek(digest: Vec<u8>, now: u64) -> Result<Option<codes::Code>, Error> {
        let code = code_store::peek(&planted()?, &digest, now)?;
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
        Ok(match code_store::redeem(&planted()?, &digest, now)? {
            Redemption::Redeemed => codes::Redemption::Redeemed,
            Redemption::Replayed(issued) => codes::Redemption::Replayed(issued.map(token)),
            Redemption::Unknown => codes::Redemption::Unknown,
        })
    }

    async fn finalize(digest: Vec<u8>, issued: codes::AccessToken) -> Result<codes::Finalization, Error> {
        use code_store::Finalization;
        let token = code_store::AccessToken { jti: issued.jti, expires_at: issued.expires_at };
        Ok(match code_store::finalize(&planted()?, &digest, &token)? {
            Finalization::Finalized => codes::Finalization::Finalized,
            Finalization::Replayed => codes::Finalization::Replayed,
        })
    }
}

impl revoked_token_store::Guest for Stores {
    async fn revoke(jti: String, expires_at: u64) -> Result<(), Error> {
        Ok(revoked::revoke(&planted()?, &jti, expires_at)?)
    }

    async fn is_revoked(jti: String, now: u64) -> Result<bool, Error> {
        Ok(revoked::is_revoked(&planted()?, &jti, now)?)
    }
}

impl consents::Guest for Stores {
    async fn mint(digest: Vec<u8>, binding: Vec<u8>, expires_at: u64) -> Result<(), Error> {
        Ok(consent_grant_store::mint(&planted()?, &digest, &binding, expires_at)?)
    }

    async fn consume(digest: Vec<u8>, binding: Vec<u8>, now: u64) -> Result<consents::Consumption, Error> {
        use consent_grant_store::Consumption;
        Ok(match consent_grant_store::consume(&planted()?, &digest, &binding, now)? {
            Consumption::Consumed => consents::Consumption::Consumed,
            Consumption::Unknown => consents::Consumption::Unknown,
            Consumption::Expired => consents::Consumption::Expired,
            Consumption::BindingMismatch => consents::Consumption::BindingMismatch,
            Consumption::AlreadyConsumed => consents::Consumption::AlreadyConsumed,
        })
    }
}
