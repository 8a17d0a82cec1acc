mod add;
mod password;

use clap::{Args, Subcommand};
use people::maintenance::Sweepable;
use people::record::{User, user_key};
use people::store::{read, write};
use people::username;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::output::{Output, status, table};
use crate::state::{Kept, State};
use crate::{Failure, random};

/// Arguments of `attesto users`.
#[derive(Args)]
pub(crate) struct Users {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add a person who can sign in; the password is asked for, or read from a line of standard input
    Add(add::Add),
    /// Print the people there are
    List(List),
    /// Admit a person no longer, until they are enabled again
    ///
    /// Their sessions count no more, and no application gets new tokens for them. An access token is good at an API until
    /// it expires: the API's verifier asks nobody.
    Disable(One),
    /// Admit a disabled person again
    Enable(One),
    /// Give a person a new password, which ends their sessions; it is asked for, or read from a line of standard input
    SetPassword(One),
}

/// Arguments of `attesto users list`.
#[derive(Args)]
struct List {
    #[command(flatten)]
    state: State,

    #[command(flatten)]
    output: Output,
}

/// Arguments of what is done to one person.
#[derive(Args)]
struct One {
    /// What the person types to sign in
    username: String,

    #[command(flatten)]
    state: State,

    #[command(flatten)]
    output: Output,
}

impl Users {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match &self.command {
            Command::Add(add) => add.run(),
            Command::List(list) => list.run(),
            Command::Disable(one) => one.admit(false),
            Command::Enable(one) => one.admit(true),
            Command::SetPassword(one) => one.set_password(),
        }
    }
}

impl List {
    fn run(&self) -> Result<(), Failure> {
        let mut users = self.state.step_by_step(|store| {
            let keys = store.keys(&user_key(""))?;
            let users = keys.iter().filter_map(|key| read::<User>(store, key).transpose());
            Ok(users.collect::<Result<Vec<_>, _>>()?)
        })?;
        users.sort_by(|a, b| a.username.cmp(&b.username));
        let people: Vec<_> = users.iter().map(Person::of).collect();
        self.output.print(&people, || {
            let heading = ["USERNAME", "SUB", "STATUS", "NAME"].map(str::to_owned);
            let rows = people.iter().map(Person::row);
            table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
        })
    }
}

impl One {
    fn admit(&self, admitted: bool) -> Result<(), Failure> {
        let user = self.change(|user| {
            user.disabled = !admitted;
            Ok(())
        })?;
        self.output.print(&Person::of(&user), || format!("{} is {}\n", self.username, status(user.disabled)))
    }

    fn set_password(&self) -> Result<(), Failure> {
        // Before the password is asked for: a mistyped name should not cost one.
        self.state.step_by_step(|store| self.find(store))?;
        let password = password::read()?;
        let salt = random::bytes();
        let user = self.change(|user| Ok(user.set_password(&password, &salt)?))?;
        self.output.print(&Person::of(&user), || format!("{} has a new password\n", self.username))
    }

    /// Changes the record, in one transaction.
    fn change(&self, change: impl FnOnce(&mut User) -> Result<(), Failure>) -> Result<User, Failure> {
        self.state.update(|store| {
            let mut user = self.find(store)?;
            change(&mut user)?;
            write(store, &user_key(&user.sub), &user)?;
            Ok(user)
        })
    }

    fn find(&self, store: &Kept<'_>) -> Result<User, Failure> {
        let user = match username::prepare(&self.username) {
            Some(prepared) => User::even_disabled(store, &prepared)?,
            None => None,
        };
        Ok(user.ok_or_else(|| format!("there is no user `{}`", self.username))?)
    }
}

/// A person as they are printed.
#[derive(Serialize)]
struct Person<'a> {
    sub: &'a str,
    username: &'a str,
    disabled: bool,
    /// OIDC Core §5.1.
    claims: &'a Map<String, Value>,
    /// OIDC Core §5.1 `updated_at`.
    updated_at: u64,
}

impl<'a> Person<'a> {
    fn of(user: &'a User) -> Self {
        Self {
            sub: &user.sub,
            username: &user.username,
            disabled: user.disabled,
            claims: &user.claims,
            updated_at: user.updated_at,
        }
    }

    fn row(&self) -> [String; 4] {
        let name = self.claims.get("name").and_then(Value::as_str).unwrap_or_default();
        [self.username.to_owned(), self.sub.to_owned(), status(self.disabled).to_owned(), name.to_owned()]
    }
}
