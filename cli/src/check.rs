use clap::Args;

use crate::application::Application;
use crate::{Failure, settings};

/// Arguments of `attesto check`.
#[derive(Args)]
pub(crate) struct Check {
    #[command(flatten)]
    application: Application,
}

impl Check {
    /// Checks in the order an operator fixes things: the manifest and its parts, then the application's own settings.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let variables = self.application.variables()?;
        let manifest = attesto_host::check(&self.application.manifest, &variables)?;
        settings::check(&manifest, &variables)?;
        for (id, component) in &manifest.components {
            println!("component {id}: {}", component.source.display());
            for part in &component.dependencies {
                let inherits: Vec<_> = part.inherits.iter().map(|class| class.name()).collect();
                let inherits = if inherits.is_empty() { "nothing".to_owned() } else { inherits.join(", ") };
                println!("  part {} inherits {inherits}", part.name());
            }
        }
        println!("{}: ready to serve", manifest.name);
        Ok(())
    }
}
