//! Settings, read and validated once per instance, and keys, which change with time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use attesto::config::{Config, DpopNonces};
use attesto::keys::{ServerKey, ServerKeys};
use attesto::server::Server;
use spin_sdk::variables;

use crate::bindings::attesto::clients::client_store;
use crate::bindings::attesto::keystore::keystore;
use crate::bindings::attesto::keystore::types::{Key, KeySet, Status};
use crate::bindings::attesto::outbound::fetcher;
use crate::bindings::attesto::people::interaction;
use crate::bindings::attesto::rules::scope_policy;
use crate::bindings::attesto::stores::code_store;

/// Where the manifest's `files` mount the settings.
const SETTINGS_FILE: &str = "/attesto.toml";
/// The variable that may hold the same text instead.
const SETTINGS_VARIABLE: &str = "attesto_toml";

thread_local! {
    static SERVER: RefCell<Option<Current>> = const { RefCell::new(None) };
    static COMPLAINED: Cell<bool> = const { Cell::new(false) };
}

/// The server can not answer; the log says why.
#[derive(Debug)]
pub(crate) struct Unusable;

/// A server, and how long its keys are the right ones.
#[derive(Clone)]
struct Current {
    server: Rc<Server>,
    keys: Rc<KeySet>,
}

/// The server of this instance as it is at `now`, in seconds since the Unix epoch.
pub(crate) async fn server(now: u64) -> Result<Rc<Server>, Unusable> {
    let current = match SERVER.with_borrow(Clone::clone) {
        Some(current) if now < current.keys.until => return Ok(current.server),
        Some(current) => match with_keys_of(now, &current).await {
            Ok(renewed) => Ok(renewed),
            // What was right a moment ago serves better than nothing does.
            Err(cause) => {
                complain(&format!("the keys stay as they were: {cause}"));
                Ok(current)
            }
        },
        None => load(now).await,
    };
    match current {
        Ok(current) => {
            SERVER.set(Some(current.clone()));
            Ok(current.server)
        }
        Err(cause) => {
            complain(&format!("every request is answered with 500: {cause}"));
            Err(Unusable)
        }
    }
}

/// Once per instance.
fn complain(text: &str) {
    if !COMPLAINED.replace(true) {
        eprintln!("attesto: {text}");
    }
}

/// The same server with the keys of `now`.
async fn with_keys_of(now: u64, current: &Current) -> Result<Current, String> {
    let keys = key_set(now).await?;
    let server = if are_same(&keys, &current.keys) {
        Rc::clone(&current.server)
    } else {
        let config = current.server.config.clone();
        Rc::new(Server::new(config, server_keys(&keys)?).map_err(|error| error.to_string())?)
    };
    Ok(Current { server, keys: Rc::new(keys) })
}

async fn key_set(now: u64) -> Result<KeySet, String> {
    keystore::keys(now).await.map_err(|error| format!("keystore: {error:?}"))
}

fn server_keys(set: &KeySet) -> Result<ServerKeys, String> {
    fn shown(key: &Key) -> ServerKey<'_> {
        ServerKey {
            public_jwk: &key.public_jwk,
            alg: &key.alg,
            is_active: matches!(key.status, Status::Active),
        }
    }
    ServerKeys::new(set.keys.iter().map(shown)).map_err(|error| format!("keystore: {error}"))
}

fn are_same(one: &KeySet, other: &KeySet) -> bool {
    let same = |(a, b): (&Key, &Key)| {
        a.kid == b.kid && a.alg == b.alg && a.status == b.status && a.public_jwk == b.public_jwk
    };
    one.keys.len() == other.keys.len() && one.keys.iter().zip(&other.keys).all(same)
}

async fn load(now: u64) -> Result<Current, String> {
    let config = Config::from_toml(&text().await?).map_err(|errors| errors.to_string())?;
    check_mac(&config).await?;
    code_store::configure(config.store.clone()).await.map_err(|cause| format!("stores: {cause}"))?;
    client_store::configure(config.store.clone()).await.map_err(|cause| format!("clients: {cause}"))?;
    let settings = scope_policy::Settings {
        scopes_supported: config.catalog.entries().tokens().to_vec(),
        scope_separator: config.catalog.separator().map(|separator| separator.as_char().to_string()),
    };
    scope_policy::configure(settings).await.map_err(|cause| format!("rules: {cause}"))?;
    let settings = fetcher::Settings { internal_hosts: config.outbound_internal_hosts.clone() };
    fetcher::configure(settings).await.map_err(|cause| format!("outbound: {cause}"))?;
    let keys = key_set(now).await?;
    let server = Server::new(config, server_keys(&keys)?).map_err(|error| error.to_string())?;
    let settings = interaction::Settings {
        store: server.config.store.clone(),
        issuer: server.config.issuer.clone(),
        authorization_path: server.endpoints.authorization.clone(),
        path_prefix: server.endpoints.account.clone(),
    };
    interaction::configure(settings).await.map_err(|cause| format!("people: {cause}"))?;
    Ok(Current { server: Rc::new(server), keys: Rc::new(keys) })
}

/// Has one tag made where the settings need them: a secret that is missing is told now, and not with the first request.
async fn check_mac(config: &Config) -> Result<(), String> {
    if config.dpop.nonces != DpopNonces::Stateless {
        return Ok(());
    }
    match keystore::mac("attesto start".to_owned(), Vec::new()).await {
        Ok(_) => Ok(()),
        Err(error) => Err(format!(
            "stateless DPoP nonces (`dpop_nonce_required`) need a secret, the variable `mac_secret`: keystore: {error:?}"
        )),
    }
}

async fn text() -> Result<String, String> {
    match variables::get(SETTINGS_VARIABLE).await {
        Ok(text) if !text.trim().is_empty() => return Ok(text),
        Ok(_) | Err(variables::Error::Undefined(_) | variables::Error::InvalidName(_)) => {}
        Err(error) => return Err(format!("the variable `{SETTINGS_VARIABLE}` can not be read: {error}")),
    }
    std::fs::read_to_string(SETTINGS_FILE).map_err(|error| {
        format!(
            "neither the variable `{SETTINGS_VARIABLE}` nor the file `{SETTINGS_FILE}` can be read: {error}"
        )
    })
}
