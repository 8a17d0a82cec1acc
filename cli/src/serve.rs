use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use attesto_host::log::{Kind, Log};
use attesto_host::manifest::Manifest;
use attesto_host::{Host, Limits, Location, Options};
use clap::Args;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::Failure;
use crate::application::Application;
use crate::settings::Settings;

/// How long a change of the variables file may go unnoticed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Arguments of `attesto serve`.
#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    application: Application,

    /// The address to listen on
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// The SQLite file of the key-value stores; made when missing, readable by Spin as well
    #[arg(long, value_name = "FILE", default_value = ".attesto/state.db")]
    state: PathBuf,

    /// Keep the key-value stores in memory; everything in them is gone at exit
    #[arg(long, conflicts_with = "state")]
    in_memory: bool,

    /// Compile the components at every start instead of keeping the result in ~/.cache/attesto
    #[arg(long)]
    no_cache: bool,

    /// Print no line per request
    #[arg(long)]
    quiet: bool,
}

impl Serve {
    /// Serves until interrupted, then lets the requests in flight finish.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let log = if self.quiet { Log::without_requests() } else { Log::stderr() };
        // Before it is read: a change made while the components compile is one to follow.
        let seen = self.written();
        let variables = self.application.variables()?;
        let manifest = Manifest::read(&self.application.manifest)?;
        let settings = Settings::of(&manifest)?;
        settings.check(&variables)?;
        let options = Options {
            variables,
            key_value: self.location()?,
            cache: if self.no_cache { None } else { cache_directory() },
            // The component wants no more of a body, and answers to a longer one at once.
            limits: Limits { read_ahead: attesto::http::MAX_BODY, ..Limits::default() },
            log: log.clone(),
        };
        let host = Host::load(&self.application.manifest, options)?;
        Runtime::new()?.block_on(async {
            let listener = TcpListener::bind(self.listen)
                .await
                .map_err(|error| format!("--listen {}: {error}", self.listen))?;
            let address = listener.local_addr()?;
            log.write(Kind::Notice, format_args!("listening on http://{address}"));
            let interrupted = interrupted(log.clone())?;
            tokio::select! {
                () = host.serve(listener, interrupted) => {}
                () = self.follow_variables_file(seen, &settings, &host, &log) => {}
            }
            Ok(())
        })
    }

    /// Gives the components what the variables file says whenever it has changed, so that keys can be rotated under a
    /// running server. A file that is not fit leaves everything as it was. Never ready.
    async fn follow_variables_file(
        &self,
        mut seen: Option<Written>,
        settings: &Settings<'_>,
        host: &Host,
        log: &Log,
    ) {
        let Some(file) = &self.application.variables_file else { return std::future::pending().await };
        let file = file.display();
        let mut complaint = None;
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        loop {
            ticks.tick().await;
            let now = self.written();
            // An unfit file is looked at each time: permissions may change, and a key's time come.
            if now == seen && complaint.is_none() {
                continue;
            }
            seen = now;
            match self.use_variables(settings, host) {
                Ok(()) => {
                    complaint = None;
                    log.write(Kind::Notice, format_args!("{file} has changed and is in use"));
                }
                Err(error) => {
                    let error = error.to_string();
                    if complaint.as_ref() != Some(&error) {
                        log.fault(format_args!("{file} has changed and is not used: {error}"));
                    }
                    complaint = Some(error);
                }
            }
        }
    }

    /// Hands the components the variables as they are now, where these are fit.
    fn use_variables(&self, settings: &Settings<'_>, host: &Host) -> Result<(), Failure> {
        let variables = self.application.variables()?;
        settings.check(&variables)?;
        Ok(host.set_variables(&variables)?)
    }

    /// What a change of the variables file changes; `None` where there is no file to ask.
    fn written(&self) -> Option<Written> {
        let metadata = std::fs::metadata(self.application.variables_file.as_ref()?).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    }

    fn location(&self) -> Result<Location, Failure> {
        if self.in_memory {
            return Ok(Location::Memory);
        }
        if let Some(directory) = self.state.parent() {
            std::fs::create_dir_all(directory)
                .map_err(|error| format!("--state {}: {error}", self.state.display()))?;
        }
        Ok(Location::File(self.state.clone()))
    }
}

/// When a file was written, and how long it is.
type Written = (SystemTime, u64);

/// The user's cache directory, by the XDG base directory specification.
fn cache_directory() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))?;
    Some(base.join("attesto"))
}

/// Ready at the first Ctrl-C or SIGTERM; a second Ctrl-C ends the process at once.
fn interrupted(log: Log) -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        log.write(
            Kind::Notice,
            format_args!("finishing the requests in flight; interrupt again to stop at once"),
        );
        tokio::spawn(async move {
            if interrupt.recv().await.is_some() {
                std::process::exit(130);
            }
        });
    })
}
