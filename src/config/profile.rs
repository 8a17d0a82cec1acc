//! Profiles: the switches that FAPI 2.0 sets, and what contradicts them.

use super::Profile;
use super::settings::{Problems, Settings};
use crate::client::ClientAuthMethod;

/// The algorithms of FAPI 2.0 Security Profile §5.4.1: "PS256, ES256, or EdDSA using the Ed25519 variant".
const ALGORITHMS: [&str; 4] = ["PS256", "ES256", "EdDSA", "Ed25519"];

impl Settings {
    /// The settings with what their profile sets, wherever the operator has written nothing.
    pub(super) fn under_profile(mut self, is_written: &dyn Fn(&str) -> bool) -> Self {
        let Ok(Some(profile)) = self.profile() else { return self };
        let unless_written = |key: &str, set: &mut dyn FnMut()| {
            if !is_written(key) {
                set();
            }
        };
        unless_written("refresh_token_rotation", &mut || self.refresh_token_rotation = false);
        unless_written("require_pushed_authorization_requests", &mut || {
            self.require_pushed_authorization_requests = true;
        });
        unless_written("require_sender_constraint", &mut || self.require_sender_constraint = true);
        unless_written("dpop_signing_algs", &mut || {
            self.dpop_signing_algs = ALGORITHMS.map(str::to_owned).into();
        });
        unless_written("token_endpoint_auth_methods_supported", &mut || {
            self.token_endpoint_auth_methods_supported =
                vec![ClientAuthMethod::PrivateKeyJwt.as_str().to_owned()];
        });
        let signing_alg = self.access_token_signing_alg.clone();
        unless_written("response_signing_alg", &mut || self.response_signing_alg.clone_from(&signing_alg));
        if profile == Profile::Fapi2MessageSigning {
            unless_written("request_object_policy", &mut || {
                "fapi-message-signing".clone_into(&mut self.request_object_policy);
            });
            unless_written("require_signed_request_object", &mut || {
                self.require_signed_request_object = true;
            });
        }
        self
    }

    /// Notes everything that contradicts the profile, with the reason.
    pub(super) fn check_profile(&self, problems: &mut Problems) {
        let Ok(Some(profile)) = self.profile() else { return };
        let mut must = |key: &'static str, holds: bool, reason: &str| {
            if !holds {
                problems.note::<()>(key, format!("contradicts `profile`: {reason}"));
            }
        };
        // FAPI 2.0 Security Profile §5.3.2.1, unless said otherwise.
        must("require_https", self.require_https, "everything is sent over TLS (§5.2.1)");
        must(
            "require_pushed_authorization_requests",
            self.require_pushed_authorization_requests,
            "\"shall reject authorization requests sent without using [pushed authorization requests]\" (§5.3.2.2)",
        );
        must(
            "par_enabled",
            self.par_enabled,
            "authorization requests are pushed ones (§5.3.2.2), and there would be nowhere to push them",
        );
        must(
            "dpop_enabled",
            self.dpop_enabled || self.mtls_enabled,
            "access tokens are sender-constrained, by DPoP or by mutual TLS (§5.3.2.1)",
        );
        must(
            "par_public_clients",
            !self.par_public_clients,
            "\"shall require client authentication\" at the endpoint of pushed requests (§5.3.2.2)",
        );
        must("require_pkce", self.require_pkce, "\"shall require PKCE [RFC7636] with S256\" (§5.3.2.2)");
        must(
            "authorization_response_iss",
            self.authorization_response_iss,
            "\"shall return an `iss` parameter in the authorization response\" (§5.3.2.2)",
        );
        must(
            "authorization_code_ttl",
            self.authorization_code_ttl <= 60,
            "\"shall issue authorization codes with a maximum lifetime of 60 seconds\" (§5.3.2.1)",
        );
        must(
            "refresh_token_rotation",
            !self.refresh_token_rotation,
            "\"shall not use refresh token rotation except in extraordinary circumstances\" (§5.3.2.1)",
        );
        must(
            "require_sender_constraint",
            self.require_sender_constraint,
            "\"shall only issue sender-constrained access tokens\" (§5.3.2.1)",
        );
        must(
            "clock_skew",
            (10..=60).contains(&self.clock_skew),
            "times up to 10 seconds ahead are accepted, more than 60 refused (§5.3.2.1)",
        );
        must(
            "client_assertion_token_endpoint_audience",
            !self.client_assertion_token_endpoint_audience,
            "the audience of an assertion is the issuer, as a string (§5.3.2.1)",
        );
        let strong = [
            ClientAuthMethod::PrivateKeyJwt,
            ClientAuthMethod::TlsClientAuth,
            ClientAuthMethod::SelfSignedTlsClientAuth,
        ]
        .map(ClientAuthMethod::as_str);
        must(
            "token_endpoint_auth_methods_supported",
            self.token_endpoint_auth_methods_supported.iter().all(|name| strong.contains(&name.as_str())),
            "clients authenticate with private_key_jwt or mutual TLS (§5.3.2.1)",
        );
        let reason = "JWTs are signed with PS256, ES256 or Ed25519 (§5.4.1)";
        let admitted = |names: &[String]| names.iter().all(|name| ALGORITHMS.contains(&name.as_str()));
        must("client_auth_signing_algs", admitted(&self.client_auth_signing_algs), reason);
        must("dpop_signing_algs", admitted(&self.dpop_signing_algs), reason);
        must("request_object_signing_algs", admitted(&self.request_object_signing_algs), reason);
        must(
            "access_token_signing_alg",
            admitted(std::slice::from_ref(&self.access_token_signing_alg)),
            reason,
        );
        must("response_signing_alg", admitted(std::slice::from_ref(&self.response_signing_alg)), reason);
        if profile == Profile::Fapi2MessageSigning {
            // FAPI 2.0 Message Signing §5.3.1, §5.5.1.
            must(
                "request_object_policy",
                self.request_object_policy == "fapi-message-signing",
                "request objects have `nbf` and `exp` (Message Signing §5.3.1)",
            );
            must(
                "require_signed_request_object",
                self.require_signed_request_object,
                "requests are signed (Message Signing §5.3.1)",
            );
            must(
                "introspection_enabled",
                self.introspection_enabled,
                "there is signed introspection (Message Signing §5.5.1)",
            );
        }
    }
}
