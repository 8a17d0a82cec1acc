use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use attesto::jose::{Algorithm, SigningKey};
use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use crate::Failure;
use crate::random::OsRandom;

/// Arguments of `attesto keys`.
#[derive(Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make new signing keys
    Generate(Generate),
}

/// Arguments of `attesto keys generate`.
#[derive(Args)]
struct Generate {
    /// An algorithm to make a key for; may be given more than once
    ///
    /// Every OpenID provider needs RS256 (OIDC Discovery §3); access tokens are signed with ES256 unless attesto.toml
    /// says otherwise.
    #[arg(long = "algorithm", value_name = "ALG", default_values = ["ES256", "RS256"])]
    algorithms: Vec<Algorithm>,

    /// Write a variables file for `attesto serve --variables-file`, readable by its owner only, instead of printing
    /// the PEM blocks
    #[arg(long, value_name = "FILE")]
    variables_file: Option<PathBuf>,
}

impl Keys {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match &self.command {
            Command::Generate(generate) => generate.run(),
        }
    }
}

impl Generate {
    fn run(&self) -> Result<(), Failure> {
        let mut pem = Zeroizing::new(String::new());
        for algorithm in &self.algorithms {
            let key = SigningKey::generate(*algorithm, &mut OsRandom)?;
            pem.push_str(&key.to_pkcs8_pem()?);
            eprintln!("{algorithm} key {}", key.public_jwk(None).kid().unwrap_or_default());
        }
        match &self.variables_file {
            None => print!("{}", *pem),
            Some(file) => {
                // PEM has no character that TOML's literal strings give a meaning.
                let text = Zeroizing::new(format!("signing_keys = '''\n{}'''\n", *pem));
                let written = std::fs::OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(file)
                    .and_then(|mut open| open.write_all(text.as_bytes()));
                written.map_err(|error| format!("--variables-file {}: {error}", file.display()))?;
                eprintln!("written to {}", file.display());
            }
        }
        Ok(())
    }
}
