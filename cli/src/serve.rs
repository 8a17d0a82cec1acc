use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use attesto_host::log::Log;
use attesto_host::manifest::Manifest;
use attesto_host::{Host, Location, Options};
use clap::Args;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::application::Application;
use crate::{Failure, settings};

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

    /// Certificate authorities to trust beside those of browsers when fetching the keys of clients; PEM
    #[arg(long, value_name = "FILE")]
    outbound_ca: Option<PathBuf>,

    /// Print no line per request
    #[arg(long)]
    quiet: bool,
}

impl Serve {
    /// Serves until interrupted, then lets the requests in flight finish.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let log = if self.quiet { Log::without_requests() } else { Log::stderr() };
        let variables = self.application.variables()?;
        settings::check(&Manifest::read(&self.application.manifest)?, &variables)?;
        let options = Options {
            variables,
            key_value: self.location()?,
            cache: if self.no_cache { None } else { cache_directory() },
            outbound_ca: self.outbound_ca.clone(),
            log,
            ..Options::default()
        };
        let host = Host::load(&self.application.manifest, options)?;
        Runtime::new()?.block_on(async {
            let listener = TcpListener::bind(self.listen)
                .await
                .map_err(|error| format!("--listen {}: {error}", self.listen))?;
            eprintln!("listening on http://{}", listener.local_addr()?);
            let interrupted = interrupted()?;
            tokio::select! {
                () = host.serve(listener, interrupted) => {}
                () = self.follow_variables_file(&host) => {}
            }
            Ok(())
        })
    }

    /// Gives the components what the variables file says whenever it has changed, so that keys can be rotated under a
    /// running server. A file that is not fit leaves everything as it was. Never ready.
    async fn follow_variables_file(&self, host: &Host) {
        let Some(file) = &self.application.variables_file else { return std::future::pending().await };
        let written =
            || std::fs::metadata(file).and_then(|metadata| Ok((metadata.modified()?, metadata.len()))).ok();
        let mut seen = written();
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        loop {
            ticks.tick().await;
            let now = written();
            if now == seen {
                continue;
            }
            seen = now;
            let result = self.application.variables().and_then(|variables| host.set_variables(&variables));
            match result {
                Ok(()) => eprintln!("{} has changed and is in use", file.display()),
                Err(error) => eprintln!("{} has changed and is not used: {error}", file.display()),
            }
        }
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

/// The user's cache directory, by the XDG base directory specification.
fn cache_directory() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))?;
    Some(base.join("attesto"))
}

/// Ready at the first Ctrl-C or SIGTERM; a second Ctrl-C ends the process at once.
fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        eprintln!("finishing the requests in flight; interrupt again to stop at once");
        tokio::spawn(async move {
            if interrupt.recv().await.is_some() {
                std::process::exit(130);
            }
        });
    })
}
