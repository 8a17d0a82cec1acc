use attesto::jose::Algorithm;
use attesto::redirect_uri::is_acceptable;
use attesto::scope::Scope;
use clap::{Args, ValueEnum};
use clients::record::{AuthMethod, ClientRecord, secret_sha256};
use clients::tls_client_auth::TlsClientAuth;
use serde::Serialize;

use super::authentication::{Authentication, AuthenticationOptions};
use super::metadata::Metadata;
use super::protection::ProtectionOptions;
use super::{IssuedSecret, credentials, insert};
use crate::output::Output;
use crate::state::State;
use crate::{Failure, random};

/// Arguments of `attesto clients add`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  An app on people's devices, or in their browsers (public: it can keep no secret, and uses PKCE):
    attesto clients add --name 'Photo app' --redirect-uri http://127.0.0.1/callback

  A web application with a server behind it:
    attesto clients add --name 'Shop' --confidential --redirect-uri https://shop.example/callback \\
      --grant-type authorization_code --grant-type refresh_token

  A machine that acts for itself, without people:
    attesto clients add --name 'Nightly report' --confidential --grant-type client_credentials \\
      --scope orders:read

  A FAPI 2.0 client, which signs with a key of its own and binds its tokens to one (docs/operating.md has more):
    attesto clients add --name 'Bank app' --auth-method private_key_jwt --jwks bank-app.jwks \\
      --dpop-bound --require-par --redirect-uri https://app.bank.example/callback --id-token-alg PS256

  One that shows a certificate instead:
    attesto clients add --name 'Payments' --auth-method tls_client_auth \\
      --tls-subject-dn 'CN=payments,O=Bank,C=DE' --certificate-bound --require-par \\
      --redirect-uri https://payments.bank.example/callback --id-token-alg PS256

A client secret is printed now and never again: only its digest is kept.")]
pub(super) struct Add {
    /// The name people see on the consent page
    #[arg(long, value_name = "NAME")]
    name: String,

    /// The client identifier; made up when not given
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// Where the authorization server may send people back to; may be given more than once
    ///
    /// Required with the grant type authorization_code. Compared character by character, but for the port of a
    /// loopback IP address, which may be any (RFC 8252 §7.3).
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,

    /// How it obtains tokens; may be given more than once
    #[arg(long = "grant-type", value_name = "TYPE", default_values = ["authorization_code"])]
    grant_types: Vec<GrantType>,

    /// The scope it may ask for, values separated by spaces; without it, all that the server supports
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,

    /// The algorithm its ID tokens are signed with; without it, RS256 (OIDC Registration §2), or
    /// under a profile, which has no RS256, the one of the server's responses
    #[arg(long, value_name = "ALG")]
    id_token_alg: Option<Algorithm>,

    #[command(flatten)]
    state: State,

    #[command(flatten)]
    output: Output,

    #[command(flatten, next_help_heading = "How it authenticates")]
    authentication: AuthenticationOptions,

    #[command(flatten, next_help_heading = "Its tokens, requests and responses")]
    protection: ProtectionOptions,
}

/// RFC 7591 §2 `grant_types`, those a client is registered for here.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum GrantType {
    /// A person signs in and agrees (RFC 6749 §4.1)
    AuthorizationCode,
    /// New tokens without the person (RFC 6749 §6)
    RefreshToken,
    /// The client acts for itself (RFC 6749 §4.4)
    ClientCredentials,
}

impl GrantType {
    fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }
}

/// The answer of RFC 7591 §3.2.1: the client, and its secret where it has one.
#[derive(Serialize)]
struct Registered<'a> {
    #[serde(flatten)]
    metadata: Metadata<'a>,
    #[serde(flatten)]
    secret: Option<IssuedSecret<'a>>,
}

