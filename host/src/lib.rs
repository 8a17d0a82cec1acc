//! Runs a Spin application of composed WebAssembly components inside one process.
//!
//! [`Host::load`] reads `spin.toml`, refuses what it does not understand and what a part may not do, composes each
//! component with its parts and compiles it; [`Host::serve`] answers HTTP with it. The components get what Spin 4.1
//! would give them and nothing else.

pub mod capabilities;
pub mod compose;
mod error;
mod files;
mod impatient;
pub mod manifest;
mod read_ahead;
pub mod route;
mod server;
pub mod variables;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use attesto_host_guest::{FileStore, KeyValueFile, Location, log, outbound};
pub use error::LoadError;
pub use server::Limits;

use attesto_host_guest::{self as guest, Application, Database, Engine, Grants};
use log::Log;
use manifest::Manifest;
use outbound::AllowedHost;
use server::Server;
use variables::Variables;

/// What the operator decides beside the manifest.
#[derive(Debug, Clone)]
pub struct Options {
    /// Values of application variables; they come before `SPIN_VARIABLE_<NAME>` and the manifest's defaults.
    pub variables: BTreeMap<String, String>,
    /// Where the key-value stores live.
    pub key_value: Location,
    /// Where compiled components are kept for the next start: a directory that only this user may write to, made when
    /// missing. `None` compiles at every start.
    pub cache: Option<PathBuf>,
    /// The bounds on what the outside can make the host do.
    pub limits: Limits,
    /// Where lines go.
    pub log: Log,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            variables: BTreeMap::new(),
            key_value: Location::Memory,
            cache: None,
            limits: Limits::default(),
            log: Log::stderr(),
        }
    }
}

/// An application, composed and compiled, ready to serve.
pub struct Host {
    server: Arc<Server>,
    manifest: Manifest,
    /// What each component reads of its variables.
    variables: BTreeMap<String, guest::Variables>,
    /// The copies of mounted files; removed with the host.
    _files: Vec<TempDir>,
}

/// Checks a manifest as far as that goes without running it: keys, variables, and what each part imports.
///
/// # Errors
/// The first thing that would keep [`Host::load`] from succeeding.
pub fn check(manifest: &Path, given: &BTreeMap<String, String>) -> Result<Manifest, LoadError> {
    let manifest = Manifest::read(manifest)?;
    let variables = Variables::resolve(&manifest, given, environment)?;
    for (id, component) in &manifest.components {
        compose::compose(id, component)?;
        component_variables(id, component, &variables)?;
        allowed_hosts(id, component, &variables)?;
        files::collect(id, &component.files, &manifest.directory)?;
    }
    Ok(manifest)
}

/// The file that a component of the application sees as `/name`, read from where the manifest mounts it; `None` when
/// there is none.
///
/// # Errors
/// What would keep [`Host::load`] from mounting the component's files.
pub fn mounted_file(manifest: &Manifest, id: &str, name: &str) -> Result<Option<Vec<u8>>, LoadError> {
    let Some(component) = manifest.components.get(id) else { return Ok(None) };
    let Some(root) = files::collect(id, &component.files, &manifest.directory)? else { return Ok(None) };
    let path = root.path().join(name);
    if path.is_file() { error::read(&path).map(Some) } else { Ok(None) }
}

