//! Resource indicators (RFC 8707).

use rand_core::CryptoRng;

use crate::client::Client;
use crate::config::Config;
use crate::host::{Host, HostError};
use crate::params::Params;
use crate::server::Context;

/// More resources than any one token is for.
const MAX_RESOURCES: usize = 16;

/// Why the resources asked for are not granted: `invalid_target` (§2), or a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceError {
    /// A `resource` is no absolute URI without a fragment, or not one this client may ask for.
    InvalidTarget,
    /// The policy did not answer.
    Host(HostError),
}

/// The resources of an authorization request, or of a token request without one before it: each a URI this server issues
/// tokens for, which this client may ask for. Empty is the default audience. A client that may not have that one, and names
/// none, means those it was registered for: "the authorization server [may] use a predefined default resource" (§2).
pub async fn requested(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    client: &Client,
    params: &Params,
) -> Result<Vec<String>, ResourceError> {
    let named = named(params)?;
    let limits = Limits::of(cx, client).await?;
    if !named.is_empty() {
        let all = named.iter().all(|resource| limits.admit(resource));
        return if all { Ok(named) } else { Err(ResourceError::InvalidTarget) };
    }
    if limits.admit(&cx.server.config.audience) {
        return Ok(named);
    }
    let registered = client.resources.iter().flatten();
    let own: Vec<_> = registered.filter(|resource| limits.admit(resource)).cloned().collect();
    if own.is_empty() { Err(ResourceError::InvalidTarget) } else { Ok(own) }
}

/// The resources of a token request whose grant is for `granted`: some of those, never others (§2.2); all of them where
/// none is named, as far as server, client and policy still have them. A grant for none is one for the default audience.
pub async fn narrowed(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    client: &Client,
    granted: &[String],
    params: &Params,
) -> Result<Vec<String>, ResourceError> {
    let named = named(params)?;
    let limits = Limits::of(cx, client).await?;
    let granted = if granted.is_empty() { std::slice::from_ref(&cx.server.config.audience) } else { granted };
    let left: Vec<_> = granted.iter().filter(|resource| limits.admit(resource)).cloned().collect();
    let narrowed = if named.is_empty() { left.clone() } else { named };
    let within = narrowed.iter().all(|resource| left.contains(resource));
    if within && !narrowed.is_empty() { Ok(narrowed) } else { Err(ResourceError::InvalidTarget) }
}

/// What a client may have tokens for.
struct Limits<'a> {
    config: &'a Config,
    client: &'a Client,
    policy: Option<Vec<String>>,
}

impl<'a> Limits<'a> {
    /// The policy is asked only where there is something to choose from.
    async fn of(
        cx: &Context<'a, impl Host, impl CryptoRng>,
        client: &'a Client,
    ) -> Result<Self, ResourceError> {
        let config = &cx.server.config;
        let policy = match config.resource_indicators.is_empty() {
            true => None,
            false => cx.host.allowed_resources(&client.client_id).await.map_err(ResourceError::Host)?,
        };
        Ok(Self { config, client, policy })
    }

    /// Whether tokens for `resource` are issued to the client. "Its value MUST be an absolute URI, as specified by Section
    /// 4.3 of [RFC 3986] [and] MUST NOT include a fragment component" (§2): every resource of the settings is one, so
    /// whatever is, octet for octet, one of them is one too.
    fn admit(&self, resource: &str) -> bool {
        let is_among = |limit: &Option<Vec<String>>| {
            limit.as_ref().is_none_or(|list| list.iter().any(|listed| listed == resource))
        };
        self.config.is_resource(resource) && is_among(&self.client.resources) && is_among(&self.policy)
    }
}

/// Every `resource` of the request, once. "Multiple resource parameters MAY be used" (§2).
fn named(params: &Params) -> Result<Vec<String>, ResourceError> {
    let mut named: Vec<String> = Vec::new();
    for resource in params.all("resource") {
        if !named.iter().any(|other| other == resource) {
            named.push(resource.to_owned());
        }
    }
    if named.len() > MAX_RESOURCES { Err(ResourceError::InvalidTarget) } else { Ok(named) }
}