impl Add {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let authentication = self.authentication.read()?;
        self.check_grant_types(authentication.method)?;
        self.protection.check(&authentication, self.has(GrantType::AuthorizationCode))?;
        let secret = authentication.method.has_secret().then(random::secret);
        let mut client = self.record(authentication)?;
        client.client_secret_sha256 = secret.as_ref().map(|secret| secret_sha256(secret.expose().as_bytes()));
        if !self.state.make(|store| insert(store, &client))? {
            return Err(format!("there is a client `{}` already", client.client_id).into());
        }
        let registered =
            Registered { metadata: Metadata::of(&client), secret: secret.as_ref().map(IssuedSecret::new) };
        self.output.print(&registered, || credentials(&client.client_id, secret.as_ref()))
    }

    /// The record, of a client without a secret.
    fn record(&self, authentication: Authentication) -> Result<ClientRecord, Failure> {
        let name = |algorithm: Option<Algorithm>| algorithm.map(|algorithm| algorithm.name().to_owned());
        let protection = &self.protection;
        let (jwks, jwks_uri) = authentication.keys.into_members();
        let subject = authentication.subject.map(|(_, subject)| TlsClientAuth::from(subject));
        Ok(ClientRecord {
            version: 1,
            client_id: self.client_id()?,
            client_name: self.client_name()?,
            token_endpoint_auth_method: authentication.method,
            redirect_uris: self.redirect_uris()?,
            grant_types: self.grant_types(),
            scope: self.scope()?,
            id_token_signed_response_alg: name(self.id_token_alg),
            jwks,
            jwks_uri,
            token_endpoint_auth_signing_alg: name(authentication.assertion_alg),
            tls_client_auth: subject.unwrap_or_default(),
            dpop_bound_access_tokens: protection.dpop_bound,
            tls_client_certificate_bound_access_tokens: protection.certificate_bound,
            require_pushed_authorization_requests: protection.require_par,
            require_signed_request_object: protection.require_signed_request,
            request_object_signing_alg: name(protection.request_object_alg),
            authorization_signed_response_alg: name(protection.response_alg),
            introspection_signed_response_alg: name(protection.introspection_alg),
            resources: protection.resources(),
            client_secret_sha256: None,
            revoked: false,
        })
    }

    fn has(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    fn check_grant_types(&self, method: AuthMethod) -> Result<(), Failure> {
        // "The client credentials grant type MUST only be used by confidential clients" (RFC 6749 §4.4).
        if self.has(GrantType::ClientCredentials) && method == AuthMethod::None {
            return Err(
                "--grant-type client_credentials: is for confidential clients only (RFC 6749 §4.4); \
                        give --confidential or --auth-method"
                    .into(),
            );
        }
        // "A refresh token SHOULD NOT be included" with client credentials (RFC 6749 §4.4.3): nothing else issues one.
        if self.has(GrantType::RefreshToken) && !self.has(GrantType::AuthorizationCode) {
            return Err("--grant-type refresh_token: refresh tokens come with authorization_code; \
                        give --grant-type authorization_code as well"
                .into());
        }
        Ok(())
    }

    fn client_id(&self) -> Result<String, Failure> {
        let Some(client_id) = &self.client_id else {
            // No hyphen at the start, so that no command takes it for an option.
            return Ok(random::bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect());
        };
        if client_id.is_empty() || !client_id.bytes().all(|b| matches!(b, 0x20..=0x7E)) {
            return Err("--client-id: must be printable ASCII (RFC 6749 Appendix A.1)".into());
        }
        Ok(client_id.clone())
    }

    fn client_name(&self) -> Result<String, Failure> {
        if self.name.trim().is_empty() || self.name.chars().any(char::is_control) {
            return Err("--name: must be a name, without control characters".into());
        }
        Ok(self.name.clone())
    }

    fn redirect_uris(&self) -> Result<Vec<String>, Failure> {
        if self.redirect_uris.is_empty() && self.has(GrantType::AuthorizationCode) {
            return Err("--redirect-uri: is required with --grant-type authorization_code".into());
        }
        if let Some(uri) = self.redirect_uris.iter().find(|uri| !is_acceptable(uri)) {
            return Err(format!(
                "--redirect-uri {uri}: must be an absolute URI without a fragment (RFC 6749 §3.1.2); \
                 http is for loopback hosts"
            )
            .into());
        }
        Ok(self.redirect_uris.clone())
    }

    /// In the order of the arguments, each once.
    fn grant_types(&self) -> Vec<String> {
        let mut grant_types = Vec::new();
        for grant_type in self.grant_types.iter().map(|grant_type| grant_type.as_str().to_owned()) {
            if !grant_types.contains(&grant_type) {
                grant_types.push(grant_type);
            }
        }
        grant_types
    }

    fn scope(&self) -> Result<Option<Vec<String>>, Failure> {
        let scope = self.scope.as_deref().map(Scope::parse).transpose();
        let scope =
            scope.map_err(|_| "--scope: must be scope values separated by single spaces (RFC 6749 §3.3)")?;
        Ok(scope.map(|scope| scope.tokens().to_vec()))
    }
}
