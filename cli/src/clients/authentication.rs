//! How a new client proves who it is.

use attesto::client::TlsClientAuthSubject;
use attesto::jose::Algorithm;
use clap::{Args, ValueEnum};
use clients::record::AuthMethod;

use super::certificate::SubjectOptions;
use super::jwks::{KeyOptions, Keys};
use crate::Failure;

#[derive(Args)]
pub(super) struct AuthenticationOptions {
    /// How it proves who it is at the token endpoint
    #[arg(long, value_name = "METHOD", default_value = "none", conflicts_with = "confidential")]
    auth_method: Method,

    /// Short for --auth-method client_secret_basic
    #[arg(long)]
    confidential: bool,

    #[command(flatten)]
    keys: KeyOptions,

    /// With private_key_jwt: the one algorithm it signs with, such as PS256; without it, any that the server takes
    #[arg(long, value_name = "ALG")]
    assertion_alg: Option<Algorithm>,

    #[command(flatten)]
    subject: SubjectOptions,
}

/// RFC 7591 §2 `token_endpoint_auth_method`.
#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Method {
    /// Not at all: a public client
    None,
    /// With a secret, in the Authorization header
    ClientSecretBasic,
    /// With a secret, in the request's body
    ClientSecretPost,
    /// With a key of its own; needs --jwks or --jwks-uri
    PrivateKeyJwt,
    /// With a certificate of an authority the server trusts; needs one of the --tls- options
    TlsClientAuth,
    /// With a certificate it has signed itself; needs --jwks or --jwks-uri
    SelfSignedTlsClientAuth,
}

/// What the options say, where they do not contradict each other.
pub(super) struct Authentication {
    pub(super) method: AuthMethod,
    pub(super) keys: Keys,
    pub(super) assertion_alg: Option<Algorithm>,
    /// With the option it is from.
    pub(super) subject: Option<(&'static str, TlsClientAuthSubject)>,
}

impl AuthenticationOptions {
    pub(super) fn read(&self) -> Result<Authentication, Failure> {
        let method = if self.confidential {
            AuthMethod::ClientSecretBasic
        } else {
            AuthMethod::from(self.auth_method)
        };
        let authentication = Authentication {
            method,
            keys: self.keys.read()?,
            assertion_alg: self.assertion_alg,
            subject: self.subject.subject(),
        };
        authentication.check()?;
        Ok(authentication)
    }
}

impl Authentication {
    fn check(&self) -> Result<(), Failure> {
        let option = format!("--auth-method {}", self.method.as_str());
        if let Some((given, _)) = &self.subject
            && self.method != AuthMethod::TlsClientAuth
        {
            return Err(format!("{given}: is for --auth-method tls_client_auth, and this is {option}").into());
        }
        if self.assertion_alg.is_some() && self.method != AuthMethod::PrivateKeyJwt {
            return Err(format!(
                "--assertion-alg: is for --auth-method private_key_jwt, and this is {option}"
            )
            .into());
        }
        match self.method {
            AuthMethod::None | AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => Ok(()),
            // OIDC Core §9.
            AuthMethod::PrivateKeyJwt => {
                self.keys.must_verify(&option)?;
                self.assertion_alg.map_or(Ok(()), |alg| self.keys.must_admit("--assertion-alg", alg))
            }
            // RFC 8705 §2.2.2. No signature names the key: it is the certificate's.
            AuthMethod::SelfSignedTlsClientAuth => self.keys.must_be_there(&option),
            AuthMethod::TlsClientAuth if self.subject.is_none() => Err(format!(
                "{option}: needs to know whom the certificate names (RFC 8705 §2.1.2); give {}",
                SubjectOptions::NAMES
            )
            .into()),
            AuthMethod::TlsClientAuth => Ok(()),
        }
    }
}

impl From<Method> for AuthMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::None => Self::None,
            Method::ClientSecretBasic => Self::ClientSecretBasic,
            Method::ClientSecretPost => Self::ClientSecretPost,
            Method::PrivateKeyJwt => Self::PrivateKeyJwt,
            Method::TlsClientAuth => Self::TlsClientAuth,
            Method::SelfSignedTlsClientAuth => Self::SelfSignedTlsClientAuth,
        }
    }
}
