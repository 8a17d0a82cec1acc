use clap::Args;
use serde_json::{Map, Value};
use store_key_value::key_value;

use crate::output::Output;
use crate::state::State;
use crate::{Failure, clock};

/// Arguments of `attesto sweep`.
#[derive(Args)]
#[command(after_help = "\
Example, an hourly line for cron:
  7 * * * *  cd /srv/attesto && attesto sweep --state .attesto/state.db

Prints of which kinds how many entries were removed. An entry is removed an hour after its end, when no server takes it
for live any more; servers may be at work meanwhile.")]
pub(crate) struct Sweep {
    #[command(flatten)]
    state: State,

    #[command(flatten)]
    output: Output,
}

impl Sweep {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let now = clock::now()?;
        let removed = self.state.step_by_step(|store| {
            let mut removed = people::maintenance::sweep(store, now)?;
            let past = now.saturating_sub(people::maintenance::GRACE);
            // Every step is short here, whatever their number.
            let stores = store_key_value::maintenance::sweep(store, past, u64::MAX);
            removed.extend(stores.map_err(|key_value::Unavailable(cause)| cause)?);
            removed.retain(|(_, count)| *count > 0);
            Ok(removed)
        })?;
        let json: Map<_, _> =
            removed.iter().map(|(kind, count)| (kind.replace('-', "_"), Value::from(*count))).collect();
        self.output.print(&json, || match removed.as_slice() {
            [] => "nothing has expired\n".to_owned(),
            removed => removed.iter().map(|(kind, count)| format!("{kind} {count}\n")).collect(),
        })
    }
}
