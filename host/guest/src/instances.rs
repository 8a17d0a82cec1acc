//! The life of instances, as Spin has it: reused for a number of requests, several at a time, gone when idle.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::log::Log;
use crate::one_line;
use crate::state::{Guest, Shared};

/// After how many requests an instance makes room for a fresh one.
const REQUESTS: usize = 128;

/// How many of them it may work on at a time.
const AT_A_TIME: usize = 16;

/// How long it may wait for the next one.
const IDLE: Duration = Duration::from_secs(1);

/// Makes instances of one component.
pub(crate) struct Instances {
    pub(crate) pre: ServicePre<Guest>,
    pub(crate) shared: Shared,
    pub(crate) request_timeout: Duration,
}

impl HandlerState for Instances {
    type StoreData = Guest;
    type WorkerExpiration = Expiration;
    type WorkerState = Life;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Guest, Expiration, Life>> {
        let mut store = Store::new(self.pre.engine(), Guest::new(&self.shared)?);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let started = tokio::time::timeout(self.request_timeout, self.pre.instantiate_async(&mut store));
        let service = started.await.map_err(|_| wasmtime::format_err!("instantiation timed out"))??;
        Ok(Instance {
            store,
            proxy: Proxy::P3(service),
            view: Guest::http_view,
            expiration: Expiration {
                request_timeout: self.request_timeout,
                sleep: Box::pin(tokio::time::sleep(self.request_timeout)),
            },
            state: Life {
                request_timeout: self.request_timeout,
                id: self.shared.id.to_string(),
                log: self.shared.log.clone(),
                closing: Arc::clone(&self.shared.closing),
            },
        })
    }
}

/// When an instance has to go: idle too long, or every request in it is past its time.
pub(crate) struct Expiration {
    request_timeout: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        start: std::time::Instant,
    ) -> Poll<()> {
        let allowed = match status {
            WorkerStatus::Idle => IDLE,
            WorkerStatus::Requests | WorkerStatus::PostReturn => self.request_timeout,
        };
        let deadline = Instant::from_std(start) + allowed;
        if self.sleep.deadline() != deadline {
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().poll(context)
    }
}

/// How many requests an instance takes, and what is said at its end.
pub(crate) struct Life {
    request_timeout: Duration,
    id: String,
    log: Log,
    closing: Arc<AtomicBool>,
}

impl WorkerState for Life {
    type StoreData = Guest;
    type RequestData = ();

    fn should_accept_request(&self, concurrent_count: usize, total_count: usize) -> ShouldAccept {
        match (concurrent_count, total_count) {
            (_, REQUESTS..) => ShouldAccept::Never,
            (AT_A_TIME.., _) => ShouldAccept::No,
            _ => ShouldAccept::Yes,
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, Guest>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        Box::pin(tokio::time::sleep(self.request_timeout))
    }

    fn drop(&self, store: Store<Guest>, result: Result<(), wasmtime::Error>) {
        drop(store);
        // At the end of the process the runtime drops instances that were waiting, which wasmtime takes for a panic.
        let dropped = self.closing.load(Ordering::Relaxed) && !std::thread::panicking();
        if let Err(error) = result
            && !dropped
        {
            self.log.fault(format_args!("[{}] instance stopped: {}", self.id, one_line(&error)));
        }
    }
}
