//! Envoy's callbacks and every call to Envoy.
//!
//! The SDK's typed getters panic on octets that are not UTF-8, so only the octet forms are used. Envoy runs the effects
//! of `send_http_response` and `resume_http_request` after the callback has returned, which makes it safe to answer
//! requests other than the one whose callback runs.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use attesto::jose::jwk::MAX_SET_LEN;
use attesto::jose::{JwkSet, NumericDate};
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, BufferType, Bytes, ContextType, LogLevel, MapType};

use crate::config::{FilterConfig, ServiceConfig};
use crate::gate::{Decision, Edits, Keys, Reply, decide, forged};
use crate::keys::{self, Schedule, State};

/// How often the service looks at its schedule.
const SERVICE_TICK: Duration = Duration::from_millis(250);

/// How often a filter with waiting requests looks for news.
const WAITING_TICK: Duration = Duration::from_millis(10);

/// Requests that may wait in one worker. One more is refused at once: waiting must not become a way to fill memory.
const MAX_WAITING: usize = 256;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(proxy_wasm::types::LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Undecided(None)));
}}

/// A root context that learns from its `root_id` which part it plays.
struct Undecided(Option<Box<dyn RootContext>>);

impl Context for Undecided {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize, trailers: usize) {
        if let Some(root) = &mut self.0 {
            root.on_http_call_response(token, headers, body, trailers);
        }
    }
}

impl RootContext for Undecided {
    fn on_configure(&mut self, size: usize) -> bool {
        let settings = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size).ok().flatten();
        let settings = settings.unwrap_or_default();
        let root_id = property("plugin_root_id");
        let root: Result<Box<dyn RootContext>, String> = match root_id.as_slice() {
            b"filter" => FilterRoot::new(&settings).map(|root| Box::new(root) as _),
            b"service" => ServiceRoot::new(&settings).map(|root| Box::new(root) as _),
            _ => Err("root_id must be `filter` or `service`".to_owned()),
        };
        match root {
            Ok(root) => {
                self.0 = Some(root);
                true
            }
            Err(error) => {
                log(LogLevel::Critical, &error);
                false
            }
        }
    }

    fn on_tick(&mut self) {
        if let Some(root) = &mut self.0 {
            root.on_tick();
        }
    }

    fn on_queue_ready(&mut self, queue: u32) {
        if let Some(root) = &mut self.0 {
            root.on_queue_ready(queue);
        }
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        match &self.0 {
            Some(root) => root.create_http_context(id),
            None => Some(Box::new(Closed)),
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// Stands where no filter could be configured; nothing passes.
struct Closed;

impl Context for Closed {}

impl HttpContext for Closed {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        answer(&Reply::without_keys(1));
        Action::Pause
    }
}

/// The service: fetches the issuer's keys for all filters.
struct ServiceRoot {
    config: ServiceConfig,
    schedule: Schedule,
}

impl ServiceRoot {
    fn new(settings: &[u8]) -> Result<Self, String> {
        let config = ServiceConfig::from_json(settings).map_err(|error| error.to_string())?;
        let state = State::decode(shared(keys::STATE).as_deref());
        hostcalls::register_shared_queue(keys::REQUESTS).map_err(|_| "no shared queue")?;
        // The first fetch is left to the first tick: clusters are not up yet when Envoy configures its extensions.
        hostcalls::set_tick_period(SERVICE_TICK).map_err(|_| "no timer")?;
        let schedule = Schedule::new(config.refresh_seconds, config.min_refresh_seconds, state);
        Ok(Self { config, schedule })
    }

    fn fetch(&mut self) {
        let source = &self.config.jwks;
        let headers = vec![
            (":method", "GET"),
            (":path", source.path.as_str()),
            (":authority", source.authority.as_str()),
            ("accept", "application/jwk-set+json, application/json"),
        ];
        let timeout = Duration::from_secs(source.timeout_seconds);
        self.schedule.started();
        if hostcalls::dispatch_http_call(&source.cluster, headers, None, vec![], timeout).is_err() {
            self.finish(None);
        }
    }

    fn finish(&mut self, document: Option<Bytes>) {
        let (state, news) = self.schedule.finished(now_milliseconds(), document);
        match news {
            Ok(Some(document)) => {
                share(keys::DOCUMENT, document);
                log(LogLevel::Info, &format!("the issuer's keys: version {}", state.version));
            }
            Ok(None) => {}
            Err(error) => log(LogLevel::Warn, &error.to_string()),
        }
        // After the document: a filter that sees the new version finds the new document.
        share(keys::STATE, &state.encode());
    }
}

impl Context for ServiceRoot {
    fn on_http_call_response(&mut self, _: u32, headers: usize, body: usize, _: usize) {
        // Envoy reports a failed call as one without headers.
        let status = if headers == 0 { None } else { response_status() };
        let document = match status {
            Some(200) if body <= MAX_SET_LEN => {
                hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, body).ok().flatten()
            }
            _ => None,
        };
        self.finish(document);
    }
}

