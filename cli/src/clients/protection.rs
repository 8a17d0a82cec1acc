//! What a new client's tokens, requests and responses must be.

use attesto::jose::Algorithm;
use clap::Args;
use clients::record::AuthMethod;
use url::Url;

use super::authentication::Authentication;
use crate::Failure;

#[derive(Args)]
pub(super) struct ProtectionOptions {
    /// Its access tokens are bound to a key it holds, with DPoP (RFC 9449): stolen ones are useless
    #[arg(long, conflicts_with = "certificate_bound")]
    pub(super) dpop_bound: bool,

    /// Its access tokens are bound to the certificate it connects with (RFC 8705 §3)
    #[arg(long)]
    pub(super) certificate_bound: bool,

    /// Its authorization requests must be pushed first (RFC 9126), so that no browser can change them
    #[arg(long)]
    pub(super) require_par: bool,

    /// Its authorization requests must be signed (RFC 9101); needs --jwks or --jwks-uri
    #[arg(long)]
    pub(super) require_signed_request: bool,

    /// The one algorithm of its signed requests, such as PS256; without it, any that the server takes
    #[arg(long, value_name = "ALG")]
    pub(super) request_object_alg: Option<Algorithm>,

    /// The algorithm of signed answers to its authorization requests (JARM); without it, the server's choice
    #[arg(long, value_name = "ALG")]
    pub(super) response_alg: Option<Algorithm>,

    /// The algorithm of signed answers to its questions about tokens (RFC 9701); without it, the server's choice
    #[arg(long, value_name = "ALG")]
    pub(super) introspection_alg: Option<Algorithm>,

    /// A resource it may ask tokens for, by its URI (RFC 8707); may be given more than once; without it, all of the
    /// server's
    #[arg(long = "resource", value_name = "URI", value_parser = resource)]
    pub(super) resources: Vec<String>,
}

impl ProtectionOptions {
    /// Refuses what such a client could never fulfil or use.
    pub(super) fn check(&self, client: &Authentication, asks_for_codes: bool) -> Result<(), Failure> {
        let about_requests = [
            ("--require-par", self.require_par),
            ("--require-signed-request", self.require_signed_request),
            ("--request-object-alg", self.request_object_alg.is_some()),
            ("--response-alg", self.response_alg.is_some()),
        ];
        if let Some((option, _)) = about_requests.iter().find(|(_, given)| *given && !asks_for_codes) {
            return Err(format!(
                "{option}: is about authorization requests, and this client makes none; \
                 give --grant-type authorization_code as well"
            )
            .into());
        }
        if self.require_signed_request {
            client.keys.must_verify("--require-signed-request")?;
        }
        if let Some(algorithm) = self.request_object_alg {
            client.keys.must_verify("--request-object-alg")?;
            client.keys.must_admit("--request-object-alg", algorithm)?;
        }
        // "the endpoint MUST also require some form of authorization" (RFC 7662 §2.1).
        if self.introspection_alg.is_some() && client.method == AuthMethod::None {
            return Err(
                "--introspection-alg: a public client is told nothing about tokens (RFC 7662 §2.1); \
                        give --confidential or --auth-method"
                    .into(),
            );
        }
        Ok(())
    }

    /// The resources in the order of the arguments, each once; `None` where that is left to the server.
    pub(super) fn resources(&self) -> Option<Vec<String>> {
        let mut resources = Vec::new();
        for resource in &self.resources {
            if !resources.contains(resource) {
                resources.push(resource.clone());
            }
        }
        Some(resources).filter(|resources| !resources.is_empty())
    }
}

/// "an absolute URI […] MUST NOT include a fragment component" (RFC 8707 §2), and one that settings can name.
fn resource(text: &str) -> Result<String, &'static str> {
    match Url::parse(text) {
        Ok(url) if url.fragment().is_none() && matches!(url.scheme(), "https" | "http") => {
            Ok(text.to_owned())
        }
        _ => Err("must be an https URL without a fragment (RFC 8707 §2)"),
    }
}
