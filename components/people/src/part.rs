//! The part's decisions: who is at the browser, do they agree, and what their forms answer.

use crate::{
    claims,
    consent::{self, Asked},
    cookie::Cookie,
    csrf,
    form::{Form, Malformed},
    http::{Request, Response},
    pages::{self, ConsentForm, Problem, SignInForm},
    password,
    record::User,
    secret::{Random, Secret, is_sealed},
    session::Session,
    settings::Settings,
    store::{Store, Unavailable},
    throttle::{Attempt, Throttled},
    username,
};
use serde_json::{Map, Value};

/// What an interaction is about.
#[derive(Debug, Clone, Default)]
pub struct Authorization {
    /// The request's own parameters, encoded.
    pub parameters: String,
    /// The client.
    pub client_id: String,
    /// What the client calls itself.
    pub client_name: String,
    /// Where the person will be sent.
    pub redirect_uri: String,
    /// The scope that would be granted.
    pub scope: Vec<String>,
    /// The resources it would be granted for; none is the one that goes without saying.
    pub resources: Vec<String>,
    /// OIDC Core §3.1.2.1 `login_hint`.
    pub login_hint: Option<String>,
}

/// OIDC Core §3.1.2.1: what a request demands of the authentication.
#[derive(Debug, Clone, Copy)]
pub struct AuthenticationDemand {
    /// Whether a page may be shown.
    pub interactive: bool,
    /// `prompt=login`.
    pub force_reauthentication: bool,
    /// `max_age`, in seconds.
    pub max_age: Option<u64>,
}

/// Who is at the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Establishment {
    /// This person.
    Authenticated {
        /// The subject identifier.
        sub: String,
        /// When they authenticated.
        auth_time: u64,
        /// The session's name towards clients.
        sid: String,
    },
    /// Show this.
    Respond(Response),
    /// Nobody, and no page may be shown.
    None,
}

/// OIDC Core §3.1.2.1: what a request demands of the consent.
#[derive(Debug, Clone, Copy)]
pub struct ConsentDemand {
    /// Whether a page may be shown.
    pub interactive: bool,
    /// `prompt=consent`.
    pub force_consent: bool,
}

/// Whether the person agrees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsentDecision {
    /// They did before.
    Consented,
    /// Ask with this.
    Respond(Response),
    /// They would have to be asked, and no page may be shown.
    None,
}

/// What a request below the prefix comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Show this.
    Respond(Response),
    /// Go on with the authorization request.
    GoOn {
        /// The request.
        parameters: String,
        /// `Set-Cookie` values.
        set_cookie: Vec<String>,
    },
    /// The answer on a consent page.
    Answered {
        /// The request.
        parameters: String,
        /// The authorization server's single-use token.
        grant: String,
        /// The answer.
        allowed: bool,
    },
}

/// The part at work on one call.
pub struct People<'a, S, R> {
    /// Checked settings.
    pub settings: &'a Settings,
    /// The records.
    pub store: S,
    /// Random bytes.
    pub random: R,
}

