//! What becomes of a request.

use attesto::jose::{JwkSet, NumericDate, base64url};
use attesto::verifier::{Challenge, Reason, Request, Seen, Verified, verify_again};
use serde_json::json;

use crate::config::FilterConfig;
use crate::route::Requirement;

/// Headers as Envoy gives them: names in lower case, values of any octets.
pub type Headers = [(String, Vec<u8>)];

/// Names under this prefix are the filter's alone, also those it does not set.
const OWN_PREFIX: &str = "x-attesto-";

/// What becomes of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    /// It goes on, its headers changed.
    Forward(Edits),
    /// It is answered here.
    Answer(Reply),
    /// Its token names a key that is not there; fetching the keys again may help. If it cannot, this is the answer.
    NeedsKey(Reply),
}

/// Changes to a request's headers, removals first.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Names of which every header goes.
    pub remove: Vec<String>,
    /// Headers that come.
    pub set: Vec<(String, String)>,
}

/// An answer of the filter's own.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body, empty or JSON.
    pub body: String,
    /// Why, for the log; never part of the answer.
    pub reason: String,
}

/// The issuer's keys and the tokens found good under them; both are replaced together.
#[derive(Debug)]
pub struct Keys {
    set: JwkSet,
    seen: Seen,
}

impl Keys {
    /// Tokens to remember in one worker: a few megabytes.
    const MEMORY: usize = 1_024;

    /// New keys, under which nothing has been seen yet.
    pub fn new(set: JwkSet) -> Self {
        Self { set, seen: Seen::new(Self::MEMORY) }
    }
}

/// Judges a request by its headers.
pub fn decide(config: &FilterConfig, headers: &Headers, keys: &mut Keys, now: NumericDate) -> Decision {
    let path = value_of(headers, ":path").unwrap_or_default();
    let required = match config.rules.requirement(path) {
        Ok(Requirement::Public) => return Decision::Forward(edits(config, headers, None)),
        Ok(Requirement::Token(scopes)) => scopes,
        Err(ambiguous) => return Decision::Answer(Reply::bad_request(&ambiguous)),
    };
    let authorization: Vec<&[u8]> = headers
        .iter()
        .filter(|(name, _)| name == "authorization")
        .map(|(_, value)| value.as_slice())
        .collect();
    let text = |name| std::str::from_utf8(value_of(headers, name).unwrap_or_default()).unwrap_or_default();
    let request = Request { authorization: &authorization, method: text(":method"), ..Request::default() };
    match verify_again(&request, &required, &config.policy, &keys.set, now, &mut keys.seen) {
        Ok(access) => Decision::Forward(edits(config, headers, Some(&access.token))),
        Err(refusal) if refusal.needs_key() => {
            Decision::NeedsKey(Reply::refused(&refusal.challenge, &refusal.reason))
        }
        Err(refusal) => Decision::Answer(Reply::refused(&refusal.challenge, &refusal.reason)),
    }
}

fn value_of<'h>(headers: &'h Headers, name: &str) -> Option<&'h [u8]> {
    headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_slice())
}

/// Names of headers, or trailers, that a client sends and the upstream must not believe.
///
/// `_` counts as `-`: servers that turn headers into variables (CGI, WSGI, FastCGI) cannot tell the two apart.
pub fn forged<'h>(config: &FilterConfig, names: impl Iterator<Item = &'h str>) -> Vec<String> {
    let own = config.upstream_headers.names();
    let is_own = |name: &&str| {
        let name = name.to_ascii_lowercase().replace('_', "-");
        name.starts_with(OWN_PREFIX) || own.contains(&name.as_str())
    };
    let mut names: Vec<String> = names.filter(is_own).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

fn edits(config: &FilterConfig, headers: &Headers, verified: Option<&Verified>) -> Edits {
    let mut remove = forged(config, headers.iter().map(|(name, _)| name.as_str()));
    if !config.forward_authorization && value_of(headers, "authorization").is_some() {
        remove.push("authorization".to_owned());
    }
    let set = verified.map_or_else(Vec::new, |verified| {
        let names = &config.upstream_headers;
        let claims = json!(verified.claims).to_string();
        vec![
            (names.subject.clone(), header_value(&verified.subject)),
            (names.client_id.clone(), header_value(&verified.client_id)),
            (names.scope.clone(), verified.scope.to_string()),
            (names.claims.clone(), base64url::encode(claims)),
        ]
    });
    Edits { remove, set }
}

/// Text of any characters as a header's value: what is not visible ASCII, and `%` itself, is percent-encoded as UTF-8.
/// The usual identifiers stay as they are, and no identifier can end a line.
fn header_value(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |value, octet| match octet {
        b'%' | 0..=0x20 | 0x7f.. => value + &format!("%{octet:02X}"),
        _ => value + char::from(octet).encode_utf8(&mut [0; 4]),
    })
}

impl Reply {
    fn refused(challenge: &Challenge, reason: &Reason) -> Self {
        let body = challenge.error.map_or_else(String::new, |error| {
            json!({ "error": error.code(), "error_description": error.description() }).to_string()
        });
        let challenge_header = ("www-authenticate", challenge.www_authenticate.clone());
        Self::new(challenge.status, [challenge_header], body, reason.to_string())
    }

