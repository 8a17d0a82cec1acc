use clap::Args;

use crate::application::Application;
use crate::settings::Settings;
use crate::{Failure, output};

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
        Settings::of(&manifest)?.check(&variables)?;
        let mut text = String::new();
        for (id, component) in &manifest.components {
            text += &format!("component {id}: {}\n", component.source.display());
            for part in &component.dependencies {
                let inherits: Vec<_> = part.inherits.iter().map(|class| class.name()).collect();
                let inherits = if inherits.is_empty() { "nothing".to_owned() } else { inherits.join(", ") };
                text += &format!("  part {} inherits {inherits}\n", part.name());
            }
        }
        text += &format!("{}: ready to serve\n", manifest.name);
        output::write(&text)
    }
}
