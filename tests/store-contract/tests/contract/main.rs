//! What `wit/stores/stores.wit` promises, asked of a store behind many instances at once.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "clippy allows these in test functions, and their helpers are test code too"
)]

mod documents;
mod one_time;
mod planted;
mod pushed_requests;
mod revoked_tokens;

use std::collections::HashSet;
use std::fs;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use attesto::jose::base64url;
use attesto::secret::Digest;
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::attesto::{attesto, component};
use test_support::browser::Browser;
use test_support::process::{Process, free_ports};

const NOW: u64 = 1_800_000_000;
const PARALLEL: usize = 100;

/// A store in the embedded host, behind the harness that turns its functions into paths.
struct Store {
    port: u16,
    _process: Process,
    _directory: TempDir,
}

impl Store {
    fn start(part: &str) -> Self {
        let directory = TempDir::new().expect("a directory");
        let manifest = format!(
            r#"
            spin_manifest_version = 2
            [application]
            name = "store-contract"
            [[trigger.http]]
            route = "/..."
            component = "harness"
            [component.harness]
            source = "{}"
            key_value_stores = ["default"]
            [component.harness.dependencies]
            "attesto:stores@0.1.0" = {{ path = "{}", inherit_configuration = ["key_value_stores"] }}
            "#,
            component("store_harness").display(),
            component(part).display(),
        );
        fs::write(directory.path().join("spin.toml"), manifest).expect("a manifest");
        let [port] = free_ports();
        let mut command = attesto(directory.path());
        command.args(["serve", "--quiet", "--state", "state.db", "--listen", &format!("127.0.0.1:{port}")]);
        let mut process = Process::start(&mut command, &directory.path().join("log"));
        process.wait_for_port(port, Duration::from_secs(120));
        Self { port, _process: process, _directory: directory }
    }

    fn call(&self, function: &str, arguments: &Value) -> Value {
        self.call_counting(function, arguments, &mut HashSet::new())
    }

    fn call_counting(&self, function: &str, arguments: &Value, instances: &mut HashSet<String>) -> Value {
        let browser = Browser::new(format!("http://127.0.0.1:{}", self.port));
        let answer = browser.post_body(function, "application/json", arguments.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{function}: {}", answer.body);
        instances.insert(answer.header("x-instance").to_owned());
        answer.json()
    }

    /// Calls at the same time, from as many threads, and says what was answered and by how many instances.
    fn call_in_parallel(&self, function: &str, arguments: &Value) -> (Vec<Value>, usize) {
        self.calls_in_parallel(function, &vec![arguments.clone(); PARALLEL])
    }

    /// The same, each call with arguments of its own.
    fn calls_in_parallel(&self, function: &str, arguments: &[Value]) -> (Vec<Value>, usize) {
        let barrier = Barrier::new(arguments.len());
        let answers: Vec<_> = std::thread::scope(|scope| {
            let call = |own: &Value| {
                let mut instances = HashSet::new();
                barrier.wait();
                let answer = self.call_counting(function, own, &mut instances);
                (answer, instances)
            };
            let threads: Vec<_> = arguments.iter().map(|own| scope.spawn(move || call(own))).collect();
            threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
        });
        let instances: HashSet<_> = answers.iter().flat_map(|(_, instances)| instances).collect();
        let instances = instances.len();
        (answers.into_iter().map(|(answer, _)| answer).collect(), instances)
    }

    /// Keeps a new code and returns the name it is found by.
    fn code(&self) -> String {
        let digest = digest();
        let code = json!({
            "digest": digest, "client_id": "c", "subject": "user:s", "expires_at": NOW + 60, "grant": "AP8",
        });
        assert_eq!(self.call("/code-store/put", &code), "ok");
        digest
    }

    fn redeem(&self, digest: &str, now: u64) -> Value {
        self.call("/code-store/redeem", &json!({ "digest": digest, "now": now }))
    }

    fn finalize(&self, digest: &str) -> Value {
        let mut issued = issued();
        issued["digest"] = digest.into();
        self.call("/code-store/finalize", &issued)
    }

    fn peek(&self, digest: &str, now: u64) -> Value {
        self.call("/code-store/peek", &json!({ "digest": digest, "now": now }))
    }

    fn consume(&self, digest: &str, binding: &str, now: u64) -> Value {
        self.call(
            "/consent-grant-store/consume",
            &json!({ "digest": digest, "binding": binding, "now": now }),
        )
    }

    fn grant(&self, binding: &str) -> String {
        let digest = digest();
        let grant = json!({ "digest": digest, "binding": binding, "expires_at": NOW + 60 });
        assert_eq!(self.call("/consent-grant-store/mint", &grant), "ok");
        digest
    }
}

/// What a code was redeemed for: an access token of 15 minutes, and a family that outlives it.
fn issued() -> Value {
    json!({ "jti": "t", "jti_expires_at": NOW + 900, "family": "f", "expires_at": NOW + 5000 })
}

/// A refresh token of this family, under this digest.
fn refresh_token(digest: &str, family: &str, expires_at: u64) -> Value {
    json!({
        "digest": digest, "family": family, "client_id": "c", "subject": "user:s", "expires_at": expires_at,
        "grant": "AP8",
    })
}

impl Store {
    /// Keeps the first refresh token of a new family and returns the names of both.
    fn family(&self) -> (String, String) {
        let (first, family) = (digest(), digest());
        assert_eq!(self.call("/refresh-store/put", &refresh_token(&first, &family, NOW + 1000)), "ok");
        (first, family)
    }

