//! Writes the pages to a directory, to look at them in a browser: `cargo run -p people --example preview -- <directory>`, then serve
//! that directory with any file server.

use people::{
    pages::{self, ConsentForm, Problem, SignInForm},
    secret::Secret,
    settings::Settings,
    store::Unavailable,
};
use std::{error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(std::env::args().nth(1).ok_or("which directory?")?);
    let settings = Settings::new("default", "https://id.example.com", "/account")?;
    let secret = Secret::random(&|bytes: &mut [u8]| {
        bytes.fill(1);
        Ok::<(), Unavailable>(())
    })?;
    let sign_in =
        SignInForm { parameters: "", client: "Photo Shelf", redirect_uri: "https://photos.example.com/cb" };
    let consent = |redirect_uri, scope, client| {
        let form =
            ConsentForm { parameters: "", grant: "", client_id: "app", redirect_uri, scope, resources: &[] };
        pages::consent(&settings, &secret, &form, &pages::client_label(client, "app"), "Alice Adams")
    };
    let long =
        "A client with a name that is much longer than anybody needs and that does not stop where it should";
    for (name, page) in [
        ("sign-in", pages::sign_in(&settings, &secret, &sign_in, "", None)?),
        ("wrong", pages::sign_in(&settings, &secret, &sign_in, "alice", Some(Problem::Wrong))?),
        (
            "consent",
            consent("https://photos.example.com/cb", "openid profile email offline_access", "Photo Shelf")?,
        ),
        (
            "consent-app",
            consent("com.example.shelf:/cb", "openid photos.read urn:example:scope:that-is:long", long)?,
        ),
        ("account", pages::account(&settings, Some(("Alice Adams", &secret)))?),
        ("signed-out", pages::account(&settings, None)?),
        (
            "notice",
            pages::notice(
                &settings,
                403,
                "This page is out of date",
                "Go back to the application and start again.",
            )?,
        ),
    ] {
        fs::write(directory.join(name).with_extension("html"), page.body)?;
    }
    fs::create_dir_all(directory.join("account"))?;
    fs::write(directory.join("account/style.css"), pages::STYLE)?;
    fs::write(directory.join("account/icon.svg"), pages::ICON)?;
    Ok(())
}
