//! The pages. Every value goes through the templates' escaping; what a client chose is cleaned first.

use crate::{
    destination::Destination,
    http::Response,
    secret::{Secret, digest, seal},
    settings::Settings,
    store::Unavailable,
};
use askama::Template;
use std::sync::LazyLock;

/// The stylesheet.
pub const STYLE: &str = include_str!("../assets/style.css");
/// The icon.
pub const ICON: &str = include_str!("../assets/icon.svg");

/// Changes with the assets, and so does their address.
static VERSION: LazyLock<String> =
    LazyLock::new(|| digest(&format!("{STYLE}{ICON}")).chars().take(10).collect());

/// What surrounds each page.
struct Frame<'a> {
    host: &'a str,
    prefix: &'a str,
    version: &'a str,
}

impl<'a> Frame<'a> {
    fn of(settings: &'a Settings) -> Self {
        Self { host: &settings.host, prefix: &settings.prefix, version: &VERSION }
    }
}

/// What a sign-in form carries besides the person's input, sealed under the visit so that only this part's own page has it.
pub struct SignInForm<'a> {
    /// The authorization request to go on with.
    pub parameters: &'a str,
    /// The client's name, as [`client_label`] leaves it.
    pub client: &'a str,
    /// Where the flow leads, for the page's policy.
    pub redirect_uri: &'a str,
}

impl SignInForm<'_> {
    /// The fields in the order they are sealed.
    pub fn fields(&self) -> [&str; 3] {
        [self.parameters, self.client, self.redirect_uri]
    }
}

/// The page that asks for username and password. `problem` says why the last attempt failed.
pub fn sign_in(
    settings: &Settings,
    visit: &Secret,
    form: &SignInForm<'_>,
    username: &str,
    problem: Option<Problem>,
) -> Result<Response, Unavailable> {
    #[derive(Template)]
    #[template(path = "sign_in.html")]
    struct Page<'a> {
        frame: Frame<'a>,
        client: &'a str,
        parameters: &'a str,
        redirect_uri: &'a str,
        token: String,
        username: &'a str,
        problem: Option<&'static str>,
    }
    let html = render(&Page {
        frame: Frame::of(settings),
        client: form.client,
        parameters: form.parameters,
        redirect_uri: form.redirect_uri,
        token: seal(visit, "sign-in", &form.fields()),
        username,
        problem: problem.map(Problem::text),
    })?;
    let form_action = Destination::of(form.redirect_uri).form_action();
    Ok(Response::page(problem.map_or(200, Problem::status), form_action.as_deref(), html))
}

/// Why an attempt to sign in failed, as far as the person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// Username or password; which of them is not said.
    Wrong,
    /// Too many attempts.
    Throttled,
}

impl Problem {
    fn text(self) -> &'static str {
        match self {
            Self::Wrong => "That username and password do not match. Check both and try again.",
            Self::Throttled => "Too many attempts with this username. Wait a few minutes and try again.",
        }
    }

    fn status(self) -> u16 {
        match self {
            Self::Wrong => 422,
            Self::Throttled => 429,
        }
    }
}

/// What a consent form carries, sealed under the session.
pub struct ConsentForm<'a> {
    /// The authorization request that is agreed to.
    pub parameters: &'a str,
    /// The authorization server's single-use token for what the page shows.
    pub grant: &'a str,
    /// The client.
    pub client_id: &'a str,
    /// Where the person will be sent.
    pub redirect_uri: &'a str,
    /// The scope values, separated by spaces.
    pub scope: &'a str,
    /// The resources they would count at, as the page shows them; the grant stands for them.
    pub resources: &'a [String],
}

impl ConsentForm<'_> {
    /// The fields in the order they are sealed.
    pub fn fields(&self) -> [&str; 5] {
        [self.parameters, self.grant, self.client_id, self.redirect_uri, self.scope]
    }
}