    fn rotation(&self, old: &str, new: &str, family: &str, grace: u64, now: u64) -> Value {
        let successor = refresh_token(new, family, NOW + 2000);
        json!({ "digest": old, "successor": successor, "grace": grace, "now": now })
    }

    fn rotate(&self, old: &str, new: &str, family: &str, grace: u64, now: u64) -> Value {
        self.call("/refresh-store/rotate", &self.rotation(old, new, family, grace, now))
    }

    /// Whether the token lives, and whether it has been rotated.
    fn refresh_token(&self, digest: &str, now: u64) -> Option<bool> {
        self.call("/refresh-store/peek", &json!({ "digest": digest, "now": now }))["rotated"].as_bool()
    }

    fn revoke_family(&self, family: &str) {
        let arguments = json!({ "family": family, "expires_at": NOW + 2000 });
        assert_eq!(self.call("/refresh-store/revoke-family", &arguments), "ok");
    }
}

/// A digest nobody else uses.
fn digest() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    base64url::encode(Digest::of(&number.to_be_bytes()).as_bytes())
}

/// The stores there are. Each promise below is asked of each of them.
fn stores() -> impl Iterator<Item = Store> {
    ["store_key_value"].into_iter().map(Store::start)
}

#[test]
fn a_code_is_seen_until_it_expires_and_given_back_octet_for_octet() {
    for store in stores() {
        let code = store.code();
        let mut seen = json!({
            "client_id": "c", "subject": "user:s", "expires_at": NOW + 60, "grant": "AP8", "redeemed": false,
        });
        assert_eq!(store.peek(&code, NOW + 59), seen);
        assert_eq!(store.peek(&code, NOW + 60), Value::Null);
        assert_eq!(store.peek(&digest(), NOW), Value::Null);
        assert_eq!(store.redeem(&code, NOW), "redeemed", "looking does not consume");
        seen["redeemed"] = true.into();
        assert_eq!(store.peek(&code, NOW + 59), seen);
        assert_eq!(store.finalize(&code), "finalized", "looking is no replay");
    }
}

#[test]
fn a_code_is_redeemed_once_and_not_at_its_expiry() {
    for store in stores() {
        let code = store.code();
        assert_eq!(store.redeem(&code, NOW + 60), "unknown");
        assert_eq!(store.redeem(&code, NOW + 59), "redeemed");
        assert_eq!(store.redeem(&code, NOW + 59), json!({ "replayed": null }));
        assert_eq!(store.redeem(&digest(), NOW), "unknown");
    }
}

#[test]
fn a_replay_learns_what_was_issued_until_nothing_of_it_lives() {
    for store in stores() {
        let code = store.code();
        assert_eq!(store.redeem(&code, NOW), "redeemed");
        assert_eq!(store.finalize(&code), "finalized");
        let replayed = json!({ "replayed": issued() });
        assert_eq!(store.redeem(&code, NOW + 1), replayed);
        assert_eq!(store.redeem(&code, NOW + 100), replayed);
        // The access token has expired, its family has not.
        assert_eq!(store.peek(&code, NOW + 4999)["redeemed"], true);
        assert_eq!(store.redeem(&code, NOW + 4999), replayed);
        assert_eq!(store.peek(&code, NOW + 5000), Value::Null);
    }
}

#[test]
fn a_redemption_learns_of_a_replay_that_came_before_it_was_finalized() {
    for store in stores() {
        let code = store.code();
        assert_eq!(store.redeem(&code, NOW), "redeemed");
        assert_eq!(store.redeem(&code, NOW), json!({ "replayed": null }));
        assert_eq!(store.finalize(&code), "replayed");
    }
}

#[test]
fn a_replay_at_the_codes_expiry_is_recorded_like_any_other() {
    for store in stores() {
        let code = store.code();
        assert_eq!(store.redeem(&code, NOW + 59), "redeemed");
        assert_ne!(store.peek(&code, NOW + 60), Value::Null);
        assert_eq!(store.redeem(&code, NOW + 60), json!({ "replayed": null }));
        assert_eq!(store.finalize(&code), "replayed");
    }
}