impl Host {
    /// Reads, checks, composes and compiles an application.
    ///
    /// # Errors
    /// [`LoadError`] naming what to change.
    pub fn load(manifest: &Path, options: Options) -> Result<Self, LoadError> {
        let manifest = Manifest::read(manifest)?;
        let variables = Variables::resolve(&manifest, &options.variables, environment)?;
        let composed = manifest
            .components
            .iter()
            .map(|(id, component)| compose::compose(id, component).map(|wasm| (id, component, wasm)))
            .collect::<Result<Vec<_>, _>>()?;

        let database = Database::open(&options.key_value)
            .map_err(|cause| LoadError::KeyValue { location: options.key_value.to_string(), cause })?;
        let engine = engine_for(&manifest, &options)?;
        let mut files = Vec::new();
        let mut components = BTreeMap::new();
        let mut live = BTreeMap::new();
        for (id, component, wasm) in composed {
            let its_variables = guest::Variables::new(component_variables(id, component, &variables)?);
            live.insert(id.clone(), its_variables.clone());
            let mounted = files::collect(id, &component.files, &manifest.directory)?;
            let grants = Grants {
                id: id.clone(),
                stores: component.key_value_stores.clone(),
                database: database.clone(),
                variables: its_variables,
                allowed_hosts: allowed_hosts(id, component, &variables)?,
                files: mounted.as_ref().map(|directory| directory.path().to_owned()),
                log: options.log.clone(),
            };
            files.extend(mounted);
            let timeout = options.limits.instance_timeout();
            let application =
                Application::compile(&engine, &wasm, compose::WITHHELD_PREOPENS, grants, timeout)
                    .map_err(|cause| LoadError::component(id, cause))?;
            components.insert(id.clone(), application);
        }
        let server = Server::new(manifest.routes.clone(), components, options.limits, options.log);
        Ok(Self { server: Arc::new(server), manifest, variables: live, _files: files })
    }

    /// Gives the components other values for their variables, all or none. Running instances see them when they ask
    /// again; the hosts a component may call stay as they were.
    ///
    /// # Errors
    /// What would have kept [`Host::load`] from succeeding with these values.
    pub fn set_variables(&self, given: &BTreeMap<String, String>) -> Result<(), LoadError> {
        let variables = Variables::resolve(&self.manifest, given, environment)?;
        let mut values = Vec::new();
        for (id, live) in &self.variables {
            if let Some(component) = self.manifest.components.get(id) {
                values.push((live, component_variables(id, component, &variables)?));
            }
        }
        for (live, values) in values {
            live.replace(values);
        }
        Ok(())
    }

    /// Serves on a listener until `shutdown` is ready and the requests in flight are answered.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        Arc::clone(&self.server).serve(listener, shutdown).await;
    }

    /// Serves in the background, until [`Running::stop`].
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(self, address: SocketAddr) -> std::io::Result<Running> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let shutdown = async {
                // A dropped `Running` stops the server as well.
                let _ = stopped.await;
            };
            self.serve(listener, shutdown).await;
        });
        Ok(Running { address, stop, task })
    }
}

/// A host that serves in the background.
pub struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, and waits for the requests in flight.
    pub async fn stop(self) {
        // The other end is gone when the task has ended already.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn engine_for(manifest: &Manifest, options: &Options) -> Result<Engine, LoadError> {
    let parts =
        manifest.components.values().map(|component| component.dependencies.len() + 1).max().unwrap_or(1);
    // Instances that only finish work after their response do not count as in flight.
    let instances = options.limits.in_flight.saturating_mul(2);
    let bounded = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Engine::new(bounded(instances), bounded(parts), options.cache.clone()).map_err(LoadError::Engine)
}

fn component_variables(
    id: &str,
    component: &manifest::Component,
    variables: &Variables,
) -> Result<BTreeMap<String, String>, LoadError> {
    let expand = |(name, template): (&String, &String)| {
        let key = format!("component.{id}.variables.{name}");
        Ok((name.clone(), variables.expand(&key, template)?))
    };
    component.variables.iter().map(expand).collect()
}

fn allowed_hosts(
    id: &str,
    component: &manifest::Component,
    variables: &Variables,
) -> Result<Vec<AllowedHost>, LoadError> {
    let key = format!("component.{id}.allowed_outbound_hosts");
    let parse = |entry: &String| {
        let entry = variables.expand(&key, entry)?;
        AllowedHost::parse(&entry).map_err(|problem| LoadError::key(&key, problem))
    };
    component.allowed_outbound_hosts.iter().map(parse).collect()
}