    fn bad_request(reason: &impl ToString) -> Self {
        let body = json!({ "error": "invalid_request", "error_description": "The path is ambiguous" });
        Self::new(400, [], body.to_string(), reason.to_string())
    }

    /// No keys have ever been there, so no token can be judged, good or bad (RFC 9110 §15.6.4).
    pub fn without_keys(retry_after_seconds: u64) -> Self {
        let body = json!({ "error": "temporarily_unavailable" }).to_string();
        let retry_after = ("retry-after", retry_after_seconds.max(1).to_string());
        Self::new(503, [retry_after], body, "the issuer's keys have not been fetched yet".to_owned())
    }

    fn new<const N: usize>(
        status: u16,
        headers: [(&'static str, String); N],
        body: String,
        reason: String,
    ) -> Self {
        let mut headers = Vec::from(headers);
        headers.push(("cache-control", "no-store".to_owned()));
        if !body.is_empty() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        Self { status, headers, body, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_support::bearer::World;

    fn config(world: &World, members: &str) -> FilterConfig {
        let text = format!(
            r#"{{"issuer":"{}","audiences":["{}"],"rules":[{{"prefix":"/public","public":true}}]{members}}}"#,
            world.issuer, world.audience
        );
        FilterConfig::from_json(text.as_bytes()).unwrap()
    }

    fn headers(path: &str, more: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
        let pseudo = [(":method", "GET"), (":path", path)];
        pseudo
            .iter()
            .chain(more)
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect()
    }

    fn ask(world: &World, config: &FilterConfig, headers: &Headers) -> Decision {
        decide(config, headers, &mut Keys::new(world.keys()), NumericDate::from_secs(world.now))
    }

    #[test]
    fn forged_headers_go_in_any_spelling_also_where_no_token_is_needed() {
        let world = World::new();
        let forged = [
            ("x-attesto-subject", "root"),
            ("x-attesto-subject", "again"),
            ("X-Attesto-Scope", "admin"),
            ("x_attesto_claims", "e30"),
            ("x-attesto_client-id", "me"),
            ("x-attesto-future", "1"),
            ("x-harmless", "1"),
        ];
        let Decision::Forward(edits) = ask(&world, &config(&world, ""), &headers("/public", &forged)) else {
            panic!("a public path is open");
        };
        let names = [
            "X-Attesto-Scope",
            "x-attesto-future",
            "x-attesto-subject",
            "x-attesto_client-id",
            "x_attesto_claims",
        ];
        assert_eq!(edits, Edits { remove: names.map(str::to_owned).to_vec(), set: vec![] });
    }

    #[test]
    fn the_token_stays_here_unless_it_is_wanted_upstream() {
        let world = World::new();
        let value = format!("Bearer {}", world.good_token());
        let request = headers("/orders", &[("authorization", &value)]);
        let removed = |members| match ask(&world, &config(&world, members), &request) {
            Decision::Forward(edits) => edits.remove,
            other => panic!("{other:?}"),
        };
        assert_eq!(removed(""), ["authorization"]);
        assert!(removed(r#","forward_authorization":true"#).is_empty());
    }

    #[test]
    fn configured_names_carry_the_claims() {
        let world = World::new();
        let value = format!("Bearer {}", world.good_token());
        let config = config(&world, r#","upstream_headers":{"subject":"x-user"}"#);
        let request = headers("/", &[("authorization", &value), ("x-user", "root"), ("x_user", "root")]);
        let Decision::Forward(edits) = ask(&world, &config, &request) else { panic!("a good token") };
        assert_eq!(edits.remove, ["x-user", "x_user", "authorization"]);
        assert_eq!(edits.set[0], ("x-user".to_owned(), "248289761001".to_owned()));
        let names: Vec<_> = edits.set.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x-user", "x-attesto-client-id", "x-attesto-scope", "x-attesto-claims"]);
    }

    #[test]
    fn no_claim_can_break_out_of_its_header() {
        assert_eq!(header_value("auth0|jane.doe+x@example.com"), "auth0|jane.doe+x@example.com");
        assert_eq!(header_value("a\r\nx-admin: 1"), "a%0D%0Ax-admin:%201");
        assert_eq!(header_value("100%"), "100%25");
        assert_eq!(header_value("J\u{fc}rgen\0\u{7f}"), "J%C3%BCrgen%00%7F");
    }

    #[test]
    fn an_unknown_key_is_told_from_a_refusal() {
        let world = World::new();
        let token = world.token(&world.ec, json!({ "kid": "new" }), &world.claims(json!({})));
        let request = headers("/orders", &[("authorization", &format!("Bearer {token}"))]);
        let Decision::NeedsKey(reply) = ask(&world, &config(&world, ""), &request) else {
            panic!("unknown key")
        };
        assert_eq!(reply.status, 401);
        let Decision::Answer(reply) = ask(&world, &config(&world, ""), &headers("/orders", &[])) else {
            panic!("no credentials need no keys");
        };
        assert_eq!((reply.status, reply.body.as_str()), (401, ""));
    }

    #[test]
    fn a_request_without_a_path_is_refused() {
        let world = World::new();
        let Decision::Answer(reply) = ask(&world, &config(&world, ""), &[]) else {
            panic!("nothing to judge")
        };
        assert_eq!(reply.status, 400);
    }
}