impl<S: Store, R: Random> People<'_, S, R> {
    /// Whether this subject is admitted.
    pub fn is_admitted(&self, sub: &str) -> Result<bool, Unavailable> {
        Ok(User::admitted(&self.store, sub)?.is_some())
    }

    /// The claims of this person that `scope` asks for; none of somebody who is not admitted.
    pub fn userinfo_claims(&self, sub: &str, scope: &[String]) -> Result<Map<String, Value>, Unavailable> {
        Ok(User::admitted(&self.store, sub)?.map(|user| claims::userinfo(&user, scope)).unwrap_or_default())
    }

    /// Who is at the browser?
    pub fn establish(
        &self,
        request: &Request,
        authorization: &Authorization,
        demand: AuthenticationDemand,
    ) -> Result<Establishment, Unavailable> {
        let session = Session::find(&self.store, self.settings, request)?;
        if let Some(session) = &session
            && !demand.force_reauthentication
            && session.is_recent_enough(demand.max_age, request.now)
        {
            session.note_use(&self.store, request.now)?;
            return Ok(Establishment::Authenticated {
                sub: session.user.sub.clone(),
                auth_time: session.auth_time(),
                sid: session.sid().to_owned(),
            });
        }
        if !demand.interactive {
            return Ok(Establishment::None);
        }
        let known = session.as_ref().map(|session| session.user.username.as_str());
        let username = authorization.login_hint.as_deref().or(known).unwrap_or_default();
        self.sign_in_page(request, authorization, username).map(Establishment::Respond)
    }

    fn sign_in_page(
        &self,
        request: &Request,
        authorization: &Authorization,
        username: &str,
    ) -> Result<Response, Unavailable> {
        let form = SignInForm {
            parameters: &authorization.parameters,
            client: &pages::client_label(&authorization.client_name, &authorization.client_id),
            redirect_uri: &authorization.redirect_uri,
        };
        let username = shown_username(username);
        // One visit serves every tab: a new one at each page would spoil the forms in the others.
        if let Some(visit) = self.visit(request) {
            return pages::sign_in(self.settings, &visit, &form, &username, None);
        }
        let visit = Secret::random(&self.random)?;
        let page = pages::sign_in(self.settings, &visit, &form, &username, None)?;
        Ok(page.with("set-cookie", Cookie::Visit.set(self.settings, visit.expose())))
    }

    fn visit(&self, request: &Request) -> Option<Secret> {
        Cookie::Visit.read(self.settings, request).and_then(Secret::parse)
    }

    /// Does this person agree?
    pub fn consent(
        &self,
        request: &Request,
        authorization: &Authorization,
        demand: ConsentDemand,
        sub: &str,
        grant: &str,
    ) -> Result<ConsentDecision, Unavailable> {
        let Authorization { client_id, redirect_uri, scope, resources, .. } = authorization;
        let asked = Asked { scope, resources }.values();
        if !demand.force_consent && consent::is_remembered(&self.store, sub, client_id, redirect_uri, &asked)?
        {
            return Ok(ConsentDecision::Consented);
        }
        if !demand.interactive {
            return Ok(ConsentDecision::None);
        }
        let session =
            Session::find(&self.store, self.settings, request)?.filter(|session| session.user.sub == sub);
        // The session may have ended in another tab since it was established.
        let Some(session) = session else { return self.out_of_date().map(ConsentDecision::Respond) };
        let form = ConsentForm {
            parameters: &authorization.parameters,
            grant,
            client_id,
            redirect_uri,
            scope: &scope.join(" "),
            resources,
        };
        let client = pages::client_label(&authorization.client_name, client_id);
        pages::consent(self.settings, session.secret(), &form, &client, session.user.display_name())
            .map(ConsentDecision::Respond)
    }

    /// A request below the prefix.
    pub fn handle(&self, request: &Request) -> Result<Reply, Unavailable> {
        let Some(route) = request.path.strip_prefix(&self.settings.prefix).and_then(Route::of) else {
            let text = "There is no such page here.";
            return pages::notice(self.settings, 404, "Not found", text).map(Reply::Respond);
        };
        if !route.methods().contains(&request.method.as_str()) {
            let text =
                "This address only takes what a form sends. Go back to the application and start again.";
            let page = pages::notice(self.settings, 405, "Start again", text)?;
            return Ok(Reply::Respond(page.with("allow", route.methods().join(", "))));
        }
        match route {
            Route::Account => self.account(request).map(Reply::Respond),
            Route::Style => {
                Ok(Reply::Respond(Response::asset("text/css; charset=utf-8", pages::STYLE.as_bytes())))
            }
            Route::Icon => Ok(Reply::Respond(Response::asset("image/svg+xml", pages::ICON.as_bytes()))),
            Route::Form(action) => self.posted(request, action),
        }
    }

    fn account(&self, request: &Request) -> Result<Response, Unavailable> {
        let session = Session::find(&self.store, self.settings, request)?;
        pages::account(
            self.settings,
            session.as_ref().map(|session| (session.user.display_name(), session.secret())),
        )
    }

    fn posted(&self, request: &Request, action: Action) -> Result<Reply, Unavailable> {
        if !csrf::is_same_origin(self.settings, request) {
            return self.out_of_date().map(Reply::Respond);
        }
        match Form::read(request) {
            Ok(form) => match action {
                Action::SignIn => self.sign_in(request, &form),
                Action::Consent => self.answer(request, &form),
                Action::Switch => self.switch(request, &form),
                Action::SignOut => self.sign_out(request, &form),
            },
            Err(malformed) => self.malformed(malformed).map(Reply::Respond),
        }
    }

    fn sign_in(&self, request: &Request, form: &Form) -> Result<Reply, Unavailable> {
        let carried = SignInForm {
            parameters: form.get("parameters"),
            client: form.get("client"),
            redirect_uri: form.get("redirect_uri"),
        };
        // A sign-in is as much worth forging as anything after it: the victim would work in the attacker's account.
        let sealed = |visit: &Secret| is_sealed(visit, "sign-in", &carried.fields(), form.get("token"));
        let Some(visit) = self.visit(request).filter(sealed) else {
            return self.out_of_date().map(Reply::Respond);
        };
        let typed = form.get("username");
        match self.authenticate(typed, form.get("password"), request.now)? {
            Ok(user) => {
                Session::end(&self.store, self.settings, request)?;
                let cookie = Session::start(&self.store, &self.random, &user, request.now)?;
                Ok(Reply::GoOn {
                    parameters: carried.parameters.to_owned(),
                    set_cookie: vec![Cookie::Session.set(self.settings, &cookie)],
                })
            }
            Err(refusal) => {
                let problem = refusal.map_or(Problem::Wrong, |_| Problem::Throttled);
                let page =
                    pages::sign_in(self.settings, &visit, &carried, &shown_username(typed), Some(problem))?;
                Ok(Reply::Respond(match refusal {
                    Some(Throttled { retry_after }) => page.with("retry-after", retry_after.to_string()),
                    None => page,
                }))
            }
        }
    }

    /// The person with this username and password, or why not; `None` means one of the two is wrong.
    fn authenticate(
        &self,
        typed: &str,
        password: &str,
        now: u64,
    ) -> Result<Result<User, Option<Throttled>>, Unavailable> {
        let Some(username) = username::prepare(typed) else { return Ok(Err(None)) };
        let attempt = match Attempt::begin(&self.store, &username, now)? {
            Ok(attempt) => attempt,
            Err(throttled) => return Ok(Err(Some(throttled))),
        };
        let user = User::by_username(&self.store, &username)?;
        let matches = password::verify(password, user.as_ref().map(|user| user.password.as_str()))?;
        match user.filter(|_| matches) {
            Some(user) => {
                attempt.succeeded(&self.store)?;
                Ok(Ok(user))
            }
            None => Ok(Err(None)),
        }
    }

    fn answer(&self, request: &Request, form: &Form) -> Result<Reply, Unavailable> {
        let carried = ConsentForm {
            parameters: form.get("parameters"),
            grant: form.get("grant"),
            client_id: form.get("client_id"),
            redirect_uri: form.get("redirect_uri"),
            scope: form.get("scope"),
            resources: &[],
        };
        if self.session_behind(request, "consent", &carried.fields(), form)?.is_none() {
            return self.out_of_date().map(Reply::Respond);
        }
        let allowed = match form.get("decision") {
            "allow" => true,
            "deny" => false,
            _ => return self.malformed(Malformed::Fields).map(Reply::Respond),
        };
        Ok(Reply::Answered {
            parameters: carried.parameters.to_owned(),
            grant: carried.grant.to_owned(),
            allowed,
        })
    }

    /// Remembers an answer that has been honoured, or forgets what was remembered before it. Not done when the answer
    /// comes in: it may be stale, or have been honoured already.
    pub fn settle_consent(
        &self,
        sub: &str,
        client_id: &str,
        redirect_uri: &str,
        asked: Asked<'_>,
        allowed: bool,
        now: u64,
    ) -> Result<(), Unavailable> {
        if !allowed {
            return consent::forget(&self.store, sub, client_id);
        }
        let asked = asked.values();
        consent::remember(&self.store, sub, client_id, redirect_uri, asked.iter().map(String::as_str), now)
    }

    /// "Use another account": the session ends, and the authorization request asks for a sign-in again.
    fn switch(&self, request: &Request, form: &Form) -> Result<Reply, Unavailable> {
        let parameters = form.get("parameters");
        if self.session_behind(request, "switch", &[parameters], form)?.is_none() {
            return self.out_of_date().map(Reply::Respond);
        }
        Session::end(&self.store, self.settings, request)?;
        Ok(Reply::GoOn {
            parameters: parameters.to_owned(),
            set_cookie: vec![Cookie::Session.clear(self.settings)],
        })
    }

    fn sign_out(&self, request: &Request, form: &Form) -> Result<Reply, Unavailable> {
        if self.session_behind(request, "sign-out", &[], form)?.is_none() {
            return self.out_of_date().map(Reply::Respond);
        }
        Session::end(&self.store, self.settings, request)?;
        let cleared = Cookie::Session.clear(self.settings);
        Ok(Reply::Respond(Response::see_other(&self.settings.prefix).with("set-cookie", cleared)))
    }

    /// The session whose own page sent this form, with these fields unchanged.
    fn session_behind(
        &self,
        request: &Request,
        purpose: &str,
        fields: &[&str],
        form: &Form,
    ) -> Result<Option<Session>, Unavailable> {
        let session = Session::find(&self.store, self.settings, request)?;
        Ok(session.filter(|session| is_sealed(session.secret(), purpose, fields, form.get("token"))))
    }

    /// The form is not from a page of this browser's session. Which check failed is not said.
    fn out_of_date(&self) -> Result<Response, Unavailable> {
        let text = format!(
            "Go back to the application and start again. If this happens each time, allow cookies for {}.",
            self.settings.host
        );
        pages::notice(self.settings, 403, "This page is out of date", &text)
    }

    fn malformed(&self, malformed: Malformed) -> Result<Response, Unavailable> {
        let text = "What your browser sent could not be read. Go back to the application and start again.";
        pages::notice(self.settings, malformed.status(), "That did not work", text)
    }
}

/// A username as a page repeats it.
fn shown_username(typed: &str) -> String {
    typed.trim().chars().filter(|c| !c.is_control()).take(username::LONGEST).collect()
}

/// What is below the prefix.
#[derive(Debug, Clone, Copy)]
enum Route {
    Account,
    Style,
    Icon,
    Form(Action),
}

#[derive(Debug, Clone, Copy)]
enum Action {
    SignIn,
    Consent,
    Switch,
    SignOut,
}

impl Route {
    fn of(rest: &str) -> Option<Self> {
        Some(match rest {
            "" | "/" => Self::Account,
            "/style.css" => Self::Style,
            "/icon.svg" => Self::Icon,
            "/sign-in" => Self::Form(Action::SignIn),
            "/consent" => Self::Form(Action::Consent),
            "/switch" => Self::Form(Action::Switch),
            "/sign-out" => Self::Form(Action::SignOut),
            _ => return None,
        })
    }

    fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Account | Self::Style | Self::Icon => &["GET", "HEAD"],
            Self::Form(_) => &["POST"],
        }
    }
}

#[cfg(test)]
mod tests;
