use std::collections::BTreeMap;
use std::path::PathBuf;

use attesto_host::{LoadError, variables};
use clap::Args;

/// Which application, and its variables.
#[derive(Args)]
pub(crate) struct Application {
    /// The application's manifest
    #[arg(long, value_name = "FILE", default_value = "spin.toml")]
    pub(crate) manifest: PathBuf,

    /// Set an application variable; wins over a variables file and over SPIN_VARIABLE_<NAME>
    ///
    /// Other users of this machine can read a command line: give secrets in a file or in the environment.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = name_and_value)]
    given: Vec<(String, String)>,

    /// Read application variables from a TOML file of `name = "value"` lines; `attesto serve` follows its changes
    #[arg(long, value_name = "FILE")]
    pub(crate) variables_file: Option<PathBuf>,
}

impl Application {
    /// The variables given on the command line and in the file.
    pub(crate) fn variables(&self) -> Result<BTreeMap<String, String>, LoadError> {
        let mut variables = match &self.variables_file {
            Some(file) => variables::read_file(file)?,
            None => BTreeMap::new(),
        };
        variables.extend(self.given.iter().cloned());
        Ok(variables)
    }
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
