mod add;
mod authentication;
mod certificate;
mod jwks;
mod metadata;
mod protection;

use attesto::secret::Secret;
use clap::{Args, Subcommand};
use clients::record::{AuthMethod, ClientRecord, key, secret_sha256};
use people::maintenance::Sweepable;
use people::store::{Store, read, write};
use serde::Serialize;

use self::metadata::Metadata;
use crate::output::{Output, status, table};
use crate::state::{Kept, State};
use crate::{Failure, random};

/// Arguments of `attesto clients`.
#[derive(Args)]
pub(crate) struct Clients {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Register a client; one that authenticates with a secret is given it, once
    Add(Box<add::Add>),
    /// Print the registered clients
    List(List),
    /// Admit a client no longer, until it is enabled again
    ///
    /// It is refused from its next request on. An access token it holds is good at an API until it expires: the API's
    /// verifier asks nobody.
    Disable(One),
    /// Admit a disabled client again
    Enable(One),
    /// Give a client that has a secret a new one; the old one stops working at once
    RotateSecret(One),
}

/// Arguments of `attesto clients list`.
#[derive(Args)]
struct List {
    #[command(flatten)]
    state: State,

    #[command(flatten)]
    output: Output,
}

/// Arguments of what is done to one client.
#[derive(Args)]
struct One {
    /// The client identifier
    client_id: String,

    #[command(flatten)]
    state: State,

    #[command(flatten)]
    output: Output,
}

impl Clients {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match &self.command {
            Command::Add(add) => add.run(),
            Command::List(list) => list.run(),
            Command::Disable(one) => one.admit(false),
            Command::Enable(one) => one.admit(true),
            Command::RotateSecret(one) => one.rotate_secret(),
        }
    }
}

impl List {
    fn run(&self) -> Result<(), Failure> {
        let mut clients = self.state.step_by_step(|store| {
            let keys = store.keys(PREFIX)?;
            keys.iter().filter_map(|key| load(store, key).transpose()).collect::<Result<Vec<_>, _>>()
        })?;
        clients.sort_by(|a, b| a.client_id.cmp(&b.client_id));
        let metadata: Vec<_> = clients.iter().map(Metadata::of).collect();
        self.output.print(&metadata, || {
            let heading = ["CLIENT_ID", "AUTHENTICATION", "GRANTS", "STATUS", "NAME"].map(str::to_owned);
            let rows = metadata.iter().map(Metadata::row);
            table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
        })
    }
}

impl One {
    fn admit(&self, admitted: bool) -> Result<(), Failure> {
        let client = self.change(|client| {
            client.revoked = !admitted;
            Ok(())
        })?;
        self.output
            .print(&Metadata::of(&client), || format!("{} is {}\n", self.client_id, status(client.revoked)))
    }

    fn rotate_secret(&self) -> Result<(), Failure> {
        let secret = random::secret();
        self.change(|client| {
            let method = client.token_endpoint_auth_method;
            if !method.has_secret() {
                return Err(match method {
                    AuthMethod::None => {
                        format!("client `{}` is a public one: it has no secret", self.client_id)
                    }
                    _ => format!(
                        "client `{}` authenticates by {}: it has no secret",
                        self.client_id,
                        method.as_str()
                    ),
                }
                .into());
            }
            client.client_secret_sha256 = Some(secret_sha256(secret.expose().as_bytes()));
            Ok(())
        })?;
        let rotated = Rotated { client_id: &self.client_id, secret: IssuedSecret::new(&secret) };
        self.output.print(&rotated, || credentials(&self.client_id, Some(&secret)))
    }

    /// Changes the record, in one transaction.
    fn change(
        &self,
        change: impl FnOnce(&mut ClientRecord) -> Result<(), Failure>,
    ) -> Result<ClientRecord, Failure> {
        let key = key(&self.client_id);
        self.state.update(|store| {
            let client = load(store, &key)?;
            let mut client = client.ok_or_else(|| format!("there is no client `{}`", self.client_id))?;
            change(&mut client)?;
            write(store, &key, &client)?;
            Ok(client)
        })
    }
}

/// The answer of `rotate-secret`.
#[derive(Serialize)]
struct Rotated<'a> {
    client_id: &'a str,
    #[serde(flatten)]
    secret: IssuedSecret<'a>,
}

/// What the keys of clients start with; see [`key`].
const PREFIX: &str = "clients/";

/// The record under `key`. What a newer version has written is not changed: members this one does not know would be lost.
fn load(store: &impl Store, key: &str) -> Result<Option<ClientRecord>, Failure> {
    match read::<ClientRecord>(store, key)? {
        Some(client) if client.version != 1 => Err(format!(
            "client `{}` has a record of version {}, where 1 is known",
            client.client_id, client.version
        )
        .into()),
        client => Ok(client),
    }
}

/// Keeps a new client; `false` where there is one of that name.
fn insert(store: &Kept<'_>, client: &ClientRecord) -> Result<bool, Failure> {
    let key = key(&client.client_id);
    let free = store.get(&key)?.is_none();
    if free {
        write(store, &key, client)?;
    }
    Ok(free)
}

/// A new secret, as its client is told it (RFC 7591 §3.2.1).
#[derive(Serialize)]
struct IssuedSecret<'a> {
    client_secret: &'a str,
    /// "REQUIRED if client_secret is issued. […] 0 if it will not expire."
    client_secret_expires_at: u64,
}

impl<'a> IssuedSecret<'a> {
    fn new(client_secret: &'a Secret<String>) -> Self {
        Self { client_secret: client_secret.expose(), client_secret_expires_at: 0 }
    }
}

/// The credentials as lines of text.
fn credentials(client_id: &str, secret: Option<&Secret<String>>) -> String {
    let secret = secret.map(|secret| format!("client_secret {}\n", secret.expose()));
    format!("client_id     {client_id}\n{}", secret.unwrap_or_default())
}
