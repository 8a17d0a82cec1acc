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
/// tokens for, which this client may ask for. Empty where none was asked for: then the default audience is meant.
pub async fn requested(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    client: &Client,
    params: &Params,
) -> Result<Vec<String>, ResourceError> {
    let named = named(params)?;
    if named.is_empty() {
        return Ok(named);
    }
    let allowed = cx.host.allowed_resources(&client.client_id).await.map_err(ResourceError::Host)?;
    let may_ask = |resource: &String| {
        let is_among =
            |limit: &Option<Vec<String>>| limit.as_ref().is_none_or(|list| list.contains(resource));
        is_served(&cx.server.config, resource) && is_among(&client.resources) && is_among(&allowed)
    };
    if named.iter().all(may_ask) { Ok(named) } else { Err(ResourceError::InvalidTarget) }
}

/// The resources of a token request whose grant is for `granted`: some of those, never others (§2.2); all of them where
/// none is named. A grant for none is one for the default audience, which the client may name.
pub fn narrowed(config: &Config, granted: &[String], params: &Params) -> Result<Vec<String>, ResourceError> {
    let named = named(params)?;
    let granted = if granted.is_empty() && !named.is_empty() {
        std::slice::from_ref(&config.audience)
    } else {
        granted
    };
    match named {
        named if named.is_empty() => Ok(granted.to_vec()),
        named if named.iter().all(|resource| granted.contains(resource)) => Ok(named),
        _ => Err(ResourceError::InvalidTarget),
    }
}

/// Whether tokens are issued for it. "Its value MUST be an absolute URI, as specified by Section 4.3 of [RFC 3986]
/// [and] MUST NOT include a fragment component" (§2): every resource of the settings is one, so whatever is, octet for octet,
/// one of them is one too.
fn is_served(config: &Config, resource: &String) -> bool {
    *resource == config.audience || config.resource_indicators.contains(resource)
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

#[cfg(test)]
mod tests {
    use super::*;

    const API: &str = "https://api.example";
    const ORDERS: &str = "https://orders.example/v1";

    fn config() -> Config {
        Config::from_toml(&format!(
            "issuer = \"https://auth.example\"\naudience = \"{API}\"\nscopes_supported = [\"openid\"]\n\
             resource_indicators = [\"{ORDERS}\"]"
        ))
        .expect("settings")
    }

    fn asking(resources: &[&str]) -> Params {
        let text = crate::params::encode(resources.iter().map(|resource| ("resource", *resource)));
        Params::parse(text.as_bytes()).expect("own encoding")
    }

    fn narrow(granted: &[&str], asked: &[&str]) -> Result<Vec<String>, ResourceError> {
        let granted: Vec<_> = granted.iter().map(|resource| (*resource).to_owned()).collect();
        narrowed(&config(), &granted, &asking(asked))
    }

    #[test]
    fn without_a_resource_everything_granted_is_meant() {
        assert_eq!(narrow(&[], &[]), Ok(vec![]));
        assert_eq!(narrow(&[API, ORDERS], &[]), Ok(vec![API.to_owned(), ORDERS.to_owned()]));
    }

    #[test]
    fn a_grant_is_narrowed_and_never_widened() {
        assert_eq!(narrow(&[API, ORDERS], &[ORDERS]), Ok(vec![ORDERS.to_owned()]));
        for asked in [&[API][..], &[ORDERS, API], &["https://other.example"]] {
            assert_eq!(narrow(&[ORDERS], asked), Err(ResourceError::InvalidTarget), "{asked:?}");
        }
    }

    #[test]
    fn of_a_grant_for_the_default_audience_only_that_can_be_named() {
        assert_eq!(narrow(&[], &[API]), Ok(vec![API.to_owned()]));
        assert_eq!(narrow(&[], &[ORDERS]), Err(ResourceError::InvalidTarget));
    }

    #[test]
    fn resources_are_compared_octet_by_octet_and_folded() {
        assert_eq!(narrow(&[API, ORDERS], &[ORDERS, ORDERS]), Ok(vec![ORDERS.to_owned()]));
        for other in
            ["https://orders.example/v1/", "https://ORDERS.example/v1", "https://orders.example/v1#x", "v1"]
        {
            assert_eq!(narrow(&[ORDERS], &[other]), Err(ResourceError::InvalidTarget), "{other}");
        }
    }

    #[test]
    fn the_number_of_resources_is_bounded() {
        let many: Vec<_> = (0..=MAX_RESOURCES).map(|number| format!("https://{number}.example")).collect();
        let asked: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(narrowed(&config(), &many, &asking(&asked)), Err(ResourceError::InvalidTarget));
        assert!(narrowed(&config(), &many, &asking(asked.get(1..).unwrap_or_default())).is_ok());
    }
}
