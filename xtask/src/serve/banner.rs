//! What a newcomer reads once everything runs.

use crate::serve::{AUTHORIZATION_SERVER, GATEWAY, UPSTREAM};
use crate::setup::development::{CLIENT, PASSWORD, REDIRECT_URI, USER};

/// The text, with the gateway's part only if Envoy runs.
pub(crate) fn banner(with_envoy: bool) -> String {
    let mut text = format!(
        "
  Attesto runs.

    authorization server   http://{AUTHORIZATION_SERVER}
    discovery              http://{AUTHORIZATION_SERVER}/.well-known/openid-configuration
    upstream, unguarded    http://{UPSTREAM}
"
    );
    if with_envoy {
        text.push_str(&format!("    upstream behind Envoy  http://{GATEWAY}\n"));
    }
    text.push_str(&format!(
        "
    demo client            {CLIENT}, redirecting to {REDIRECT_URI}
    demo user              {USER}, password: {PASSWORD}

  See what it offers:

    curl -s http://{AUTHORIZATION_SERVER}/.well-known/openid-configuration
"
    ));
    if with_envoy {
        text.push_str(&format!(
            "
  Envoy keeps strangers out and lets the holder of a token through:

    curl -i http://{GATEWAY}/
    curl -i http://{GATEWAY}/ -H \"Authorization: Bearer $TOKEN\"
"
        ));
    }
    text.push_str("\n  Ctrl-C stops everything.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_is_shown_only_where_it_runs() {
        assert!(banner(true).contains(GATEWAY));
        assert!(!banner(false).contains(GATEWAY));
    }

    #[test]
    fn a_newcomer_is_told_the_client_and_the_user() {
        let text = banner(false);
        assert!([CLIENT, USER, PASSWORD, AUTHORIZATION_SERVER].iter().all(|needed| text.contains(needed)));
    }
}
