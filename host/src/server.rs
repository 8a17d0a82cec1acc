//! HTTP/1.1 in front of the components.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use attesto_host_guest::{Application, Body, BodyError, Failure};
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::impatient::Impatient;
use crate::log::{Kind, Log};
use crate::read_ahead::{self, ReadError};
use crate::route::{self, Match, Route};

/// The bounds on what the outside can make the host do.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a component may take for a response; then the client gets 504 and the instance is stopped.
    pub request_timeout: Duration,
    /// How many requests are worked on at a time; more of them wait.
    pub in_flight: usize,
    /// How much of a body is read before its request takes a place among those, in bytes. A client that sends such a
    /// body slowly holds no place; of a longer one the component reads the rest.
    pub read_ahead: usize,
    /// How long a client may take to send that much; then it gets 408.
    pub read_ahead_timeout: Duration,
    /// How many bytes of bodies are kept at a time for requests that wait; beyond that a client gets 503.
    pub read_ahead_total: usize,
    /// How many connections are open at a time; more of them wait to be accepted.
    pub connections: usize,
    /// The longest request body, in bytes.
    pub body: usize,
    /// The longest request head, in bytes.
    pub head: usize,
    /// How long a client may take to send a request's head.
    pub head_timeout: Duration,
    /// How long a client may leave unread what it is sent; then the connection is closed.
    pub write_timeout: Duration,
    /// How long requests in flight may go on after shutdown has begun.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            in_flight: 256,
            read_ahead: 64 << 10,
            read_ahead_timeout: Duration::from_secs(10),
            read_ahead_total: 64 << 20,
            connections: 4096,
            body: 16 << 20,
            head: 64 << 10,
            head_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            drain: Duration::from_secs(10),
        }
    }
}

/// How much longer than the client an instance is given, so that a timeout always answers 504.
const GRACE: Duration = Duration::from_millis(100);

impl Limits {
    pub(crate) fn instance_timeout(&self) -> Duration {
        self.request_timeout + GRACE
    }
}

pub(crate) struct Server {
    routes: Vec<Route>,
    components: BTreeMap<String, Application>,
    limits: Limits,
    in_flight: Semaphore,
    /// One permit for each byte that may be kept of bodies.
    room: Arc<Semaphore>,
    log: Log,
}

impl Server {
    pub(crate) fn new(
        routes: Vec<Route>,
        components: BTreeMap<String, Application>,
        limits: Limits,
        log: Log,
    ) -> Self {
        let in_flight = Semaphore::new(limits.in_flight);
        let room = Arc::new(Semaphore::new(limits.read_ahead_total));
        Self { routes, components, limits, in_flight, room, log }
    }

