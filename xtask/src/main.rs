//! The developer's commands. `cargo xtask help` lists them.

mod bench;
mod build;
mod fuzz;
mod lint;
mod process;
mod project;
mod serve;
mod setup;
mod test;

use std::process::ExitCode;

use anyhow::{Result, bail};
use pico_args::Arguments;

use crate::build::Profile;
use crate::project::Project;
use crate::setup::Need;

const HELP: &str = "\
cargo xtask <command>

  serve              set up, build and start everything, from a clone to a token
  test [suite]…      set up, build and run every suite, or the named ones

  setup              get what the build and the tests need
  build [--release]  the components, into target/components
  bench [option]…    measure the release build beside another server, into docs/bench.md
  lint               clippy without warnings, for the host and the components' targets
  fuzz [--seconds n] every fuzz target for n seconds each (60 if not said), two at a time
";

fn main() -> ExitCode {
    match run(Arguments::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {}", process::one_line(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Arguments) -> Result<()> {
    if arguments.contains(["-h", "--help"]) {
        print!("{HELP}");
        return Ok(());
    }
    match arguments.subcommand()?.as_deref() {
        Some("setup") => {
            none_left(arguments)?;
            setup::ensure(&Project::read()?, Need::ALL)
        }
        Some("build") => {
            let profile = if arguments.contains("--release") { Profile::Release } else { Profile::Component };
            none_left(arguments)?;
            let project = Project::read()?;
            setup::ensure(&project, &[Need::WasmTargets])?;
            build::components(&project, profile)
        }
        Some("serve") => {
            none_left(arguments)?;
            serve::run(&Project::read()?)
        }
        Some("test") => {
            let names: Vec<String> =
                arguments.finish().into_iter().map(|name| name.to_string_lossy().into_owned()).collect();
            test::run(&Project::read()?, &names)
        }
        Some("bench") => bench::run(&Project::read()?, &arguments.finish()),
        Some("lint") => {
            none_left(arguments)?;
            lint::run(&Project::read()?)
        }
        Some("fuzz") => {
            let seconds = arguments.opt_value_from_str("--seconds")?.unwrap_or(fuzz::SECONDS);
            none_left(arguments)?;
            fuzz::run(&Project::read()?, seconds)
        }
        Some("help") | None => {
            print!("{HELP}");
            Ok(())
        }
        Some(other) => bail!("there is no command `{other}`; `cargo xtask help` lists what there is"),
    }
}

fn none_left(arguments: Arguments) -> Result<()> {
    let left = arguments.finish();
    if !left.is_empty() {
        bail!("unknown arguments {left:?}; `cargo xtask help` lists what there is");
    }
    Ok(())
}
