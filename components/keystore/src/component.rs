//! The part's exports.

use std::cell::RefCell;
use std::rc::Rc;

use bindings::exports::attesto::keystore::keystore::{Error, Guest, KeySet};
use bindings::exports::attesto::keystore::types::{Key as PublicKey, Status};
use bindings::spin::variables::variables;
use zeroize::Zeroizing;

use crate::keys::{self, Key};
use crate::mac::{self, Secrets};

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

/// Seconds after which the variable is looked at again. A busy instance may live for minutes, and a rotated key has to
/// be in every instance's JWK Set before it signs.
const REREAD_AFTER: u64 = 60;

/// What the variable held when it was last read.
struct Held {
    text: Zeroizing<String>,
    keys: Rc<[Key]>,
    read_at: u64,
}

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
    static SECRETS: RefCell<Option<Rc<Secrets>>> = const { RefCell::new(None) };
}

/// The variable's text. Both keys and secrets need care: what can not be read must not be taken for empty.
async fn read(name: &str) -> Result<String, Error> {
    variables::get(name.to_owned())
        .await
        .map_err(|error| Error::Unavailable(format!("the variable `{name}` can not be read: {error:?}")))
}

/// The variable's text, or nothing where the manifest does not hand it on.
async fn read_optional(name: &str) -> Result<String, Error> {
    match variables::get(name.to_owned()).await {
        Err(variables::Error::Undefined(_)) => Ok(String::new()),
        Ok(text) => Ok(text),
        Err(error) => Err(Error::Unavailable(format!("the variable `{name}` can not be read: {error:?}"))),
    }
}

/// The keys, parsed again only where the variable has changed, and when they were read.
async fn load(now: u64) -> Result<(Rc<[Key]>, u64), Error> {
    let is_recent = |held: &Held| (held.read_at..held.read_at.saturating_add(REREAD_AFTER)).contains(&now);
    let recent = HELD.with_borrow(|held| {
        held.as_ref().filter(|held| is_recent(held)).map(|held| (Rc::clone(&held.keys), held.read_at))
    });
    if let Some(recent) = recent {
        return Ok(recent);
    }
    let text = Zeroizing::new(read(keys::VARIABLE).await?);
    let unchanged = HELD
        .with_borrow(|held| held.as_ref().filter(|held| held.text == text).map(|held| Rc::clone(&held.keys)));
    let keys = match unchanged {
        Some(keys) => keys,
        None => keys::parse(&text).map_err(|error| Error::Unavailable(error.to_string()))?.into(),
    };
    HELD.set(Some(Held { text, keys: Rc::clone(&keys), read_at: now }));
    Ok((keys, now))
}

/// The secrets, read once per instance and only when they are needed.
async fn secrets() -> Result<Rc<Secrets>, Error> {
    if let Some(secrets) = SECRETS.with_borrow(Clone::clone) {
        return Ok(secrets);
    }
    let (current, previous) =
        (read_optional(mac::VARIABLE).await?, read_optional(mac::PREVIOUS_VARIABLE).await?);
    let secrets =
        Rc::new(Secrets::new(current, previous).map_err(|error| Error::Unavailable(error.to_string()))?);
    SECRETS.set(Some(Rc::clone(&secrets)));
    Ok(secrets)
}

impl From<keys::Status> for Status {
    fn from(status: keys::Status) -> Self {
        match status {
            keys::Status::Upcoming => Self::Upcoming,
            keys::Status::Active => Self::Active,
            keys::Status::Retired => Self::Retired,
        }
    }
}

impl Guest for bindings::Keystore {
    async fn keys(now: u64) -> Result<KeySet, Error> {
        let (keys, read_at) = load(now).await?;
        let reread = read_at.saturating_add(REREAD_AFTER);
        let until = keys::next_change(&keys, now).map_or(reread, |change| change.min(reread));
        let public = |key: &Key| {
            keys::status(key, &keys, now).map(|status| PublicKey {
                kid: key.kid.clone(),
                alg: key.algorithm.name().to_owned(),
                status: status.into(),
                public_jwk: key.public_jwk.clone(),
            })
        };
        Ok(KeySet { keys: keys.iter().filter_map(public).collect(), until })
    }

    async fn sign(kid: String, input: Vec<u8>) -> Result<Vec<u8>, Error> {
        // Whoever names a key has it from `keys`, which left it here.
        let keys = HELD.with_borrow(|held| held.as_ref().map(|held| Rc::clone(&held.keys)));
        let keys = keys.ok_or(Error::UnknownKey)?;
        let key = keys.iter().find(|key| key.kid == kid).and_then(|key| key.signing.as_ref());
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        key.ok_or(Error::UnknownKey)?
            .sign(&mut rng, &input)
            .ok_or_else(|| Error::Unavailable(format!("key `{kid}` did not produce a signature")))
    }

    async fn mac(purpose: String, input: Vec<u8>) -> Result<Vec<u8>, Error> {
        let tag = secrets().await?.tag(&purpose, &input);
        tag.ok_or_else(|| Error::Unavailable(format!("no tag could be made for `{purpose}`")))
    }

    async fn verify_mac(purpose: String, input: Vec<u8>, tag: Vec<u8>) -> Result<bool, Error> {
        Ok(secrets().await?.verify(&purpose, &input, &tag))
    }
}
