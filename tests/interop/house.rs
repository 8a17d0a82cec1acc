//! A running Attesto, a client that may do everything, and the person who signs in for it.

use test_support::attesto::{AUDIENCE, Attesto, REDIRECT_URI};
use test_support::browser::Browser;
use test_support::person;

/// What the clients ask for on behalf of the person.
pub(crate) const SCOPE: &str = "openid profile offline_access orders:read";
/// What they ask for on their own behalf.
pub(crate) const API_SCOPE: &str = "orders:read";
pub(crate) const CLIENT_ID: &str = "interop";

/// The server and what a client must know of it beforehand.
pub(crate) struct House {
    attesto: Attesto,
    pub(crate) client_secret: String,
}

impl House {
    pub(crate) fn start() -> Self {
        let offline = |settings: String| {
            assert!(!settings.contains("\"offline_access\""), "it is supported already: this can go");
            settings.replace("\"openid\", ", "\"openid\", \"offline_access\", ")
        };
        let attesto = Attesto::start_with(|manifest| manifest, offline);
        let client = ["clients", "add", "--state", "state.db", "--confidential", "--client-id", CLIENT_ID];
        let named = ["--name", "Interop", "--redirect-uri", REDIRECT_URI];
        let may = ["authorization_code", "refresh_token", "client_credentials"].map(|grant| ["--grant-type", grant]);
        let printed = attesto.command(&[&client[..], &named, &may.concat()].concat());
        let client_secret = printed.lines().find_map(|line| line.strip_prefix("client_secret "));
        let client_secret = client_secret.expect("a confidential client is given a secret").trim().to_owned();
        Self { attesto, client_secret }
    }

    pub(crate) fn issuer(&self) -> String {
        self.attesto.issuer()
    }

    /// What a client is configured with.
    pub(crate) fn settings(&self) -> [(&'static str, String); 7] {
        [
            ("ISSUER", self.issuer()),
            ("API", AUDIENCE.to_owned()),
            ("CLIENT_ID", CLIENT_ID.to_owned()),
            ("CLIENT_SECRET", self.client_secret.clone()),
            ("REDIRECT_URI", REDIRECT_URI.to_owned()),
            ("SCOPE", SCOPE.to_owned()),
            ("API_SCOPE", API_SCOPE.to_owned()),
        ]
    }

    /// The person follows the client's link, signs in and agrees; the browser then asks for this URL of the client.
    pub(crate) fn authorize(&self, url: &str) -> String {
        let browser = Browser::new(self.issuer());
        let consent = person::sign_in(&browser, url);
        person::answer(&browser, &consent, "allow").location().to_owned()
    }
}
