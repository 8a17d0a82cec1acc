//! From what the user agent brings to the parameters that count: those, the ones of a request object among them (RFC 9101),
//! or the ones stored behind a `request_uri` of this server (RFC 9126).

use rand_core::CryptoRng;

use super::refusal::{Refusal, Unsettled};
use super::request::Settled;
use crate::host::{Host, HostError};
use crate::params::{Params, Repeated};
use crate::pushed_request::{PushedRequest, Reference};
use crate::request_object;
use crate::server::Context;

/// How the parameters of a request have come to the server.
#[derive(Debug)]
pub enum Channel {
    /// With the user agent (RFC 6749 §4.1.1).
    UserAgent {
        /// In a request object of the client's.
        signed: bool,
    },
    /// From the client itself (RFC 9126 §2).
    Client {
        /// In a request object of the client's.
        signed: bool,
    },
    /// They had come before, and the user agent has brought a reference to them (RFC 9126 §4).
    Reference(Box<Reference>),
}

impl Channel {
    /// Whether the client has pushed them. What is stored was pushed where that was required.
    pub fn is_pushed(&self) -> bool {
        match self {
            Self::UserAgent { .. } => false,
            Self::Client { .. } | Self::Reference(_) => true,
        }
    }

    /// Whether the client has signed them.
    pub fn is_signed(&self) -> bool {
        match self {
            Self::UserAgent { signed } | Self::Client { signed } => *signed,
            Self::Reference(reference) => reference.request.signed,
        }
    }

    /// The reference to what is stored.
    pub fn reference(&self) -> Option<&Reference> {
        match self {
            Self::UserAgent { .. } | Self::Client { .. } => None,
            Self::Reference(reference) => Some(reference),
        }
    }
}

/// Why a request at the authorization endpoint goes no further.
#[derive(Debug)]
pub(super) enum Rejection {
    /// There is nobody to tell but the person.
    Page(Unsettled),
    /// The client is to be told.
    Answer(Box<(Settled, Refusal)>),
}

impl From<Unsettled> for Rejection {
    fn from(reason: Unsettled) -> Self {
        Self::Page(reason)
    }
}

/// Settles who asks and where the answer goes, from the parameters that count.
pub(super) async fn settle(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    presented: Params,
) -> Result<Settled, Rejection> {
    let one = |name| presented.one(name).map_err(|Repeated| Unsettled::Repeated);
    let client_id = one("client_id")?.ok_or(Unsettled::MissingClientId)?;
    let request_uri = one("request_uri")?;
    let reference = match request_uri.filter(|uri| uri.starts_with(PushedRequest::URN)) {
        Some(request_uri) => Some(find(cx, request_uri, client_id).await?),
        None => None,
    };
    let client = cx.host.load_client(client_id).await;
    let client =
        client.map_err(|fault| Unsettled::Host(of("clients", &fault)))?.ok_or(Unsettled::UnknownClient)?;
    // Whatever else the user agent brings, the client has not said (RFC 9126 §4, RFC 9101 §6.3).
    if let Some(reference) = reference {
        let params = reference.request.params();
        let params = params.ok_or_else(|| {
            Unsettled::Host(HostError("stores: a pushed request is not readable".to_owned()))
        })?;
        return Ok(Settled::new(client, params, Channel::Reference(Box::new(reference)))?);
    }
    // An object beside a foreign `request_uri`, or one that had to be pushed, is not looked at: the request is refused.
    let jwt = match presented.one("request") {
        Ok(Some(jwt)) if request_uri.is_none() && !cx.server.config.requires_pushed_request(&client) => jwt,
        _ => return Ok(Settled::new(client, presented, Channel::UserAgent { signed: false })?),
    };
    match request_object::verify(cx, &client, jwt).await {
        Ok(params) => Ok(Settled::new(client, params, Channel::UserAgent { signed: true })?),
        // The redirect URI beside the object is a registered one of this client, whoever has put it there.
        Err(error) => match Settled::new(client, presented, Channel::UserAgent { signed: false }) {
            Ok(settled) => Err(Rejection::Answer(Box::new((settled, Refusal::RequestObject(error))))),
            Err(_) => Err(Unsettled::RequestObject(error).into()),
        },
    }
}

/// What a `request_uri` of this server refers to: "The request URI MUST be bound to the client that posted the authorization
/// request" (RFC 9126 §2.2).
async fn find(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    request_uri: &str,
    client_id: &str,
) -> Result<Reference, Unsettled> {
    let found =
        Reference::find(cx, request_uri).await.map_err(|fault| Unsettled::Host(of("stores", &fault)))?;
    let reference = found.ok_or(Unsettled::UnknownRequestUri)?;
    if reference.client_id == client_id { Ok(reference) } else { Err(Unsettled::ForeignRequestUri) }
}

fn of(part: &str, fault: &HostError) -> HostError {
    HostError(format!("{part}: {fault}"))
}
