//! What a newcomer reads once everything runs.

use crate::setup::development::{CLIENT, PASSWORD, REDIRECT_URI, USER};

/// The issuer, as `attesto.toml` names it.
const ISSUER: &str = "http://localhost:8080";
/// The API behind Envoy, likewise.
const API: &str = "http://localhost:10000";
/// A path of it that takes the scope `orders:read`.
const ORDERS: &str = "/orders";
/// The pair of RFC 7636 Appendix B. A real client makes a new one for each request.
const CODE_VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CODE_CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The text, with the gateway's part only if Envoy runs.
pub(crate) fn banner(with_envoy: bool) -> String {
    let gateway = if with_envoy { format!("    an API behind Envoy    {API}\n") } else { String::new() };
    let keeps_out = if with_envoy {
        format!("\n  Envoy keeps strangers out:\n\n    curl -i {API}{ORDERS}\n")
    } else {
        String::new()
    };
    format!(
        "
  Attesto runs.

    authorization server   {ISSUER}
    discovery              {ISSUER}/.well-known/openid-configuration
{gateway}
    demo client            {CLIENT} (public, with PKCE), answered at {REDIRECT_URI}
    demo user              {USER}
    password               {PASSWORD}
{keeps_out}
  Open this in a browser, sign in and allow; the page you land on shows how to go on:

    {}

  Ctrl-C stops everything.
",
        authorization_request()
    )
}

/// The authorization request of the demo client.
fn authorization_request() -> String {
    format!(
        "{ISSUER}/oauth/authorize?response_type=code&client_id={CLIENT}&redirect_uri={REDIRECT_URI}\
         &scope=openid+email+offline_access+orders:read&state=demo&code_challenge={CODE_CHALLENGE}&code_challenge_method=S256"
    )
}

/// The lines that turn a code into a token and use it.
pub(crate) fn redeem(code: &str) -> String {
    format!(
        "  Exchange it for tokens:

    TOKEN=$(curl -s {ISSUER}/oauth/token -d grant_type=authorization_code -d client_id={CLIENT} \\
      -d redirect_uri={REDIRECT_URI} -d code_verifier={CODE_VERIFIER} \\
      -d code={code} | tee /dev/stderr | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')

  Ask who signed in, and go through Envoy to the API:

    curl -s {ISSUER}/oauth/userinfo -H \"Authorization: Bearer $TOKEN\"
    curl -i {API}{ORDERS} -H \"Authorization: Bearer $TOKEN\"

  The first answer has a refresh token as well. It is good for new tokens, once:

    curl -s {ISSUER}/oauth/token -d grant_type=refresh_token -d client_id={CLIENT} -d refresh_token=…
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_is_shown_only_where_it_runs() {
        assert!(banner(true).contains(API));
        assert!(!banner(false).contains(API));
    }

    #[test]
    fn a_newcomer_is_told_the_client_and_the_user() {
        let text = banner(false);
        assert!([CLIENT, USER, PASSWORD, ISSUER].iter().all(|needed| text.contains(needed)));
    }

    #[test]
    fn the_lines_to_paste_name_the_registered_client() {
        let text = redeem("the-code");
        assert!(
            [CLIENT, REDIRECT_URI, "code=the-code", CODE_VERIFIER].iter().all(|needed| text.contains(needed))
        );
    }
}