    /// Accepts until `shutdown` is ready, then waits for what is in flight.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let graceful = GracefulShutdown::new();
        let connections = Arc::new(Semaphore::new(self.limits.connections));
        loop {
            let accepted = async {
                let permit = Arc::clone(&connections).acquire_owned().await;
                (permit, listener.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                accepted = accepted => accepted,
                () = &mut shutdown => break,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let connection = graceful.watch(Arc::clone(&self).connection(stream, peer));
                    tokio::spawn(async move {
                        // An error here is the client's: it went away, or does not speak HTTP.
                        let _ = connection.await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    self.log.fault(format_args!("accept: {error}"));
                    // Out of descriptors, most likely: give the connections at work time to end.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        drop(listener);
        if timeout(self.limits.drain, graceful.shutdown()).await.is_err() {
            self.log.fault(format_args!("shutdown: requests still in flight after {:?}", self.limits.drain));
        }
        self.components.values().for_each(Application::close);
    }

    fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
        // A response written in two pieces would otherwise wait for the client's delayed acknowledgement, 40 ms.
        let _ = stream.set_nodelay(true);
        let head = self.limits.head;
        let head_timeout = self.limits.head_timeout;
        let stream = Impatient::new(stream, self.limits.write_timeout);
        let service = service_fn(move |request| {
            let server = Arc::clone(&self);
            async move { Ok::<_, Infallible>(server.logged(peer, request).await) }
        });
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head_timeout)
            // Below this hyper refuses to be configured at all.
            .max_buf_size(head.max(8 << 10))
            .serve_connection(TokioIo::new(stream), service)
    }

    async fn logged(&self, peer: SocketAddr, request: Request<Incoming>) -> Response<Body> {
        let start = Instant::now();
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let response = self.answer(peer, request).await.unwrap_or_else(Refusal::response);
        let status = response.status().as_u16();
        let time = start.elapsed().as_secs_f64() * 1e3;
        // A client chooses the path: nothing of it may move a terminal's cursor or turn its text around.
        let path = path.escape_debug();
        self.log.write(Kind::Request, format_args!("{method} {path} {status} {time:.1}ms {peer}"));
        response
    }

    async fn answer(&self, peer: SocketAddr, request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
        let path = request.uri().path().to_owned();
        let found = route::find(&self.routes, &path).ok_or(Refusal::NotFound)?;
        let handler = self.components.get(&found.route.component).ok_or(Refusal::NotFound)?;
        let request = self.read_ahead(self.prepare(&found, peer, request)?).await?;

        let start = Instant::now();
        let work = async {
            let _permit = self.in_flight.acquire().await;
            handler.handle(request).await
        };
        match timeout(self.limits.request_timeout, work).await {
            Ok(Ok(response)) => Ok(response),
            // Guests that loop on every thread can be stopped before this task learns that its time is up.
            Ok(Err(Failure::Stopped)) if start.elapsed() >= self.limits.request_timeout => {
                Err(Refusal::TimedOut)
            }
            Ok(Err(Failure::Refused | Failure::Stopped)) => Err(Refusal::Failed),
            Err(_) => Err(Refusal::TimedOut),
        }
    }

    /// Waits for the request's body, as far as it is read ahead.
    async fn read_ahead(&self, request: Request<Body>) -> Result<Request<Body>, Refusal> {
        let (parts, body) = request.into_parts();
        let read = read_ahead::read(body, self.limits.read_ahead, &self.room);
        match timeout(self.limits.read_ahead_timeout, read).await {
            Ok(Ok(body)) => Ok(Request::from_parts(parts, body)),
            Ok(Err(ReadError::Body(BodyError::HttpRequestBodySize(_)))) => Err(Refusal::TooLarge),
            Ok(Err(ReadError::Body(_))) => Err(Refusal::BadRequest),
            Ok(Err(ReadError::NoRoom)) => Err(Refusal::NoRoom),
            Err(_) => Err(Refusal::TooSlow),
        }
    }

    /// Turns what came over the wire into what a component gets to see.
    fn prepare(
        &self,
        found: &Match<'_>,
        peer: SocketAddr,
        request: Request<Incoming>,
    ) -> Result<Request<Body>, Refusal> {
        let (mut parts, body) = request.into_parts();
        let authority = authority(&parts.uri, &parts.headers)?;
        let path = parts.uri.path_and_query().cloned().ok_or(Refusal::BadRequest)?;
        // Spin hands components text only.
        if parts.headers.values().any(|value| std::str::from_utf8(value.as_bytes()).is_err()) {
            return Err(Refusal::BadRequest);
        }
        let announced =
            parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > self.limits.body as u64) {
            return Err(Refusal::TooLarge);
        }
        parts.headers.remove(CONNECTION);
        for (name, value) in spin_headers(found, peer, format!("http://{authority}{path}")) {
            let value = HeaderValue::try_from(value).map_err(|_| Refusal::BadRequest)?;
            // Appended after what the client sent under the same name, as Spin does: only the last one counts.
            parts.headers.append(HeaderName::from_static(name), value);
        }
        parts.uri = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(authority)
            .path_and_query(path)
            .build()
            .map_err(|_| Refusal::BadRequest)?;
        let limit = self.limits.body;
        let body = Limited::new(body, limit).map_err(move |error| body_error(error, limit)).boxed_unsync();
        Ok(Request::from_parts(parts, body))
    }
}

fn body_error(error: Box<dyn std::error::Error + Send + Sync>, limit: usize) -> BodyError {
    if error.is::<LengthLimitError>() {
        return BodyError::HttpRequestBodySize(Some(limit as u64));
    }
    match error.downcast::<hyper::Error>() {
        Ok(error) => BodyError::Hyper(*error),
        Err(error) => BodyError::InternalError(Some(error.to_string())),
    }
}

/// The host a request is for; RFC 9112 §3.2 wants exactly one Host, and §3.2.2 the same as an absolute target's.
fn authority(uri: &Uri, headers: &HeaderMap) -> Result<Authority, Refusal> {
    let mut hosts = headers.get_all(HOST).iter();
    let named = match (hosts.next(), hosts.next()) {
        (None, _) => None,
        (Some(host), None) => Some(Authority::try_from(host.as_bytes()).map_err(|_| Refusal::BadRequest)?),
        (Some(_), Some(_)) => return Err(Refusal::BadRequest),
    };
    match (named, uri.authority()) {
        (Some(named), Some(target)) if named != *target => Err(Refusal::BadRequest),
        (Some(named), _) => Ok(named),
        (None, Some(target)) => Ok(target.clone()),
        (None, None) => Err(Refusal::BadRequest),
    }
}

fn spin_headers(found: &Match<'_>, peer: SocketAddr, url: String) -> [(&'static str, String); 7] {
    [
        ("spin-path-info", found.rest.to_owned()),
        ("spin-full-url", url),
        ("spin-matched-route", found.route.raw.clone()),
        ("spin-base-path", "/".to_owned()),
        ("spin-raw-component-route", found.route.raw.clone()),
        ("spin-component-route", found.route.prefix().to_owned()),
        ("spin-client-addr", peer.to_string()),
    ]
}

/// What the host answers by itself, with fixed words.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    BadRequest,
    NotFound,
    TooLarge,
    TooSlow,
    NoRoom,
    Failed,
    TimedOut,
}

impl Refusal {
    fn response(self) -> Response<Body> {
        let (status, text) = match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "bad request\n"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not found\n"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "request body too large\n"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "the request body did not arrive in time\n"),
            Self::NoRoom => (StatusCode::SERVICE_UNAVAILABLE, "too many requests are waiting\n"),
            Self::Failed => (StatusCode::INTERNAL_SERVER_ERROR, "internal server error\n"),
            Self::TimedOut => (StatusCode::GATEWAY_TIMEOUT, "the application took too long\n"),
        };
        let body = Full::from(text).map_err(|never| match never {}).boxed_unsync();
        let mut response = Response::new(body);
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if matches!(self, Self::TooSlow | Self::NoRoom) {
            // Where the next request would begin nobody knows (RFC 9110 §15.5.9).
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
