//! Subjects, what is said about them, and the pages they see.

use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use attesto::host::{
    AuthenticationDemand, Authorization, ClaimsProvider, ConsentDecision, ConsentDemand, Establishment,
    HostError, Interaction, Principal, PrincipalStore, Reply, ResourceOwner,
};
use attesto::http::{Body, Request, Response};
use attesto::scope::Scope;
use attesto::secret::Secret;
use serde_json::{Map, Value};

use super::{HostErrorOf, Parts, failed};
use crate::bindings::attesto::people;

impl From<people::types::Error> for HostErrorOf {
    fn from(people::types::Error::Unavailable(cause): people::types::Error) -> Self {
        Self(HostError(cause))
    }
}

impl PrincipalStore for Parts {
    async fn load_principal(&self, sub: &str) -> Result<Option<Principal>, HostError> {
        match people::principal_store::load(sub.to_owned()).await.map_err(failed)? {
            Some(principal) if principal.sub == sub => {
                Ok(Some(Principal { claims: object(&principal.claims)?, sub: principal.sub }))
            }
            Some(_) => Err(HostError("the people part answered with another subject".to_owned())),
            None => Ok(None),
        }
    }

    async fn client_claims(&self, client_id: &str, scope: &Scope) -> Result<Map<String, Value>, HostError> {
        let claims = people::principal_store::client_claims(client_id.to_owned(), scope.tokens().to_vec());
        object(&claims.await.map_err(failed)?)
    }
}

impl ClaimsProvider for Parts {
    async fn userinfo_claims(&self, sub: &str, scope: &Scope) -> Result<Map<String, Value>, HostError> {
        let claims = people::claims_provider::userinfo_claims(sub.to_owned(), scope.tokens().to_vec());
        object(&claims.await.map_err(failed)?)
    }

    async fn id_token_claims(
        &self,
        client_id: &str,
        sub: &str,
        scope: &Scope,
    ) -> Result<Map<String, Value>, HostError> {
        let scope = scope.tokens().to_vec();
        let claims = people::claims_provider::id_token_claims(client_id.to_owned(), sub.to_owned(), scope);
        object(&claims.await.map_err(failed)?)
    }
}

fn object(json: &str) -> Result<Map<String, Value>, HostError> {
    serde_json::from_str(json).map_err(|error| HostError(format!("claims are no JSON object: {error}")))
}

impl Interaction for Parts {
    async fn establish(
        &self,
        request: &Request,
        now: u64,
        authorization: &Authorization,
        demand: AuthenticationDemand,
    ) -> Result<Establishment, HostError> {
        use people::interaction::{self as wit, Establishment as Wit};
        let demand = wit::AuthenticationDemand {
            interactive: demand.interactive,
            force_reauthentication: demand.force_reauthentication,
            max_age: demand.max_age,
        };
        let answer =
            wit::establish(request_out(request, now), authorization_out(authorization), demand).await;
        Ok(match answer.map_err(failed)? {
            Wit::Authenticated(owner) => Establishment::Authenticated(ResourceOwner {
                sub: owner.sub,
                auth_time: owner.auth_time,
                acr: owner.acr,
                amr: owner.amr,
                sid: owner.sid,
            }),
            Wit::Respond(response) => Establishment::Respond(response_in(response)?),
            Wit::None => Establishment::None,
        })
    }

    async fn consent(
        &self,
        request: &Request,
        now: u64,
        authorization: &Authorization,
        demand: ConsentDemand,
        sub: &str,
        grant: &Secret<String>,
    ) -> Result<ConsentDecision, HostError> {
        use people::interaction::{self as wit, ConsentDecision as Wit};
        let demand =
            wit::ConsentDemand { interactive: demand.interactive, force_consent: demand.force_consent };
        let (request, authorization) = (request_out(request, now), authorization_out(authorization));
        let answer =
            wit::consent(request, authorization, demand, sub.to_owned(), grant.expose().clone()).await;
        Ok(match answer.map_err(failed)? {
            Wit::Consented => ConsentDecision::Consented,
            Wit::Denied => ConsentDecision::Denied,
            Wit::Respond(response) => ConsentDecision::Respond(response_in(response)?),
            Wit::None => ConsentDecision::None,
        })
    }

    async fn settle_consent(
        &self,
        authorization: &Authorization,
        sub: &str,
        allowed: bool,
        now: u64,
    ) -> Result<(), HostError> {
        let Authorization { client_id, redirect_uri, scope, resources, .. } = authorization;
        let scope = scope.tokens().to_vec();
        people::interaction::settle_consent(
            sub.to_owned(),
            client_id.clone(),
            redirect_uri.clone(),
            scope,
            resources.clone(),
            allowed,
            now,
        )
        .await
        .map_err(failed)
    }

    async fn handle(&self, request: &Request, now: u64) -> Result<Reply, HostError> {
        use people::interaction::{self as wit, Reply as Wit};
        Ok(match wit::handle(request_out(request, now)).await.map_err(failed)? {
            Wit::Respond(response) => Reply::Respond(response_in(response)?),
            Wit::SignedIn(on) => Reply::SignedIn { parameters: on.parameters, set_cookie: on.set_cookie },
            Wit::Answered(answer) => Reply::Answered {
                parameters: answer.parameters,
                grant: Secret::new(answer.grant),
                allowed: answer.allowed,
            },
        })
    }
}

fn request_out(request: &Request, now: u64) -> people::types::HttpRequest {
    people::types::HttpRequest {
        method: request.method.as_str().to_owned(),
        path: request.path.clone(),
        query: request.query.clone(),
        headers: request
            .headers
            .iter()
            .map(|(name, value)| people::types::Header {
                name: name.as_str().to_owned(),
                value: value.as_bytes().to_vec(),
            })
            .collect(),
        body: match &request.body {
            Body::Complete(body) => body.clone(),
            // What is too large for the engine is too large for a form; an empty one is refused as malformed.
            Body::TooLarge => Vec::new(),
        },
        now,
    }
}

fn response_in(response: people::types::HttpResponse) -> Result<Response, HostError> {
    let status = StatusCode::from_u16(response.status)
        .map_err(|_| HostError(format!("the people part answered with status {}", response.status)))?;
    let mut headers = HeaderMap::new();
    for header in response.headers {
        let name = HeaderName::try_from(header.name.as_str());
        let value = HeaderValue::from_bytes(&header.value);
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(HostError("the people part answered with a malformed header".to_owned()));
        };
        headers.append(name, value);
    }
    Ok(Response { status, headers, body: response.body })
}

fn authorization_out(authorization: &Authorization) -> people::types::Authorization {
    people::types::Authorization {
        parameters: authorization.parameters.clone(),
        client_id: authorization.client_id.clone(),
        client_name: authorization.client_name.clone(),
        redirect_uri: authorization.redirect_uri.clone(),
        scope: authorization.scope.tokens().to_vec(),
        resources: authorization.resources.clone(),
        login_hint: authorization.login_hint.clone(),
        ui_locales: authorization.ui_locales.clone(),
    }
}
