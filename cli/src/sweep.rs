use clap::Args;
use people::maintenance;
use serde_json::{Map, Value};

use crate::output::Output;
use crate::state::State;
use crate::{Failure, clock};

/// Arguments of `attesto sweep`.
#[derive(Args)]
#[command(after_help = "\
Example, an hourly line for cron:
  7 * * * *  cd /srv/attesto && attesto sweep --state .attesto/state.db

Prints how many entries of each kind were removed. An entry is removed an hour after its end, when no server takes it for
live any more; servers may be at work meanwhile.")]
pub(crate) struct Sweep {
    #[command(flatten)]
    state: State,

    #[command(flatten)]
    output: Output,
}

impl Sweep {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let now = clock::now()?;
        let removed = self.state.step_by_step(|store| Ok(maintenance::sweep(store, now)?))?;
        let json: Map<_, _> =
            removed.iter().map(|(kind, count)| ((*kind).to_owned(), Value::from(*count))).collect();
        let text = || removed.iter().map(|(kind, count)| format!("{kind} {count}\n")).collect();
        self.output.print(&json, text)
    }
}
