//! Request objects: authorization requests that their client has signed (RFC 9101, OIDC Core §6.1, FAPI 2.0 Message
//! Signing §5.3.1).

use std::time::Duration;

use rand_core::CryptoRng;
use serde_json::Value;

use crate::client::Client;
use crate::client_keys::{self, ClientKeysError};
use crate::config::{RequestObjectConfig, RequestObjectPolicy};
use crate::host::Host;
use crate::jose::{Algorithm, ClaimError, Claims, Header, JwsError, NumericDate, UnverifiedJws, jws};
use crate::params::{Params, may_repeat};
use crate::server::Context;

/// "a lifetime of no longer than 60 minutes after the `nbf` claim" and "an `nbf` claim that is no longer than 60 minutes in
/// the past" (FAPI 2.0 Message Signing §5.3.1).
const FAPI_LIFETIME: Duration = Duration::from_secs(3600);

/// The claims that make a request object a JWT (RFC 7519 §4.1), and are no parameters.
const JWT_CLAIMS: [&str; 6] = ["iss", "aud", "exp", "nbf", "iat", "jti"];

/// Why a request object is not honoured. The client is told no more than [`RequestObjectError::wire`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestObjectError {
    /// This server reads none.
    #[error("request objects are not supported")]
    NotSupported,
    /// It is no JWS, or not one of the client's keys has signed it with an algorithm it may use. A JWE is no JWS.
    #[error(transparent)]
    Signature(#[from] ClientKeysError),
    /// `typ` says it is something else.
    #[error("wrong type")]
    Type,
    /// A claim is missing, or says that the object is not for here and now.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// It is good for longer than 60 minutes, or has been.
    #[error("the lifetime is too long")]
    Lifetime,
    /// `client_id` is another client.
    #[error("the client_id is another")]
    ClientId,
    /// `request` or `request_uri` is among its claims.
    #[error("it has another request within")]
    Nested,
    /// A claim can not be a parameter, or there are too many.
    #[error("a claim is no parameter")]
    Parameter,
}

impl RequestObjectError {
    /// The `error` code and a fixed `error_description`.
    pub fn wire(&self) -> (&'static str, &'static str) {
        match self {
            // OIDC Core §3.1.2.6.
            Self::NotSupported => ("request_not_supported", "request is not supported"),
            Self::Signature(ClientKeysError::Fault(_)) => {
                ("server_error", "the server could not complete the request")
            }
            // RFC 9101 §6.3: "The client ID values in the `client_id` request parameter and in the Request Object `client_id`
            // claim MUST be identical", or the request is invalid as RFC 6749 §4.1.2.1 has it.
            Self::ClientId => ("invalid_request", "client_id is not the one of the request object"),
            // RFC 9101 §7: "invalid_request_object: The request parameter contains an invalid Request Object."
            Self::Signature(ClientKeysError::NoKeys(_) | ClientKeysError::Jws(_))
            | Self::Type
            | Self::Claim(_)
            | Self::Lifetime
            | Self::Nested
            | Self::Parameter => ("invalid_request_object", "the request object is invalid"),
        }
    }

    /// The cause of an internal fault, for the log.
    pub fn fault(&self) -> Option<&str> {
        match self {
            Self::Signature(ClientKeysError::Fault(cause)) => Some(cause),
            _ => None,
        }
    }
}

impl From<JwsError> for RequestObjectError {
    fn from(error: JwsError) -> Self {
        Self::Signature(ClientKeysError::Jws(error))
    }
}

/// Verifies a request object of this client. Its parameters are the whole request: "the authorization server MUST only use
/// the parameters in the Request Object, even if the same parameter is provided in the query parameter" (RFC 9101 §6.3).
pub async fn verify(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    client: &Client,
    jwt: &str,
) -> Result<Params, RequestObjectError> {
    let config = &cx.server.config;
    let policy = config.request_object.policy.ok_or(RequestObjectError::NotSupported)?;
    let jws = UnverifiedJws::parse(jwt)?;
    check_type(jws.header(), policy)?;
    let algorithms = algorithms(&config.request_object, client);
    let signed = jws::Policy { algorithms: &algorithms, typ: None };
    let claims = client_keys::verify(cx, client, jws, &signed).await?.into_claims()?;
    Expectations {
        policy,
        client_id: &client.client_id,
        issuer: &config.issuer,
        now: NumericDate::from_secs(cx.now),
        skew: Duration::from_secs(config.clock_skew),
    }
    .parameters(claims)
}