#[test]
fn a_consent_grant_is_consumed_once_for_its_own_request_before_it_expires() {
    for store in stores() {
        let (own, other) = (digest(), digest());
        let grant = store.grant(&own);
        assert_eq!(store.consume(&digest(), &own, NOW), "unknown");
        assert_eq!(store.consume(&grant, &other, NOW), "binding-mismatch");
        assert_eq!(store.consume(&grant, &own, NOW + 60), "expired");
        assert_eq!(store.consume(&grant, &own, NOW + 59), "consumed");
        assert_eq!(store.consume(&grant, &own, NOW + 59), "already-consumed");
    }
}

#[test]
fn of_100_parallel_redemptions_one_wins() {
    for store in stores() {
        let code = store.code();
        let (answers, instances) =
            store.call_in_parallel("/code-store/redeem", &json!({ "digest": code, "now": NOW }));
        assert!(instances >= 4, "only {instances} instances took part");
        assert_eq!(answers.iter().filter(|answer| **answer == "redeemed").count(), 1);
    }
}

#[test]
fn of_100_parallel_consumptions_one_wins() {
    for store in stores() {
        let binding = digest();
        let arguments = json!({ "digest": store.grant(&binding), "binding": binding, "now": NOW });
        let (answers, instances) = store.call_in_parallel("/consent-grant-store/consume", &arguments);
        assert!(instances >= 4, "only {instances} instances took part");
        assert_eq!(answers.iter().filter(|answer| **answer == "consumed").count(), 1);
    }
}

#[test]
fn of_a_redemption_and_its_replay_one_always_learns_of_the_other() {
    for store in stores() {
        for _ in 0..20 {
            let code = store.code();
            assert_eq!(store.redeem(&code, NOW), "redeemed");
            let (finalized, replayed) = std::thread::scope(|scope| {
                let finalization = scope.spawn(|| store.finalize(&code));
                let replay = scope.spawn(|| store.redeem(&code, NOW));
                (finalization.join().expect("an answer"), replay.join().expect("an answer"))
            });
            assert!(
                finalized == "replayed" || replayed != json!({ "replayed": null }),
                "neither saw the other"
            );
        }
    }
}

#[test]
fn a_refresh_token_is_seen_until_it_expires_and_given_back_octet_for_octet() {
    for store in stores() {
        let (first, family) = store.family();
        let seen = store.call("/refresh-store/peek", &json!({ "digest": first, "now": NOW + 999 }));
        let expected = json!({
            "family": family, "client_id": "c", "subject": "user:s", "expires_at": NOW + 1000, "grant": "AP8",
            "rotated": false,
        });
        assert_eq!(seen, expected);
        assert_eq!(store.refresh_token(&first, NOW + 1000), None);
        assert_eq!(store.refresh_token(&digest(), NOW), None);
    }
}

#[test]
fn a_refresh_token_is_rotated_once_and_not_at_its_expiry() {
    for store in stores() {
        let ((first, family), second) = (store.family(), digest());
        assert_eq!(store.rotate(&first, &second, &family, 60, NOW + 1000), "unknown");
        assert_eq!(store.refresh_token(&second, NOW), None, "nothing was kept");
        assert_eq!(store.rotate(&first, &second, &family, 60, NOW + 999), "rotated");
        assert_eq!(store.refresh_token(&first, NOW + 999), Some(true));
        assert_eq!(store.refresh_token(&second, NOW + 1999), Some(false));
        assert_eq!(store.rotate(&digest(), &digest(), &family, 60, NOW), "unknown");
    }
}

#[test]
fn a_rotation_is_retried_within_the_grace_while_the_successor_is_unused() {
    for store in stores() {
        let ((first, family), second) = (store.family(), digest());
        assert_eq!(store.rotate(&first, &second, &family, 60, NOW), "rotated");
        assert_eq!(store.rotate(&first, &second, &family, 60, NOW), "retried");
        assert_eq!(store.rotate(&first, &second, &family, 60, NOW + 59), "retried");
        assert_eq!(store.refresh_token(&second, NOW + 59), Some(false));
        assert_eq!(store.rotate(&first, &second, &family, 60, NOW + 60), json!({ "reused": family }));
    }
}

#[test]
fn a_retry_after_the_successors_use_is_reuse() {
    for store in stores() {
        let ((first, family), second, third) = (store.family(), digest(), digest());
        assert_eq!(store.rotate(&first, &second, &family, 60, NOW), "rotated");
        assert_eq!(store.rotate(&second, &third, &family, 60, NOW), "rotated");
        assert_eq!(store.rotate(&first, &second, &family, 60, NOW), json!({ "reused": family }));
        assert_eq!(store.refresh_token(&third, NOW), None);
    }
}

