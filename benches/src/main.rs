//! Attesto beside npm's oidc-provider, doing the same on the same machine at the same time. `cargo xtask bench` builds
//! both and runs this; it prints a table, and writes it with a picture where it is told to.

mod client;
mod flow;
mod key_holder;
mod machine;
mod measure;
mod person;
mod picture;
mod report;
mod server;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use pico_args::Arguments;

use crate::flow::Flow;
use crate::machine::Machine;
use crate::measure::Load;
use crate::report::Report;
use crate::server::{Kind, Places, Server};

const HELP: &str = "\
attesto-bench --attesto <program> --root <checkout> --peer <folder of oidc-provider>

  --write <folder>     write bench.md and bench.svg there
  --flow <name>        only this flow: client_credentials, refresh_token, code, FAPI; writes nothing
  --seconds <n>        how long one window is (6)
  --windows <n>        how many windows each server gets, in turns (3)
  --connections <n>    how many clients ask at a time (8)
";

fn main() -> ExitCode {
    match run(Arguments::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("attesto-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Arguments) -> Result<()> {
    if arguments.contains(["-h", "--help"]) {
        print!("{HELP}");
        return Ok(());
    }
    let path = |arguments: &mut Arguments, name| {
        arguments.value_from_os_str(name, |text| Ok::<_, std::convert::Infallible>(PathBuf::from(text)))
    };
    let places = Places {
        attesto: path(&mut arguments, "--attesto")?,
        root: path(&mut arguments, "--root")?,
        peer: path(&mut arguments, "--peer")?,
    };
    let write: Option<String> = arguments.opt_value_from_str("--write")?;
    let only: Option<String> = arguments.opt_value_from_str("--flow")?;
    let seconds = Duration::from_secs(arguments.opt_value_from_str("--seconds")?.unwrap_or(6));
    let load = Load {
        connections: arguments.opt_value_from_str("--connections")?.unwrap_or(8),
        warm_up: seconds,
        window: seconds,
        windows: arguments.opt_value_from_str("--windows")?.unwrap_or(3),
    };
    let left = arguments.finish();
    if !left.is_empty() {
        bail!("unknown arguments {left:?}");
    }
    let flows: Vec<Flow> = Flow::ALL
        .into_iter()
        .filter(|flow| only.as_ref().is_none_or(|name| flow.name().starts_with(name)))
        .collect();
    // One thread: the load must not take more of the machine than the servers leave.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(measured(&places, load, &flows))?;
    println!("{}", report.text());
    if let (Some(folder), None) = (write, only) {
        let folder = PathBuf::from(folder);
        fs::write(folder.join("bench.md"), report.markdown()).context("bench.md")?;
        fs::write(folder.join("bench.svg"), picture::draw(&report)).context("bench.svg")?;
    }
    Ok(())
}

async fn measured(places: &Places, load: Load, flows: &[Flow]) -> Result<Report> {
    let machine = Machine::read(places)?;
    // Its first start of a build compiles the components, for which no flow is to be charged.
    drop(Server::start(Kind::Attesto, places).await?);
    let mut rows = Vec::new();
    for &flow in flows {
        eprintln!("{} …", flow.name());
        rows.push((flow, measure::flow(flow, places, load).await.with_context(|| flow.name())?));
    }
    eprintln!("cold instances …");
    let cold = measure::cold(places, 9).await?;
    Ok(Report { machine, load, rows, cold })
}
