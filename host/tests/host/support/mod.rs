//! The fixture application, and a client to talk to it.

mod fixtures;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use attesto_host::log::{Kind, Log};
use attesto_host::{Host, Limits, LoadError, Location, Options, Running};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) use fixtures::component;

/// The fixture application in a directory of its own; tests change the text of its manifest.
pub(crate) struct App {
    pub(crate) directory: TempDir,
    pub(crate) manifest: String,
    pub(crate) options: Options,
    pub(crate) lines: Lines,
}

/// What was logged.
pub(crate) type Lines = Arc<Mutex<Vec<(Kind, String)>>>;

impl App {
    pub(crate) fn new() -> Self {
        let manifest = fixtures::manifest();
        let directory = TempDir::new().unwrap();
        std::fs::write(directory.path().join("attesto-test.txt"), "mounted\n").unwrap();
        let lines = Lines::default();
        let sink = Arc::clone(&lines);
        let log = Log::to(move |kind, line| sink.lock().unwrap().push((kind, line.to_owned())));
        let cache = Some(fixtures::target().join("attesto-cache"));
        let mut options = Options { log, cache, ..Options::default() };
        options.variables.insert("secret".to_owned(), "hush".to_owned());
        Self { directory, manifest, options, lines }
    }

    /// Replaces a piece of the manifest, which must be there.
    pub(crate) fn replace(mut self, from: &str, to: &str) -> Self {
        assert!(self.manifest.contains(from), "{from:?} is not in the manifest");
        self.manifest = self.manifest.replace(from, to);
        self
    }

    pub(crate) fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.options.limits);
        self
    }

    pub(crate) fn state(mut self, file: &Path) -> Self {
        self.options.key_value = Location::File(file.to_owned());
        self
    }

    pub(crate) fn path(&self) -> PathBuf {
        let path = self.directory.path().join("spin.toml");
        std::fs::write(&path, &self.manifest).unwrap();
        path
    }

    pub(crate) fn load(&self) -> Result<Host, LoadError> {
        Host::load(&self.path(), self.options.clone())
    }

    /// Why it does not load.
    pub(crate) fn refusal(&self) -> String {
        match self.load() {
            Ok(_) => panic!("it loads"),
            Err(error) => error.to_string(),
        }
    }

    pub(crate) async fn start(&self) -> Server {
        let host = self.load().unwrap_or_else(|error| panic!("{error}"));
        let running = host.start("127.0.0.1:0".parse().unwrap()).await.unwrap();
        Server { address: running.address(), running, lines: Arc::clone(&self.lines) }
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) running: Running,
    pub(crate) lines: Lines,
}

/// A response, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Server {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        get(self.address, path).await
    }

    /// The lines of one kind so far.
    pub(crate) fn lines(&self, kind: Kind) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter(|(other, _)| *other == kind).map(|(_, line)| line.clone()).collect()
    }
}

impl Server {
    /// The faults, once there are `count`: an instance ends a little after its last response.
    pub(crate) async fn faults(&self, count: usize) -> Vec<String> {
        for _ in 0..500 {
            let faults = self.lines(Kind::Fault);
            if faults.len() >= count {
                return faults;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{:?}", self.lines);
    }
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> Answer {
    let request = http::Request::get(path).header("host", address.to_string()).body(Full::default()).unwrap();
    send(address, request).await
}

/// Sends a request on a connection of its own.
pub(crate) async fn send(address: SocketAddr, request: http::Request<Full<Bytes>>) -> Answer {
    let exchange = async {
        let stream = TcpStream::connect(address).await.expect("connects");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let (parts, body) = sender.send_request(request).await.expect("answers").into_parts();
        let body = body.collect().await.expect("the body arrives whole").to_bytes();
        connection.abort();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    };
    timeout(Duration::from_secs(60), exchange).await.expect("answers within a minute")
}

/// Sends `count` requests at once and collects the answers.
pub(crate) async fn at_once(address: SocketAddr, count: usize, path: &str) -> Vec<Answer> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let path = path.to_owned();
        tasks.spawn(async move { get(address, &path).await });
    }
    tasks.join_all().await
}
