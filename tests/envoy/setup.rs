//! An Envoy with the filter, an issuer that publishes keys and nothing else, and an API that echoes what it gets.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use test_support::attesto::component;
use test_support::bearer::World;
use test_support::http::{Received, Request, Response, Server};
use test_support::process::{Process, free_ports, wait_until};
use test_support::{envoy, project_root, target_dir};

const START_LIMIT: Duration = Duration::from_secs(60);

/// Two fetches of keys lie this far apart at least, and when nobody asks for them so far.
pub(crate) const MIN_REFRESH: Duration = Duration::from_secs(1);
const REFRESH: Duration = Duration::from_secs(600);

/// Everything between a client and an API. It all ends when this is dropped.
pub(crate) struct Gateway {
    pub(crate) world: World,
    pub(crate) port: u16,
    envoy: Process,
    issuer: Issuer,
    _api: Server,
}

/// The issuer, which can be silent, slow, and of changing mind.
pub(crate) struct Issuer {
    port: u16,
    answer: Arc<Mutex<(u16, String)>>,
    delay: Arc<AtomicU64>,
    fetches: Arc<AtomicUsize>,
    server: Option<Server>,
}

/// What the API saw of a request.
pub(crate) struct Echo(Value);

impl Gateway {
    /// Starts it all and waits until a good token passes.
    pub(crate) fn start(name: &str) -> Self {
        let mut gateway = Self::start_without_issuer(name);
        gateway.issuer.appear();
        let token = gateway.world.good_token();
        wait_until("a good token passes", START_LIMIT, || gateway.with_token(&token).status == 200);
        gateway
    }

    /// Starts it with nobody listening where the issuer should be.
    pub(crate) fn start_without_issuer(name: &str) -> Self {
        let world = World::new();
        let [port, admin, api, issuer] = free_ports();
        let configuration = configuration(name, &world, [port, admin, api, issuer]);
        let executable = envoy::locate().unwrap_or_else(|error| panic!("{error}"));
        component("envoy_filter");
        let api = Server::start(api, |received| (200, "application/json", echo(received)));
        let log = target_dir().join("envoy-tests").join(format!("{name}.log"));
        let mut envoy = Process::start(&mut envoy::command(&executable, &configuration), &log);
        envoy.wait_for_port(port, START_LIMIT);
        let issuer = Issuer {
            port: issuer,
            answer: Arc::new(Mutex::new((200, world.jwks()))),
            delay: Arc::default(),
            fetches: Arc::default(),
            server: None,
        };
        Self { world, port, envoy, issuer, _api: api }
    }

    pub(crate) fn issuer(&mut self) -> &mut Issuer {
        &mut self.issuer
    }

    /// Asks for `/orders` with this token.
    pub(crate) fn with_token(&self, token: &str) -> Response {
        Request::get("/orders").header("authorization", format!("Bearer {token}")).send(self.port)
    }

    /// Asks for a path with a good token.
    pub(crate) fn at(&self, path: impl AsRef<[u8]>) -> Request {
        Request::get(path).header("authorization", format!("Bearer {}", self.world.good_token()))
    }

    /// The filter neither crashed nor stopped working.
    pub(crate) fn assert_alive(&mut self) {
        assert!(self.envoy.is_running(), "Envoy ended:\n{}", self.envoy.output());
        let log = self.envoy.output();
        for sign in ["Wasm VM failed", "panicked", "Function: proxy_", "Segmentation fault"] {
            assert!(!log.contains(sign), "`{sign}` in Envoy's log:\n{log}");
        }
        assert_eq!(self.with_token(&self.world.good_token()).status, 200);
    }
}

impl Issuer {
    /// Begins to answer.
    pub(crate) fn appear(&mut self) {
        let (answer, delay) = (Arc::clone(&self.answer), Arc::clone(&self.delay));
        let fetches = Arc::clone(&self.fetches);
        self.server = Some(Server::start(self.port, move |received| {
            assert_eq!(received.target, "/.well-known/jwks.json");
            fetches.fetch_add(1, Ordering::SeqCst);
            sleep(Duration::from_millis(delay.load(Ordering::SeqCst)));
            let (status, body) = answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
            (status, "application/json", body)
        }));
    }

    /// What it answers from now on.
    pub(crate) fn answer(&self, status: u16, body: impl Into<String>) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = (status, body.into());
    }

    /// How long it thinks before it answers.
    pub(crate) fn think(&self, delay: Duration) {
        self.delay.store(delay.as_millis().try_into().unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// How often it was asked.
    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

impl Echo {
    /// What the API reports in the body of a response.
    pub(crate) fn of(response: &Response) -> Self {
        assert_eq!(response.status, 200, "{}", response.text());
        Self(serde_json::from_slice(&response.body).unwrap_or_else(|error| panic!("no echo: {error}")))
    }

    /// The request target.
    pub(crate) fn target(&self) -> &str {
        self.0.get("target").and_then(Value::as_str).unwrap_or_default()
    }

    /// The values of all headers of that name.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let headers = self.0.get("headers").and_then(Value::as_array).into_iter().flatten();
        let pairs = headers.filter_map(|pair| Some((pair.get(0)?.as_str()?, pair.get(1)?.as_str()?)));
        pairs.filter(|(other, _)| *other == name).map(|(_, value)| value).collect()
    }

    /// The names of all headers.
    pub(crate) fn names(&self) -> Vec<&str> {
        let headers = self.0.get("headers").and_then(Value::as_array).into_iter().flatten();
        headers.filter_map(|pair| pair.get(0)?.as_str()).collect()
    }
}

fn echo(received: &Received) -> String {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let headers: Vec<_> = received.headers.iter().map(|(name, value)| json!([name, text(value)])).collect();
    json!({ "target": received.target, "headers": headers }).to_string()
}

/// `envoy/envoy.yaml` with this test's ports, issuer and pace.
fn configuration(name: &str, world: &World, [port, admin, api, issuer]: [u16; 4]) -> PathBuf {
    let text = std::fs::read_to_string(project_root().join("envoy/envoy.yaml"));
    let mut text = text.unwrap_or_else(|error| panic!("envoy/envoy.yaml: {error}"));
    let metadata = "http://localhost:10000/.well-known/oauth-protected-resource";
    let changes = HashMap::from([
        ("port_value: 10000".to_owned(), format!("port_value: {port}")),
        ("port_value: 9901".to_owned(), format!("port_value: {admin}")),
        ("port_value: 9000".to_owned(), format!("port_value: {api}")),
        ("port_value: 8080".to_owned(), format!("port_value: {issuer}")),
        (r#""issuer": "http://localhost:8080""#.to_owned(), format!(r#""issuer": "{}""#, world.issuer)),
        (r#"["http://localhost:10000"],"#.to_owned(), format!(r#"["{}"],"#, world.audience)),
        (format!(r#"metadata": "{metadata}""#), format!(r#"metadata": "{}""#, world.resource_metadata)),
        (r#""refresh_seconds": 300"#.to_owned(), format!(r#""refresh_seconds": {}"#, REFRESH.as_secs())),
        (
            r#""min_refresh_seconds": 5"#.to_owned(),
            format!(r#""min_refresh_seconds": {}"#, MIN_REFRESH.as_secs()),
        ),
    ]);
    for (from, to) in changes {
        assert_eq!(text.matches(&from).count(), 1, "`{from}` in envoy/envoy.yaml");
        text = text.replace(&from, &to);
    }
    let folder = target_dir().join("envoy-tests");
    std::fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let path = folder.join(format!("{name}.yaml"));
    std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path
}