impl RootContext for ServiceRoot {
    fn on_tick(&mut self) {
        if self.schedule.is_due(now_milliseconds()) {
            self.fetch();
        }
    }

    fn on_queue_ready(&mut self, queue: u32) {
        // One fetch serves all who have asked.
        while let Ok(Some(_)) = hostcalls::dequeue_shared_queue(queue) {}
        if self.schedule.is_allowed(now_milliseconds()) {
            self.fetch();
        }
    }
}

/// What the requests of one worker share.
struct Worker {
    config: FilterConfig,
    keys: Keys,
    version: u64,
    waiting: Vec<Waiting>,
    /// The attempt after which a fetch has been asked for; asking once is enough.
    asked_after: Option<u64>,
}

/// A paused request.
struct Waiting {
    context: u32,
    after_attempt: u64,
    deadline: u64,
}

impl Worker {
    /// Reads the keys if there are newer ones.
    fn refresh(&mut self) -> State {
        let state = State::decode(shared(keys::STATE).as_deref());
        if state.version != self.version {
            // The service has checked the document before it shared it.
            let document = shared(keys::DOCUMENT).unwrap_or_default();
            match JwkSet::from_json(&document) {
                Ok(keys) => (self.keys, self.version) = (Keys::new(keys), state.version),
                Err(error) => log(LogLevel::Error, &format!("shared keys: {error}")),
            }
        }
        state
    }

    fn decide(&mut self) -> Decision {
        let headers = hostcalls::get_map_bytes(MapType::HttpRequestHeaders).unwrap_or_default();
        decide(&self.config, &headers, &mut self.keys, NumericDate::from_secs(now_milliseconds() / 1_000))
    }

    /// Whether the request may wait for fresher keys; asks for them if nobody has.
    fn wait(&mut self, context: u32, state: State) -> bool {
        let now = now_milliseconds();
        if now < state.next_allowed || self.waiting.len() >= MAX_WAITING || self.config.key_wait.is_zero() {
            return false;
        }
        if self.asked_after != Some(state.attempts) {
            if !ask_for_keys() {
                return false;
            }
            self.asked_after = Some(state.attempts);
        }
        if self.waiting.is_empty() && hostcalls::set_tick_period(WAITING_TICK).is_err() {
            return false;
        }
        let deadline = now.saturating_add(self.config.key_wait.as_millis() as u64);
        self.waiting.push(Waiting { context, after_attempt: state.attempts, deadline });
        true
    }

    /// The last word on a request whose key is not there.
    fn without_key(&self, reply: Reply, state: State) -> Reply {
        if self.version > 0 {
            return reply;
        }
        let wait = state.next_allowed.saturating_sub(now_milliseconds());
        Reply::without_keys(wait.div_ceil(1_000))
    }