#[test]
fn reuse_revokes_the_family_for_ever() {
    for store in stores() {
        let ((first, family), second) = (store.family(), digest());
        assert_eq!(store.rotate(&first, &second, &family, 0, NOW), "rotated");
        assert_eq!(store.rotate(&first, &second, &family, 0, NOW), json!({ "reused": family }), "no grace");
        for token in [&first, &second] {
            assert_eq!(store.refresh_token(token, NOW), None);
            assert_eq!(store.rotate(token, &digest(), &family, 60, NOW), "revoked");
        }
    }
}

#[test]
fn no_token_of_a_revoked_family_lives_whenever_it_was_added() {
    for store in stores() {
        let ((first, family), later) = (store.family(), digest());
        store.revoke_family(&family);
        assert_eq!(store.call("/refresh-store/put", &refresh_token(&later, &family, NOW + 1000)), "ok");
        for token in [&first, &later] {
            assert_eq!(store.refresh_token(token, NOW), None);
        }
        let (unrelated, _) = store.family();
        assert_eq!(store.refresh_token(&unrelated, NOW), Some(false));
    }
}

#[test]
fn use_without_rotation_prolongs_a_life() {
    for store in stores() {
        let ((first, family), second) = (store.family(), digest());
        let arguments = json!({ "digest": first, "expires_at": NOW + 1500 });
        assert_eq!(store.call("/refresh-store/extend", &arguments), "ok");
        assert_eq!(store.refresh_token(&first, NOW + 1499), Some(false));
        assert_eq!(store.refresh_token(&first, NOW + 1500), None);
        assert_eq!(store.rotate(&first, &second, &family, 60, NOW + 1499), "rotated");
    }
}

#[test]
fn of_100_parallel_rotations_one_wins_and_the_others_retry_the_same_successor() {
    for store in stores() {
        let ((first, family), second) = (store.family(), digest());
        let arguments = store.rotation(&first, &second, &family, 60, NOW);
        let (answers, instances) = store.call_in_parallel("/refresh-store/rotate", &arguments);
        assert!(instances >= 4, "only {instances} instances took part");
        let count = |answer: &str| answers.iter().filter(|given| **given == answer).count();
        assert_eq!((count("rotated"), count("retried")), (1, PARALLEL - 1));
        assert_eq!(store.refresh_token(&second, NOW), Some(false));
    }
}

#[test]
fn of_100_parallel_rotations_without_grace_none_leaves_a_token_alive() {
    for store in stores() {
        let ((first, family), second) = (store.family(), digest());
        let arguments = store.rotation(&first, &second, &family, 0, NOW);
        let (answers, _) = store.call_in_parallel("/refresh-store/rotate", &arguments);
        assert!(answers.iter().filter(|answer| **answer == "rotated").count() <= 1);
        assert!(answers.contains(&json!({ "reused": family })));
        assert_eq!(store.refresh_token(&second, NOW), None);
    }
}

#[test]
fn a_revocation_racing_a_rotation_leaves_nothing_alive() {
    for store in stores() {
        for _ in 0..20 {
            let ((first, family), second) = (store.family(), digest());
            std::thread::scope(|scope| {
                scope.spawn(|| store.rotate(&first, &second, &family, 60, NOW));
                scope.spawn(|| store.revoke_family(&family));
            });
            for token in [&first, &second] {
                assert_eq!(store.refresh_token(token, NOW), None);
            }
        }
    }
}

#[test]
fn a_sweep_removes_what_has_expired_and_changes_no_answer() {
    for store in stores() {
        let (live, dead) = (store.code(), store.code());
        let ((first, family), second) = (store.family(), digest());
        assert_eq!(store.redeem(&dead, NOW), "redeemed");
        assert_eq!(store.finalize(&dead), "finalized");
        assert_eq!(store.rotate(&first, &second, &family, 60, NOW), "rotated");
        let sweep = |now| store.call("/maintenance/sweep", &json!({ "now": now, "limit": 1000 }));
        assert_eq!(sweep(NOW), json!([]));
        assert_eq!(sweep(NOW + 60), json!([["code", 1]]), "{live}: unredeemed");
        assert_eq!(sweep(NOW + 1000), json!([["refresh", 1]]));
        assert_eq!(store.refresh_token(&second, NOW + 1000), Some(false));
        assert_eq!(store.redeem(&dead, NOW + 4999), json!({ "replayed": issued() }));
        assert_eq!(sweep(NOW + 4999), json!([["refresh", 1]]));
        assert_eq!(sweep(NOW + 5000), json!([["code", 1]]));
        assert_eq!(sweep(NOW + 5000), json!([]));
        assert_eq!(store.redeem(&dead, NOW + 5000), "unknown");
    }
}
