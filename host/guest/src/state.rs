//! What one instance of a component carries, and how its imports are linked to the host.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime::Engine;
use wasmtime::component::{Accessor, Component, HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::bindings::spin::variables::variables;
use crate::key_value::{KeyValue, Stores, View};
use crate::log::{Kind, Log};
use crate::outbound::Outbound;
use crate::{Grants, Variables, variable_name};

/// What every instance of one component shares.
pub(crate) struct Shared {
    pub(crate) id: Arc<str>,
    stores: Stores,
    variables: Variables,
    outbound: Outbound,
    files: Option<PathBuf>,
    pub(crate) log: Log,
    /// No more requests come, and instances that wait for one may be dropped.
    pub(crate) closing: Arc<AtomicBool>,
}

impl Shared {
    pub(crate) fn new(grants: Grants) -> Self {
        Self {
            id: grants.id.into(),
            stores: Stores { labels: Arc::new(grants.stores), database: grants.database },
            variables: grants.variables,
            outbound: Outbound { allowed: Arc::new(grants.allowed_hosts), trust: grants.trust },
            files: grants.files,
            log: grants.log,
            closing: Arc::default(),
        }
    }
}

/// The data of one instance's store.
pub(crate) struct Guest {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    stores: Stores,
    variables: Variables,
}

impl Guest {
    pub(crate) fn new(shared: &Shared) -> wasmtime::Result<Self> {
        let mut wasi = WasiCtxBuilder::new();
        // No network: the sockets interfaces are linked, and refuse. No environment, no arguments.
        wasi.stdout(Output::new(shared)).stderr(Output::new(shared));
        if let Some(files) = &shared.files {
            wasi.preopened_dir(files, "/", FsPerms::ReadOnly)?;
        }
        Ok(Self {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outbound: shared.outbound.clone(),
            stores: shared.stores.clone(),
            variables: shared.variables.clone(),
        })
    }

    fn key_value(&mut self) -> View<'_> {
        View { stores: &self.stores, table: &mut self.table }
    }

    pub(crate) fn http_view(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outbound, table: &mut self.table, ctx: &mut self.http }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.http_view()
    }
}

/// Links everything the host gives. What else a component imports fails when it is pre-instantiated.
pub(crate) fn linker(
    engine: &Engine,
    component: &Component,
    withheld: &str,
) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::<Guest>::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;

    let view = Guest::key_value;
    crate::bindings::wasi::keyvalue::store::add_to_linker::<_, KeyValue>(&mut linker, view)?;
    crate::bindings::wasi::keyvalue::atomics::add_to_linker::<_, KeyValue>(&mut linker, view)?;
    crate::bindings::wasi::keyvalue::batch::add_to_linker::<_, KeyValue>(&mut linker, view)?;
    crate::bindings::spin::key_value::key_value::add_to_linker::<_, KeyValue>(&mut linker, view)?;
    variables::add_to_linker::<_, Values>(&mut linker, |guest| Known(&guest.variables))?;
    link_withheld(engine, component, withheld, &mut linker)?;
    Ok(linker)
}

/// Answers the stand-in for `wasi:filesystem/preopens` with no directories.
fn link_withheld(
    engine: &Engine,
    component: &Component,
    withheld: &str,
    linker: &mut Linker<Guest>,
) -> wasmtime::Result<()> {
    for (name, _) in component.component_type().imports(engine) {
        if name.starts_with(withheld) {
            linker.instance(name)?.func_wrap("get-directories", |_, (): ()| {
                Ok((Vec::<(Resource<wasmtime_wasi::filesystem::Descriptor>, String)>::new(),))
            })?;
        }
    }
    Ok(())
}

/// The variables of one component.
struct Known<'a>(&'a Variables);

struct Values;

impl HasData for Values {
    type Data<'a> = Known<'a>;
}

impl variables::Host for Known<'_> {}

impl<T: Send> variables::HostWithStore<T> for Values {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, variables::Error>> {
        if !variable_name::is_valid(&name) {
            return Ok(Err(variables::Error::InvalidName(name)));
        }
        let value = accessor.with(|mut access| access.get().0.get(&name));
        Ok(value.ok_or(variables::Error::Undefined(name)))
    }
}

/// What a guest prints, line by line into the log under the component's id.
#[derive(Clone)]
struct Output {
    id: Arc<str>,
    log: Log,
    line: Arc<Mutex<Vec<u8>>>,
}

/// Control characters would let a guest forge lines or steer a terminal.
fn printable(line: &[u8]) -> String {
    String::from_utf8_lossy(line).replace(|letter: char| letter.is_control() && letter != '\t', "\u{fffd}")
}

/// A line longer than this is cut, so that a guest cannot fill the host's memory with one.
const LONGEST_LINE: usize = 8 * 1024;

impl Output {
    fn new(shared: &Shared) -> Self {
        Self { id: Arc::clone(&shared.id), log: shared.log.clone(), line: Arc::default() }
    }

    fn take(&self, bytes: &[u8]) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        for &byte in bytes {
            if byte == b'\n' || line.len() >= LONGEST_LINE {
                self.log.write(Kind::Guest, format_args!("[{}] {}", self.id, printable(&line)));
                line.clear();
            }
            if byte != b'\n' {
                line.push(byte);
            }
        }
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
