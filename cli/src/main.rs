//! `attesto`, the operator's command.

mod application;
mod check;
mod clients;
mod clock;
mod keys;
mod output;
mod random;
mod serve;
mod settings;
mod state;
mod sweep;
mod users;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// An OAuth 2.0 and OpenID Connect authorization server made of WebAssembly components.
#[derive(Parser)]
#[command(name = "attesto", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the application from its manifest until interrupted
    Serve(serve::Serve),
    /// Say whether the application would start, without starting it
    Check(check::Check),
    /// Make signing keys
    Keys(keys::Keys),
    /// Register clients, list them, disable them, rotate their secrets
    Clients(clients::Clients),
    /// Add people, list them, disable them, set their passwords
    Users(users::Users),
    /// Remove what has expired from the key-value stores
    Sweep(sweep::Sweep),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Serve(serve) => serve.run(),
        Command::Check(check) => check.run(),
        Command::Keys(keys) => keys.run(),
        Command::Clients(clients) => clients.run(),
        Command::Users(users) => users.run(),
        Command::Sweep(sweep) => sweep.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("attesto: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What ends a command early; its text goes to the operator as it is.
type Failure = Box<dyn std::error::Error>;
