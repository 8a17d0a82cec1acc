use clap::Args;
use people::record::{NewUser, new_user};
use people::store::Store;
use serde_json::{Map, Value};

use super::{Person, password};
use crate::output::Output;
use crate::state::State;
use crate::{Failure, clock, random};

/// Arguments of `attesto users add`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  attesto users add alice --name 'Alice Doe' --email alice@example.com
  pass show alice | attesto users add alice

The password is never an argument: other users of a machine can read a command line.")]
pub(super) struct Add {
    /// What the person types to sign in, in any mixture of upper and lower case
    username: String,

    /// The person's full name (the claim `name`)
    #[arg(long)]
    name: Option<String>,

    /// The person's e-mail address (the claim `email`)
    #[arg(long)]
    email: Option<String>,

    #[command(flatten)]
    state: State,

    #[command(flatten)]
    output: Output,
}

impl Add {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let password = password::read()?;
        let mut claims = Map::new();
        for (name, value) in [("name", &self.name), ("email", &self.email)] {
            if let Some(value) = value {
                claims.insert(name.to_owned(), Value::String(value.clone()));
            }
        }
        let new = NewUser { username: &self.username, password: &password, claims };
        let made = new_user(new, random::bytes(), clock::now()?)?;
        self.state.make(|store| {
            if store.get(&made.login_key)?.is_some() {
                return Err(format!("there is a user `{}` already", self.username).into());
            }
            Ok(made.records.iter().try_for_each(|(key, value)| store.set(key, value))?)
        })?;
        let user = Person::of(&made.user);
        self.output.print(&user, || format!("username {}\nsub      {}\n", user.username, user.sub))
    }
}