/// The algorithms this client's objects may be signed with: the server's, and of those the one the client has registered,
/// where it has. `none` is not among them.
fn algorithms(config: &RequestObjectConfig, client: &Client) -> Vec<Algorithm> {
    let registered = client.request_object_signing_alg.as_deref();
    let may_use = |alg: &Algorithm| {
        registered
            .is_none_or(|name| name.parse().is_ok_and(|registered: Algorithm| registered.agrees_with(*alg)))
    };
    config.algorithms.iter().copied().filter(may_use).collect()
}

/// RFC 9101 §4 leaves `typ` to the client and §10.8 recommends `oauth-authz-req+jwt`. The objects of OIDC Core are often
/// called what they are, a `JWT`.
fn check_type(header: &Header, policy: RequestObjectPolicy) -> Result<(), RequestObjectError> {
    let is_known = header.has_type("oauth-authz-req+jwt")
        || policy == RequestObjectPolicy::Generic && header.has_type("JWT");
    if header.typ.is_none() || is_known { Ok(()) } else { Err(RequestObjectError::Type) }
}

/// What a request object must say of itself.
#[derive(Clone, Copy, Debug)]
pub struct Expectations<'a> {
    /// Which policy it must keep to.
    pub policy: RequestObjectPolicy,
    /// The client that has signed it.
    pub client_id: &'a str,
    /// This server.
    pub issuer: &'a str,
    /// The time.
    pub now: NumericDate,
    /// How far the client's clock may be ahead.
    pub skew: Duration,
}

impl Expectations<'_> {
    /// The parameters of a request object whose signature is verified.
    pub fn parameters(&self, claims: Claims) -> Result<Params, RequestObjectError> {
        match self.policy {
            RequestObjectPolicy::Generic => self.check_generic(&claims)?,
            RequestObjectPolicy::FapiMessageSigning => self.check_fapi(&claims)?,
        }
        if claims.get("iat").is_some() {
            claims.check_iat(self.now, self.skew)?;
        }
        match claims.string("client_id")? {
            Some(client_id) if client_id != self.client_id => return Err(RequestObjectError::ClientId),
            // It is REQUIRED beside the object; what is within "MUST match […] if present" (OIDC Core §6.1). RFC 9101 §4 wants
            // every parameter within.
            None if self.policy == RequestObjectPolicy::FapiMessageSigning => {
                return Err(ClaimError::Missing("client_id").into());
            }
            _ => {}
        }
        // "The `request` and `request_uri` parameters MUST NOT be included in Request Objects" (RFC 9101 §4).
        if ["request", "request_uri"].iter().any(|name| claims.get(name).is_some()) {
            return Err(RequestObjectError::Nested);
        }
        let params = parameters(claims)?.with("client_id", self.client_id);
        params.map_err(|_| RequestObjectError::Parameter)
    }

    /// It "SHOULD contain the Claims `iss` (issuer) and `aud` (audience) as members" (OIDC Core §6.1, RFC 9101 §4): where it
    /// does they must be right, and so must the times.
    fn check_generic(&self, claims: &Claims) -> Result<(), RequestObjectError> {
        if claims.get("iss").is_some() {
            claims.check_iss(self.client_id)?;
        }
        if claims.get("aud").is_some() {
            claims.check_aud(&[self.issuer])?;
        }
        if claims.get("exp").is_some() {
            claims.check_exp(self.now, Duration::ZERO)?;
        }
        claims.check_nbf(self.now, self.skew)?;
        Ok(())
    }

    /// FAPI 2.0 Message Signing §5.3.1.
    fn check_fapi(&self, claims: &Claims) -> Result<(), RequestObjectError> {
        claims.check_iss(self.client_id)?;
        claims.check_aud(&[self.issuer])?;
        let exp = claims.check_exp(self.now, Duration::ZERO)?;
        let nbf = claims.time("nbf")?.ok_or(ClaimError::Missing("nbf"))?;
        claims.check_nbf(self.now, self.skew)?;
        if exp > nbf.plus(FAPI_LIFETIME) || self.now > nbf.plus(FAPI_LIFETIME) {
            return Err(RequestObjectError::Lifetime);
        }
        Ok(())
    }
}

