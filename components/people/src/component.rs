//! The part as a component: WIT on one side, [`People`] on the other.

use crate::{
    bindings::{
        exports::attesto::people::{
            claims_provider, interaction, principal_store,
            types::{self, Error},
        },
        wasi::keyvalue::{atomics, store as keyvalue},
    },
    consent,
    http::{Request, Response},
    part::{
        AuthenticationDemand, Authorization, ConsentDecision, ConsentDemand, Establishment, People, Reply,
    },
    settings::Settings,
    store::{Store, Unavailable},
};
use std::sync::OnceLock;

pub(crate) struct Component;

static SETTINGS: OnceLock<Settings> = OnceLock::new();

type Bound = People<'static, Bucket, fn(&mut [u8]) -> Result<(), Unavailable>>;

fn people() -> Result<Bound, Unavailable> {
    let settings = SETTINGS.get().ok_or_else(|| Unavailable("not configured".into()))?;
    Ok(People { settings, store: Bucket::open(&settings.store)?, random })
}

fn random(bytes: &mut [u8]) -> Result<(), Unavailable> {
    getrandom::fill(bytes).map_err(|error| Unavailable(format!("random bytes: {error}")))
}

struct Bucket(keyvalue::Bucket);

impl Bucket {
    fn open(label: &str) -> Result<Self, Unavailable> {
        keyvalue::open(label).map(Self).map_err(|error| fault("open", label, &error))
    }
}

impl Store for Bucket {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        self.0.get(key).map_err(|error| fault("get", key, &error))
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Unavailable> {
        self.0.set(key, value).map_err(|error| fault("set", key, &error))
    }

    fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.0.delete(key).map_err(|error| fault("delete", key, &error))
    }

    fn increment(&self, key: &str, delta: i64) -> Result<i64, Unavailable> {
        atomics::increment(&self.0, key, delta).map_err(|error| fault("increment", key, &error))
    }
}

fn fault(operation: &str, key: &str, error: &keyvalue::Error) -> Unavailable {
    Unavailable(format!("key-value {operation} {key}: {error:?}"))
}

impl principal_store::Guest for Component {
    async fn load(sub: String) -> Result<Option<principal_store::Principal>, Error> {
        let admitted = people()?.is_admitted(&sub)?;
        Ok(admitted.then(|| principal_store::Principal { sub, claims: "{}".into() }))
    }

    /// The default part knows nothing about clients.
    async fn client_claims(_: String, _: Vec<String>) -> Result<String, Error> {
        Ok("{}".to_owned())
    }
}

impl claims_provider::Guest for Component {
    async fn userinfo_claims(sub: String, scope: Vec<String>) -> Result<String, Error> {
        let claims = people()?.userinfo_claims(&sub, &scope)?;
        Ok(serde_json::Value::from(claims).to_string())
    }

    async fn id_token_claims(_client_id: String, _sub: String, _scope: Vec<String>) -> Result<String, Error> {
        // OIDC Core §5.4: where there is an access token, these claims come from UserInfo.
        Ok("{}".into())
    }
}

impl interaction::Guest for Component {
    async fn configure(settings: interaction::Settings) -> Result<(), String> {
        let settings = match &settings.path_prefix {
            Some(prefix) => Settings::new(&settings.store, &settings.issuer, prefix)?,
            None => Settings::without_pages(&settings.store, &settings.issuer)?,
        };
        if SETTINGS.get_or_init(|| settings.clone()) == &settings {
            Ok(())
        } else {
            Err("configured before, with other settings".into())
        }
    }

    async fn establish(
        request: types::HttpRequest,
        authorization: types::Authorization,
        demand: interaction::AuthenticationDemand,
    ) -> Result<interaction::Establishment, Error> {
        let demand = AuthenticationDemand {
            interactive: demand.interactive,
            force_reauthentication: demand.force_reauthentication,
            max_age: demand.max_age,
        };
        Ok(match people()?.establish(&request.into(), &authorization.into(), demand)? {
            Establishment::Authenticated { sub, auth_time, sid } => {
                interaction::Establishment::Authenticated(interaction::ResourceOwner {
                    sub,
                    auth_time,
                    acr: None,
                    // RFC 8176 §2
                    amr: vec!["pwd".into()],
                    sid: Some(sid),
                })
            }
            Establishment::Respond(response) => interaction::Establishment::Respond(response.into()),
            Establishment::None => interaction::Establishment::None,
        })
    }

    async fn consent(
        request: types::HttpRequest,
        authorization: types::Authorization,
        demand: interaction::ConsentDemand,
        sub: String,
        grant: String,
    ) -> Result<interaction::ConsentDecision, Error> {
        let demand = ConsentDemand { interactive: demand.interactive, force_consent: demand.force_consent };
        Ok(match people()?.consent(&request.into(), &authorization.into(), demand, &sub, &grant)? {
            ConsentDecision::Consented => interaction::ConsentDecision::Consented,
            ConsentDecision::Respond(response) => interaction::ConsentDecision::Respond(response.into()),
            ConsentDecision::None => interaction::ConsentDecision::None,
        })
    }

    async fn settle_consent(
        sub: String,
        client_id: String,
        redirect_uri: String,
        scope: Vec<String>,
        resources: Vec<String>,
        allowed: bool,
        now: u64,
    ) -> Result<(), Error> {
        let asked = consent::Asked { scope: &scope, resources: &resources };
        Ok(people()?.settle_consent(&sub, &client_id, &redirect_uri, asked, allowed, now)?)
    }

    async fn handle(request: types::HttpRequest) -> Result<interaction::Reply, Error> {
        Ok(match people()?.handle(&request.into())? {
            Reply::Respond(response) => interaction::Reply::Respond(response.into()),
            Reply::GoOn { parameters, set_cookie } => {
                interaction::Reply::SignedIn(interaction::Continuation { parameters, set_cookie })
            }
            Reply::Answered { parameters, grant, allowed } => {
                interaction::Reply::Answered(interaction::ConsentAnswer { parameters, grant, allowed })
            }
        })
    }
}

impl From<Unavailable> for Error {
    fn from(Unavailable(text): Unavailable) -> Self {
        Self::Unavailable(text)
    }
}

impl From<types::HttpRequest> for Request {
    fn from(request: types::HttpRequest) -> Self {
        let types::HttpRequest { method, path, query, headers, body, now } = request;
        let headers = headers.into_iter().map(|header| (header.name, header.value)).collect();
        Self { method, path, query, headers, body, now }
    }
}

impl From<types::Authorization> for Authorization {
    fn from(authorization: types::Authorization) -> Self {
        // The pages are in English; `ui_locales` is a preference (OIDC Core §3.1.2.1).
        let types::Authorization {
            parameters,
            client_id,
            client_name,
            redirect_uri,
            scope,
            resources,
            login_hint,
            ui_locales: _,
        } = authorization;
        Self { parameters, client_id, client_name, redirect_uri, scope, resources, login_hint }
    }
}

impl From<Response> for types::HttpResponse {
    fn from(response: Response) -> Self {
        let headers = response
            .headers
            .into_iter()
            .map(|(name, value)| types::Header { name: name.into(), value: value.into_bytes() })
            .collect();
        Self { status: response.status, headers, body: response.body }
    }
}