    /// Takes up the requests for which a fetch has ended, or whose patience has.
    fn take_up_waiting(&mut self) {
        let state = self.refresh();
        let now = now_milliseconds();
        let is_over = |waiting: &Waiting| state.attempts != waiting.after_attempt || now >= waiting.deadline;
        let (over, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(is_over);
        self.waiting = waiting;
        if self.waiting.is_empty() {
            // Zero stops the timer.
            let _ = hostcalls::set_tick_period(Duration::ZERO);
        }
        let over: Vec<Waiting> = over;
        for Waiting { context, .. } in over {
            if hostcalls::set_effective_context(context).is_err() {
                continue;
            }
            match self.decide() {
                Decision::Forward(edits) => {
                    apply(&edits);
                    let _ = hostcalls::resume_http_request();
                }
                Decision::Answer(reply) => answer(&reply),
                Decision::NeedsKey(reply) => answer(&self.without_key(reply, state)),
            }
        }
    }
}

/// The filter of one worker.
struct FilterRoot(Rc<RefCell<Worker>>);

impl FilterRoot {
    fn new(settings: &[u8]) -> Result<Self, String> {
        let config = FilterConfig::from_json(settings).map_err(|error| error.to_string())?;
        let worker = Worker {
            config,
            keys: Keys::new(JwkSet::default()),
            version: 0,
            waiting: Vec::new(),
            asked_after: None,
        };
        Ok(Self(Rc::new(RefCell::new(worker))))
    }
}

impl Context for FilterRoot {}

impl RootContext for FilterRoot {
    fn on_tick(&mut self) {
        if let Ok(mut worker) = self.0.try_borrow_mut() {
            worker.take_up_waiting();
        }
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Filter { id, worker: Rc::clone(&self.0) }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// The filter of one request.
struct Filter {
    id: u32,
    worker: Rc<RefCell<Worker>>,
}

impl Context for Filter {
    fn on_done(&mut self) -> bool {
        // The client may have gone while its request waited.
        if let Ok(mut worker) = self.worker.try_borrow_mut() {
            worker.waiting.retain(|waiting| waiting.context != self.id);
        }
        true
    }
}

impl HttpContext for Filter {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let Ok(mut worker) = self.worker.try_borrow_mut() else {
            // Callbacks of one worker do not nest; were they to, nothing would pass.
            answer(&Reply::without_keys(1));
            return Action::Pause;
        };
        let state = worker.refresh();
        match worker.decide() {
            Decision::Forward(edits) => {
                apply(&edits);
                return Action::Continue;
            }
            Decision::Answer(reply) => answer(&reply),
            Decision::NeedsKey(reply) => {
                if !worker.wait(self.id, state) {
                    answer(&worker.without_key(reply, state));
                }
            }
        }
        Action::Pause
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        let trailers = hostcalls::get_map_bytes(MapType::HttpRequestTrailers).unwrap_or_default();
        if let Ok(worker) = self.worker.try_borrow() {
            for name in forged(&worker.config, trailers.iter().map(|(name, _)| name.as_str())) {
                let _ = hostcalls::remove_map_value(MapType::HttpRequestTrailers, &name);
            }
        }
        Action::Continue
    }
}

fn apply(edits: &Edits) {
    for name in &edits.remove {
        let _ = hostcalls::remove_map_value(MapType::HttpRequestHeaders, name);
    }
    for (name, value) in &edits.set {
        let _ = hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name, Some(value.as_bytes()));
    }
}

fn answer(reply: &Reply) {
    log(LogLevel::Info, &format!("{}: {}", reply.status, reply.reason));
    let headers = reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let _ = hostcalls::send_http_response(reply.status.into(), headers, Some(reply.body.as_bytes()));
}

/// Wakes the service; `false` if there is none yet.
fn ask_for_keys() -> bool {
    let vm_id = property("plugin_vm_id");
    let Ok(vm_id) = std::str::from_utf8(&vm_id) else { return false };
    match hostcalls::resolve_shared_queue(vm_id, keys::REQUESTS) {
        Ok(Some(queue)) => hostcalls::enqueue_shared_queue(queue, Some(b"1")).is_ok(),
        _ => false,
    }
}

fn response_status() -> Option<u16> {
    let status = hostcalls::get_map_value_bytes(MapType::HttpCallResponseHeaders, ":status").ok()??;
    std::str::from_utf8(&status).ok()?.parse().ok()
}

fn property(name: &str) -> Bytes {
    hostcalls::get_property(vec![name]).ok().flatten().unwrap_or_default()
}

fn shared(name: &str) -> Option<Bytes> {
    hostcalls::get_shared_data(name).ok()?.0
}

fn share(name: &str, value: &[u8]) {
    // Without a version to compare with there is nothing that could conflict.
    let _ = hostcalls::set_shared_data(name, Some(value), None);
}

fn log(level: LogLevel, message: &str) {
    let _ = hostcalls::log(level, message);
}

/// Should the host have no clock, it is late: everything has expired.
fn now_milliseconds() -> u64 {
    let now = hostcalls::get_current_time().ok().and_then(|now| now.duration_since(UNIX_EPOCH).ok());
    now.and_then(|now| u64::try_from(now.as_millis()).ok()).unwrap_or(u64::MAX)
}