/// The claims as parameters: "Parameter names and string values MUST be included as JSON strings. […] numerical values MUST
/// be included as JSON numbers" (RFC 9101 §4). What may be repeated is a list, and what is JSON in a query is JSON here.
fn parameters(claims: Claims) -> Result<Params, RequestObjectError> {
    let mut pairs = Vec::new();
    let claims = claims.into_map().into_iter().filter(|(name, _)| !JWT_CLAIMS.contains(&name.as_str()));
    for (name, value) in claims {
        match value {
            Value::String(value) => pairs.push((name, value)),
            Value::Array(values) if may_repeat(&name) => {
                for value in values {
                    let Value::String(value) = value else { return Err(RequestObjectError::Parameter) };
                    pairs.push((name.clone(), value));
                }
            }
            Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                pairs.push((name, value.to_string()))
            }
            Value::Null => return Err(RequestObjectError::Parameter),
        }
    }
    Params::new(pairs).map_err(|_| RequestObjectError::Parameter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::json;

    const NOW: u64 = 1_800_000_000;

    fn read(policy: RequestObjectPolicy, claims: &str) -> Result<Params, RequestObjectError> {
        let expectations = Expectations {
            policy,
            client_id: "s6BhdRkqt3",
            issuer: "https://auth.example",
            now: NumericDate::from_secs(NOW),
            skew: Duration::from_secs(10),
        };
        expectations.parameters(Claims::from(json::object(claims.as_bytes()).expect("an object")))
    }

    #[test]
    fn claims_become_the_parameters_of_a_query() {
        let params = read(
            RequestObjectPolicy::Generic,
            r#"{"iss":"s6BhdRkqt3","aud":["https://auth.example"],"iat":1799999999,"jti":"x","state":"a b","nonce":"",
                "max_age":86400,"claims":{"id_token":{"acr":null}},"resource":["https://a.example","https://b.example"],
                "authorization_details":[{"type":"x"}]}"#,
        )
        .expect("parameters");
        let one = |name| params.one(name).expect("once");
        assert_eq!(one("client_id"), Some("s6BhdRkqt3"));
        assert_eq!(one("state"), Some("a b"));
        assert_eq!(one("max_age"), Some("86400"));
        assert_eq!(one("claims"), Some(r#"{"id_token":{"acr":null}}"#));
        assert_eq!(one("authorization_details"), Some(r#"[{"type":"x"}]"#));
        assert_eq!(params.all("resource").collect::<Vec<_>>(), ["https://a.example", "https://b.example"]);
        for absent in ["nonce", "iss", "aud", "iat", "jti"] {
            assert_eq!(one(absent), None, "{absent}");
        }
    }

    #[test]
    fn what_no_query_could_say_is_refused() {
        for claims in [r#"{"state":null}"#, r#"{"resource":[1]}"#, r#"{"resource":[["x"]]}"#] {
            assert_eq!(
                read(RequestObjectPolicy::Generic, claims).map(drop),
                Err(RequestObjectError::Parameter)
            );
        }
        let many: Vec<_> = (0..65).map(|number| format!("\"p{number}\":1")).collect();
        let many = format!("{{{}}}", many.join(","));
        assert_eq!(read(RequestObjectPolicy::Generic, &many).map(drop), Err(RequestObjectError::Parameter));
    }

    #[test]
    fn a_generic_object_need_not_say_who_for_whom_and_when() {
        assert!(read(RequestObjectPolicy::Generic, r#"{"response_type":"code"}"#).is_ok());
    }

    #[test]
    fn what_a_generic_object_says_of_itself_must_be_right() {
        for (claims, error) in [
            (r#"{"iss":"other"}"#, ClaimError::WrongIssuer),
            (r#"{"aud":"https://other.example"}"#, ClaimError::WrongAudience),
            (r#"{"exp":1800000000}"#, ClaimError::Expired),
            (r#"{"nbf":1800000011}"#, ClaimError::NotYetValid),
            (r#"{"iat":1800000011}"#, ClaimError::IssuedInFuture),
            (r#"{"exp":"soon"}"#, ClaimError::Malformed("exp")),
        ] {
            let refused = read(RequestObjectPolicy::Generic, claims).map(drop);
            assert_eq!(refused, Err(RequestObjectError::Claim(error)), "{claims}");
        }
    }

    #[test]
    fn the_bounds_of_fapi_are_met_to_the_second() {
        let of = |nbf: u64, exp: u64| {
            let claims = format!(
                "{{\"iss\":\"s6BhdRkqt3\",\"client_id\":\"s6BhdRkqt3\",\"aud\":\"https://auth.example\",\
                 \"nbf\":{nbf},\"exp\":{exp}}}"
            );
            read(RequestObjectPolicy::FapiMessageSigning, &claims).map(drop)
        };
        assert_eq!(of(NOW, NOW + 3600), Ok(()));
        assert_eq!(of(NOW + 10, NOW + 3610), Ok(()));
        assert_eq!(of(NOW - 3599, NOW + 1), Ok(()));
        assert_eq!(of(NOW, NOW + 3601), Err(RequestObjectError::Lifetime));
        assert_eq!(of(NOW - 3601, NOW + 1), Err(RequestObjectError::Lifetime));
        assert_eq!(of(NOW + 11, NOW + 60), Err(ClaimError::NotYetValid.into()));
        assert_eq!(of(NOW - 60, NOW), Err(ClaimError::Expired.into()));
    }
}
