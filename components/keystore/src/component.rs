//! The part's exports.

use std::cell::RefCell;
use std::rc::Rc;

use bindings::exports::attesto::keystore::keystore::{Error, Guest, Key as PublicKey};
use bindings::spin::variables::variables;

use crate::keys::{self, Key};

#[expect(unsafe_code, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit/spin-variables", "../../wit/keystore", "wit"],
        world: "attesto-part:keystore/keystore",
        generate_all,
    });

    export!(Keystore);

    pub(super) struct Keystore;
}

thread_local! {
    static KEYS: RefCell<Option<Rc<[Key]>>> = const { RefCell::new(None) };
}

/// The keys, parsed once per instance.
async fn load() -> Result<Rc<[Key]>, Error> {
    if let Some(keys) = KEYS.with_borrow(Clone::clone) {
        return Ok(keys);
    }
    let text = variables::get(keys::VARIABLE.to_owned()).await.map_err(|error| {
        Error::Unavailable(format!("the variable `{}` can not be read: {error:?}", keys::VARIABLE))
    })?;
    let keys: Rc<[Key]> = keys::parse(&text).map_err(|error| Error::Unavailable(error.to_string()))?.into();
    KEYS.set(Some(Rc::clone(&keys)));
    Ok(keys)
}

impl Guest for bindings::Keystore {
    async fn keys() -> Result<Vec<PublicKey>, Error> {
        let public = |key: &Key| PublicKey {
            kid: key.kid.clone(),
            alg: key.signing.algorithm().name().to_owned(),
            public_jwk: key.public_jwk.clone(),
        };
        Ok(load().await?.iter().map(public).collect())
    }

    async fn sign(kid: String, input: Vec<u8>) -> Result<Vec<u8>, Error> {
        let keys = load().await?;
        let key = keys.iter().find(|key| key.kid == kid).ok_or(Error::UnknownKey)?;
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        key.signing
            .sign(&mut rng, &input)
            .ok_or_else(|| Error::Unavailable(format!("key `{kid}` did not produce a signature")))
    }
}
