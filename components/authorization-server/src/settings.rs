//! Settings and keys, read and validated once per instance.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use attesto::config::Config;
use attesto::keys::ServerKeys;
use attesto::server::Server;
use spin_sdk::variables;

use crate::bindings::attesto::clients::client_store;
use crate::bindings::attesto::keystore::keystore;
use crate::bindings::attesto::people::interaction;
use crate::bindings::attesto::rules::scope_policy;
use crate::bindings::attesto::stores::code_store;

/// Where the manifest's `files` mount the settings.
const SETTINGS_FILE: &str = "/attesto.toml";
/// The variable that may hold the same text instead.
const SETTINGS_VARIABLE: &str = "attesto_toml";

thread_local! {
    static SERVER: RefCell<Option<Rc<Server>>> = const { RefCell::new(None) };
    static COMPLAINED: Cell<bool> = const { Cell::new(false) };
}

/// The server can not answer; the log says why.
#[derive(Debug)]
pub(crate) struct Unusable;

/// The server of this instance.
pub(crate) async fn server() -> Result<Rc<Server>, Unusable> {
    if let Some(server) = SERVER.with_borrow(Clone::clone) {
        return Ok(server);
    }
    match load().await {
        Ok(server) => {
            let server = Rc::new(server);
            SERVER.set(Some(Rc::clone(&server)));
            Ok(server)
        }
        Err(cause) => {
            if !COMPLAINED.replace(true) {
                eprintln!("attesto: every request is answered with 500: {cause}");
            }
            Err(Unusable)
        }
    }
}

async fn load() -> Result<Server, String> {
    let config = Config::from_toml(&text().await?).map_err(|errors| errors.to_string())?;
    code_store::configure(config.store.clone()).await.map_err(|cause| format!("stores: {cause}"))?;
    client_store::configure(config.store.clone()).await.map_err(|cause| format!("clients: {cause}"))?;
    let settings = scope_policy::Settings {
        scopes_supported: config.catalog.entries().tokens().to_vec(),
        scope_separator: config.catalog.separator().map(|separator| separator.as_char().to_string()),
    };
    scope_policy::configure(settings).await.map_err(|cause| format!("rules: {cause}"))?;
    let jwks = keystore::keys().await.map_err(|error| format!("keystore: {error:?}"))?;
    let keys = ServerKeys::from_public_jwks(jwks.iter().map(|key| key.public_jwk.as_str()))
        .map_err(|error| format!("keystore: {error}"))?;
    let server = Server::new(config, keys).map_err(|error| error.to_string())?;
    let settings = interaction::Settings {
        store: server.config.store.clone(),
        issuer: server.config.issuer.clone(),
        authorization_path: server.endpoints.authorization.clone().unwrap_or_default(),
        path_prefix: server.endpoints.account.clone().unwrap_or_default(),
    };
    interaction::configure(settings).await.map_err(|cause| format!("people: {cause}"))?;
    Ok(server)
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
