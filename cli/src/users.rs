use std::io::{BufRead, IsTerminal};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use people::record::{NewUser, new_user};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::Failure;
use crate::random;
use crate::state::State;

/// Arguments of `attesto users`.
#[derive(Args)]
pub(crate) struct Users {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add a person who can sign in; the password is asked for, or read from a line of standard input
    Add(Add),
}

/// Arguments of `attesto users add`.
#[derive(Args)]
struct Add {
    #[command(flatten)]
    state: State,

    /// What the person types to sign in
    username: String,

    /// The person's full name (the claim `name`)
    #[arg(long)]
    name: Option<String>,

    /// The person's e-mail address (the claim `email`)
    #[arg(long)]
    email: Option<String>,
}

impl Users {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match &self.command {
            Command::Add(add) => add.run(),
        }
    }
}

impl Add {
    #[expect(clippy::disallowed_methods, reason = "a record says when it was made")]
    fn run(&self) -> Result<(), Failure> {
        let password = password()?;
        let mut claims = Map::new();
        for (name, value) in [("name", &self.name), ("email", &self.email)] {
            if let Some(value) = value {
                claims.insert(name.to_owned(), Value::String(value.clone()));
            }
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let new = NewUser { username: &self.username, password: &password, claims };
        let user = new_user(new, random::bytes(), now)?;
        if !self.state.insert(&user.login_key, &user.records)? {
            return Err(format!("there is a user `{}` already", self.username).into());
        }
        println!("username {}\nsub      {}", self.username, user.sub);
        Ok(())
    }
}

fn password() -> Result<Zeroizing<String>, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Ok(Zeroizing::new(rpassword::prompt_password("password: ")?));
    }
    let mut line = Zeroizing::new(String::new());
    stdin.lock().read_line(&mut line)?;
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    Ok(line)
}
