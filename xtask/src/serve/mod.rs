//! `cargo xtask serve`: the whole house on this machine, from a clone to a token.

mod banner;
mod demo;

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::build::{self, Profile};
use crate::process::{self, Stopwatch};
use crate::project::Project;
use crate::setup::development::{STATE, VARIABLES};
use crate::setup::{self, Need, envoy};

/// Where the parts listen; `envoy/envoy.yaml` names the same places.
pub(crate) const AUTHORIZATION_SERVER: &str = "127.0.0.1:8080";
pub(crate) const GATEWAY: &str = "127.0.0.1:10000";
pub(crate) const UPSTREAM: &str = "127.0.0.1:9000";
/// Where the demo client waits for its answer, as it is registered.
pub(crate) const CALLBACK: &str = "127.0.0.1:8000";

const ENVOY_CONFIGURATION: &str = "envoy/envoy.yaml";

/// How long a part may take until it listens: the first start compiles the components.
const START: Duration = Duration::from_secs(60);

/// How often it is looked whether the parts still run.
const LOOK: Duration = Duration::from_millis(300);

/// Sets up, builds, starts everything and waits for Ctrl-C.
///
/// # Errors
/// When something cannot be built or started, or a part ends by itself.
pub(crate) fn run(project: &Project) -> Result<()> {
    setup::ensure(project, &[Need::WasmTargets, Need::DevelopmentState])?;
    let envoy = find_envoy(project);
    build::components(project, Profile::Component)?;
    let attesto = build::attesto(project)?;

    let interrupted = interruption()?;
    let mut parts = Parts::default();
    let result = start(project, &attesto, envoy.as_deref(), &mut parts, &interrupted);
    eprintln!("stopping");
    parts.stop();
    result
}

/// Envoy is worth having but not needed to get a token.
fn find_envoy(project: &Project) -> Option<std::path::PathBuf> {
    if !project.root.join(ENVOY_CONFIGURATION).is_file() {
        eprintln!("  without Envoy: there is no {ENVOY_CONFIGURATION}");
        return None;
    }
    match setup::ensure(project, &[Need::Envoy]) {
        Ok(()) => envoy::locate(project),
        Err(error) => {
            eprintln!("  without Envoy: {}", process::one_line(&error));
            None
        }
    }
}

fn start(
    project: &Project,
    attesto: &std::path::Path,
    envoy: Option<&std::path::Path>,
    parts: &mut Parts,
    interrupted: &Receiver<()>,
) -> Result<()> {
    eprintln!("start");
    demo::start(UPSTREAM, "the demonstration's upstream", demo::upstream)?;
    demo::start(CALLBACK, "the demo client", demo::callback)?;
    let mut serve = project.command(attesto);
    serve.args(["serve", "--listen", AUTHORIZATION_SERVER]);
    serve.args(["--variables-file", VARIABLES, "--state", STATE]);
    parts.start("attesto serve", serve, AUTHORIZATION_SERVER, interrupted)?;
    if let Some(envoy) = envoy {
        let mut command = project.command(envoy);
        // Several Envoys on one machine would meet in shared memory without a base id of their own.
        command.args(["--config-path", ENVOY_CONFIGURATION, "--use-dynamic-base-id", "--log-level", "warn"]);
        parts.start("envoy", command, GATEWAY, interrupted)?;
    }
    if interrupted.try_recv().is_ok() {
        return Ok(());
    }
    println!("{}", banner::banner(envoy.is_some()));
    parts.watch(interrupted)
}

/// A channel that speaks when the person or the system asks us to end.
fn interruption() -> Result<Receiver<()>> {
    let (sender, receiver) = mpsc::channel();
    ctrlc::set_handler(move || {
        // Nobody listens any more once we are stopping.
        sender.send(()).ok();
    })?;
    Ok(receiver)
}

/// The programs we started.
#[derive(Default)]
struct Parts(Vec<(&'static str, Child)>);

impl Parts {
    /// Starts a part and waits until it listens on `address`, or until we are interrupted.
    fn start(
        &mut self,
        name: &'static str,
        mut command: Command,
        address: &str,
        interrupted: &Receiver<()>,
    ) -> Result<()> {
        let socket: SocketAddr = address.parse()?;
        if TcpStream::connect_timeout(&socket, LOOK).is_ok() {
            bail!("another program listens on {address}, where {name} should");
        }
        self.0.push((name, process::spawn(&mut command)?));
        let watch = Stopwatch::start();
        while TcpStream::connect_timeout(&socket, LOOK).is_err() {
            self.check()?;
            if watch.elapsed() > START {
                bail!("{name} does not listen on {address} after {}", process::seconds(START));
            }
            match interrupted.recv_timeout(LOOK) {
                Ok(()) => bail!("interrupted while {name} was starting"),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => bail!("the Ctrl-C handler is gone"),
            }
        }
        eprintln!("  {name} listens on {address} ({})", process::seconds(watch.elapsed()));
        Ok(())
    }

    /// Waits for the interruption.
    fn watch(&mut self, interrupted: &Receiver<()>) -> Result<()> {
        while interrupted.recv_timeout(LOOK).is_err() {
            self.check()?;
        }
        Ok(())
    }

    fn check(&mut self) -> Result<()> {
        for (name, child) in &mut self.0 {
            if let Some(status) = child.try_wait()? {
                bail!("{name} ended by itself ({status})");
            }
        }
        Ok(())
    }

    /// Ends the parts, the last started first, so that nothing is called that is gone.
    fn stop(&mut self) {
        while let Some((name, mut child)) = self.0.pop() {
            match process::end(&mut child) {
                Ok(()) => eprintln!("  {name} has ended"),
                Err(error) => eprintln!("  {name} (process {}) could not be ended: {error}", child.id()),
            }
        }
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_ends_by_itself_is_named() {
        let (_sender, interrupted) = mpsc::channel();
        let mut command = Command::new("sh");
        command.args(["-c", "exit 7"]);
        let error = Parts::default().start("the part", command, "127.0.0.1:1", &interrupted).unwrap_err();
        assert_eq!(error.to_string(), "the part ended by itself (exit status: 7)");
    }

    #[test]
    fn a_taken_address_is_refused_before_anything_starts() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let (_sender, interrupted) = mpsc::channel();
        let mut parts = Parts::default();
        let error = parts.start("the part", Command::new("true"), &address, &interrupted).unwrap_err();
        assert!(error.to_string().contains("another program listens"), "{error}");
        assert!(parts.0.is_empty());
    }

    #[test]
    fn an_interruption_ends_the_parts() {
        let child = process::spawn(Command::new("sleep").arg("30")).unwrap();
        let mut parts = Parts(vec![("sleep", child)]);
        let (sender, interrupted) = mpsc::channel();
        sender.send(()).unwrap();
        parts.watch(&interrupted).unwrap();
        let watch = Stopwatch::start();
        parts.stop();
        assert!(parts.0.is_empty() && watch.elapsed() < Duration::from_secs(5));
    }
}