/// The page that asks whether `client` may do what the form's scope says.
pub fn consent(
    settings: &Settings,
    session: &Secret,
    form: &ConsentForm<'_>,
    client: &str,
    person: &str,
) -> Result<Response, Unavailable> {
    #[derive(Template)]
    #[template(path = "consent.html")]
    struct Page<'a> {
        frame: Frame<'a>,
        client: &'a str,
        person: &'a str,
        parameters: &'a str,
        grant: &'a str,
        client_id: &'a str,
        redirect_uri: &'a str,
        scope_text: &'a str,
        scope: Vec<ScopeLine<'a>>,
        resources: &'a [String],
        destination: Destination,
        token: String,
        switch_token: String,
    }
    let destination = Destination::of(form.redirect_uri);
    let form_action = destination.form_action();
    let html = render(&Page {
        frame: Frame::of(settings),
        client,
        person,
        parameters: form.parameters,
        grant: form.grant,
        client_id: form.client_id,
        redirect_uri: form.redirect_uri,
        scope_text: form.scope,
        scope: form.scope.split_whitespace().map(ScopeLine::of).collect(),
        resources: form.resources,
        destination,
        token: seal(session, "consent", &form.fields()),
        switch_token: seal(session, "switch", &[form.parameters]),
    })?;
    Ok(Response::page(200, form_action.as_deref(), html))
}

/// A scope value as the consent page shows it: with a sentence where it is a known one.
struct ScopeLine<'a> {
    value: &'a str,
    sentence: Option<&'static str>,
}

impl<'a> ScopeLine<'a> {
    fn of(value: &'a str) -> Self {
        let sentence = match value {
            "openid" => Some("Recognise you when you sign in"),
            "profile" => Some("See your name and the rest of your profile"),
            "email" => Some("See your email address"),
            "address" => Some("See your postal address"),
            "phone" => Some("See your phone number"),
            "offline_access" => Some("Keep this access while you are away"),
            _ => None,
        };
        Self { value, sentence }
    }
}

/// The page that says who is signed in: the name to show, and the session's secret.
pub fn account(settings: &Settings, signed_in: Option<(&str, &Secret)>) -> Result<Response, Unavailable> {
    struct SignedIn<'a> {
        person: &'a str,
        token: String,
    }
    #[derive(Template)]
    #[template(path = "account.html")]
    struct Page<'a> {
        frame: Frame<'a>,
        signed_in: Option<SignedIn<'a>>,
    }
    let signed_in =
        signed_in.map(|(person, secret)| SignedIn { person, token: seal(secret, "sign-out", &[]) });
    let html = render(&Page { frame: Frame::of(settings), signed_in })?;
    Ok(Response::page(200, None, html))
}

/// A page that only says something.
pub fn notice(settings: &Settings, status: u16, heading: &str, text: &str) -> Result<Response, Unavailable> {
    #[derive(Template)]
    #[template(path = "notice.html")]
    struct Page<'a> {
        frame: Frame<'a>,
        heading: &'a str,
        text: &'a str,
    }
    let html = render(&Page { frame: Frame::of(settings), heading, text })?;
    Ok(Response::page(status, None, html))
}

fn render(page: &impl Template) -> Result<String, Unavailable> {
    page.render().map_err(|error| Unavailable(format!("rendering a page: {error}")))
}

/// A name that somebody else chose, fit to be shown: one line of at most 80 characters, without control characters and without those
/// that turn the direction of what follows (UAX #9 §2), which would let a name pretend to be the page's own words. `fallback` where
/// nothing is left.
pub fn client_label(name: &str, fallback: &str) -> String {
    const LONGEST: usize = 80;
    let clean = |text: &str| {
        // Bounded before the work: the page shows no more than the beginning.
        let visible: String = text
            .chars()
            .take(4 * LONGEST)
            .map(|c| if c.is_whitespace() || c.is_control() { ' ' } else { c })
            .filter(|c| !turns_direction_or_is_invisible(*c))
            .collect();
        let mut words = visible.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((cut, _)) = words.char_indices().nth(LONGEST) {
            words.truncate(cut);
            words.push('…');
        }
        words
    };
    match clean(name) {
        name if name.is_empty() => clean(fallback),
        name => name,
    }
}

fn turns_direction_or_is_invisible(c: char) -> bool {
    matches!(c,
        '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
        | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests;
