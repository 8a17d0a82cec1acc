//! A running Attesto, a client that may do everything, and the person who signs in for it.

use test_support::attesto::{AUDIENCE, Attesto, REDIRECT_URI};
use test_support::browser::Browser;
use test_support::person;

/// What the clients ask for on behalf of the person.
pub(crate) const SCOPE: &str = "openid profile offline_access orders:read";
/// What they ask for on their own behalf.
pub(crate) const API_SCOPE: &str = "orders:read";

/// The server and its confidential client.
pub(crate) struct House(Attesto);

impl House {
    pub(crate) fn start() -> Self {
        Self(Attesto::start())
    }

    /// A server under a profile of FAPI 2.0, which asks for nonces.
    pub(crate) fn fapi(settings: &'static str) -> Self {
        let profile = |text: String| format!("{text}\ndpop_nonce_required = true\n{settings}\n");
        Self(Attesto::start_with(|manifest| manifest, profile))
    }

    /// Registers a client with these keys; answers with its identifier.
    pub(crate) fn register(&self, jwks: &str) -> String {
        const CLIENT_ID: &str = "fapi";
        let file = self.0.file("client.jwks.json", jwks);
        let grants = ["authorization_code", "refresh_token", "client_credentials"];
        let mut arguments = vec!["clients", "add", "--state", "state.db", "--client-id", CLIENT_ID];
        arguments.extend(["--name", "Budget app", "--redirect-uri", REDIRECT_URI, "--jwks", &file]);
        arguments.extend(["--auth-method", "private_key_jwt", "--dpop-bound", "--response-alg", "ES256"]);
        arguments.extend(["--id-token-alg", "ES256", "--introspection-alg", "ES256"]);
        arguments.extend(grants.iter().flat_map(|grant| ["--grant-type", *grant]));
        self.0.command(&arguments);
        CLIENT_ID.to_owned()
    }

    pub(crate) fn client_id(&self) -> String {
        self.0.confidential.0.clone()
    }

    pub(crate) fn client_secret(&self) -> String {
        self.0.confidential.1.clone()
    }

    pub(crate) fn issuer(&self) -> String {
        self.0.issuer()
    }

    /// What a client is configured with.
    pub(crate) fn settings(&self) -> [(&'static str, String); 7] {
        [
            ("ISSUER", self.issuer()),
            ("API", AUDIENCE.to_owned()),
            ("CLIENT_ID", self.client_id()),
            ("CLIENT_SECRET", self.client_secret()),
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
