use attesto::redirect_uri::is_acceptable;
use attesto::scope::Scope;
use clap::{Args, Subcommand};
use clients::record::{AuthMethod, ClientRecord, key, secret_sha256};

use crate::Failure;
use crate::random;
use crate::state::State;

/// Arguments of `attesto clients`.
#[derive(Args)]
pub(crate) struct Clients {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Register a client; a confidential one is printed its secret, once
    Add(Add),
}

/// Arguments of `attesto clients add`.
#[derive(Args)]
struct Add {
    #[command(flatten)]
    state: State,

    /// The client identifier; made up when not given
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// The name people see on the consent page
    #[arg(long, value_name = "NAME")]
    name: String,

    /// Where the authorization server may send people back to; may be given more than once
    #[arg(long = "redirect-uri", value_name = "URI", required = true)]
    redirect_uris: Vec<String>,

    /// The scope it may ask for, values separated by spaces; without it, all that the server supports
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,

    /// A confidential client (`client_secret_basic`); without it, a public one (`none`, with PKCE)
    #[arg(long)]
    confidential: bool,
}

impl Clients {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match &self.command {
            Command::Add(add) => add.run(),
        }
    }
}

impl Add {
    fn run(&self) -> Result<(), Failure> {
        if let Some(uri) = self.redirect_uris.iter().find(|uri| !is_acceptable(uri)) {
            return Err(format!("--redirect-uri {uri}: must be an absolute URI without a fragment").into());
        }
        let scope = self.scope.as_deref().map(Scope::parse).transpose();
        let scope =
            scope.map_err(|_| "--scope: must be scope values separated by single spaces (RFC 6749 §3.3)")?;
        let client_id = self.client_id.clone().unwrap_or_else(|| random::secret().expose().clone());
        if client_id.is_empty() || !client_id.bytes().all(|b| matches!(b, 0x20..=0x7E)) {
            return Err("--client-id: must be printable ASCII (RFC 6749 Appendix A.1)".into());
        }
        let secret = self.confidential.then(random::secret);
        let record = ClientRecord {
            version: 1,
            client_id: client_id.clone(),
            client_name: self.name.clone(),
            token_endpoint_auth_method: if self.confidential {
                AuthMethod::ClientSecretBasic
            } else {
                AuthMethod::None
            },
            redirect_uris: self.redirect_uris.clone(),
            grant_types: vec!["authorization_code".to_owned()],
            scope: scope.map(|scope| scope.tokens().to_vec()),
            id_token_signed_response_alg: None,
            client_secret_sha256: secret.as_ref().map(|secret| secret_sha256(secret.expose().as_bytes())),
            revoked: false,
        };
        let key = key(&client_id);
        if !self.state.insert(&key, &[(key.clone(), serde_json::to_vec(&record)?)])? {
            return Err(format!("there is a client `{client_id}` already").into());
        }
        println!("client_id     {client_id}");
        if let Some(secret) = secret {
            println!("client_secret {}", secret.expose());
        }
        Ok(())
    }
}
