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
