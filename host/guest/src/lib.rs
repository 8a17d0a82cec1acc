//! The WebAssembly side of Attesto's embedded host: what instances are made of, how long they live, what they may call.
//!
//! A crate of its own because wasmtime's linking is generic over the store's data: here it is compiled once, and a
//! change to the manifest, the composition or the server does not compile it again.

mod bindings;
mod cache;
mod engine;
mod instances;
mod key_value;
pub mod log;
pub mod outbound;
mod state;
mod variable_name;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{Request, Response};
use wasmtime_wasi_http::handler::{ExpirationError, ProxyHandler, TrapOrPanicError};
use wasmtime_wasi_http::p3::bindings::ServicePre;

pub use key_value::{Database, FileStore, KeyValueFile, Location};
/// What goes wrong with a body, in either direction.
pub use wasmtime_wasi_http::Error as BodyError;
/// A request's or response's body.
pub use wasmtime_wasi_http::WasiBody as Body;

use instances::Instances;
use log::Log;
use outbound::{AllowedHost, Trust};

/// The engine that compiles and runs components.
pub struct Engine {
    engine: wasmtime::Engine,
    cache: Option<PathBuf>,
}

impl Engine {
    /// For at most `instances` instances at a time, of applications of at most `parts` components each. What it compiles
    /// it keeps in `cache`, a directory that only this user may write to: compiled code is trusted.
    ///
    /// # Errors
    /// Why this machine cannot have one.
    pub fn new(instances: u32, parts: u32, cache: Option<PathBuf>) -> Result<Self, String> {
        let engine = engine::engine(instances, parts).map_err(|error| one_line(&error))?;
        Ok(Self { engine, cache })
    }
}

/// What one application component may use.
pub struct Grants {
    /// The component's id, for the log.
    pub id: String,
    /// The labels of the key-value stores it may open.
    pub stores: BTreeSet<String>,
    /// Where they live.
    pub database: Database,
    /// The variables it may read.
    pub variables: Variables,
    /// The hosts it may call.
    pub allowed_hosts: Vec<AllowedHost>,
    /// Whom these hosts' certificates must be from.
    pub trust: Trust,
    /// The directory it sees as its root, read-only.
    pub files: Option<PathBuf>,
    /// Where its lines go.
    pub log: Log,
}

/// The variables of one component, which may change while it runs: the next `get` sees the new value, as it does of
/// Spin's providers that ask a vault. `Debug` elides them: some are private keys.
#[derive(Clone, Default)]
pub struct Variables(Arc<RwLock<BTreeMap<String, String>>>);

impl Variables {
    /// These values.
    #[must_use]
    pub fn new(values: BTreeMap<String, String>) -> Self {
        Self(Arc::new(RwLock::new(values)))
    }

    /// Puts other values in their place.
    pub fn replace(&self, values: BTreeMap<String, String>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = values;
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Variables").finish_non_exhaustive()
    }
}

/// A compiled component whose instances come and go with the requests.
pub struct Application(ProxyHandler<Instances>);

/// Why there is no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The instance was stopped, by a trap or by a timeout; the log has the cause.
    Stopped,
    /// The component answered with an error instead of a response, or could not be instantiated; the log has the cause.
    Refused,
}

impl Application {
    /// Compiles a component and links it. `withheld` is how the names of imports start that stand for
    /// `wasi:filesystem/preopens` and are answered with nothing.
    ///
    /// # Errors
    /// Why it cannot run: it is no service, or imports what this host does not have.
    pub fn compile(
        engine: &Engine,
        wasm: &[u8],
        withheld: &str,
        grants: Grants,
        request_timeout: Duration,
    ) -> Result<Self, String> {
        let prepare = || {
            let component = cache::compile(&engine.engine, wasm, engine.cache.as_deref())?;
            let linker = state::linker(&engine.engine, &component, withheld)?;
            ServicePre::new(linker.instantiate_pre(&component)?)
        };
        let pre = prepare().map_err(|error| one_line(&error))?;
        Ok(Self(ProxyHandler::new(Instances { pre, shared: state::Shared::new(grants), request_timeout })))
    }

    /// Says that no more requests will come.
    pub fn close(&self) {
        self.0.state().shared.closing.store(true, Ordering::Relaxed);
    }

    /// Has an instance answer a request. There is no limit to how many may wait: the caller sets one.
    pub fn handle(
        &self,
        request: Request<Body>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Body>, Failure>> + Send + '_>> {
        Box::pin(async move {
            self.0.handle((), request).await.map_err(|error| {
                if error.is::<TrapOrPanicError>()
                    || error.is::<ExpirationError>()
                    || error.is::<wasmtime::Trap>()
                {
                    return Failure::Stopped;
                }
                let shared = &self.0.state().shared;
                shared.log.fault(format_args!("[{}] no response: {}", shared.id, one_line(&error)));
                Failure::Refused
            })
        })
    }
}

/// An error and its causes on one line, the wasm frames included.
fn one_line(error: &wasmtime::Error) -> String {
    let text = format!("{error:#}");
    text.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" | ")
}
