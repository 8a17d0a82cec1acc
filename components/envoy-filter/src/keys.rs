//! The issuer's keys on their way from the service to the filters, and the pace of fetching them.
//!
//! Two entries of shared data: the document, and a small state that says which version of the document there is. A
//! filter reads the state with every request and the document only when its version is new.

use attesto::jose::{JwkSet, KeyError};

/// The shared entry of the JWK Set, as the issuer published it.
pub const DOCUMENT: &str = "attesto.keys.document";

/// The shared entry of the [`State`].
pub const STATE: &str = "attesto.keys.state";

/// The shared queue in which filters ask for a fetch.
pub const REQUESTS: &str = "attesto.keys.requests";

/// What the service tells the filters beside the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Which document is there; 0 before the first.
    pub version: u64,
    /// How often a fetch has ended, well or not. A request that waits for keys waits for this to change.
    pub attempts: u64,
    /// The earliest moment, in milliseconds since the epoch, at which asking for a fetch has an effect.
    pub next_allowed: u64,
}

impl State {
    /// For shared data.
    pub fn encode(self) -> Vec<u8> {
        [self.version, self.attempts, self.next_allowed].map(u64::to_le_bytes).concat()
    }

    /// From shared data; what is absent or not from this version of the module is as before the first fetch.
    pub fn decode(octets: Option<&[u8]>) -> Self {
        let numbers: Vec<u64> = octets
            .unwrap_or_default()
            .chunks(size_of::<u64>())
            .filter_map(|chunk| chunk.try_into().ok().map(u64::from_le_bytes))
            .collect();
        match numbers[..] {
            [version, attempts, next_allowed] => Self { version, attempts, next_allowed },
            _ => Self::default(),
        }
    }
}

/// When the service fetches. All times are milliseconds since the epoch.
///
/// Whoever asks, two fetches lie at least `min_interval` apart, and one is under way at a time: tokens with random key
/// names cost the issuer no more than that.
#[derive(Debug)]
pub struct Schedule {
    interval: u64,
    min_interval: u64,
    next_due: u64,
    in_flight: bool,
    state: State,
    document: Vec<u8>,
}

impl Schedule {
    /// Due at once; goes on counting where `state` stands, which outlives a crash of the service.
    pub fn new(interval_seconds: u64, min_interval_seconds: u64, state: State) -> Self {
        Self {
            interval: interval_seconds.saturating_mul(1_000),
            min_interval: min_interval_seconds.saturating_mul(1_000),
            next_due: 0,
            in_flight: false,
            state,
            document: Vec::new(),
        }
    }

    /// Whether to fetch because it is time to.
    pub fn is_due(&self, now: u64) -> bool {
        // A clock that was set back must not postpone the next fetch by as much.
        let clock_was_set_back = self.next_due > now.saturating_add(self.interval);
        !self.in_flight && (now >= self.next_due || clock_was_set_back)
    }

    /// Whether to fetch because a filter has met an unknown key.
    pub fn is_allowed(&self, now: u64) -> bool {
        !self.in_flight && now >= self.state.next_allowed
    }

    /// A fetch is under way.
    pub fn started(&mut self) {
        self.in_flight = true;
    }

    /// A fetch has ended with this document, or without one. Gives the state to publish, and the document if it is
    /// another than before. A document without a usable key is an error: the keys there are stay.
    pub fn finished(
        &mut self,
        now: u64,
        document: Option<Vec<u8>>,
    ) -> (State, Result<Option<&[u8]>, FetchError>) {
        self.in_flight = false;
        self.state.attempts = self.state.attempts.wrapping_add(1);
        self.state.next_allowed = now.saturating_add(self.min_interval);
        let checked = document.ok_or(FetchError::Unavailable).and_then(check);
        let wait = if checked.is_ok() { self.interval } else { self.min_interval };
        self.next_due = now.saturating_add(wait);
        let news = match checked {
            Err(error) => Err(error),
            Ok(document) if document == self.document => Ok(None),
            Ok(document) => {
                self.state.version = self.state.version.wrapping_add(1).max(1);
                self.document = document;
                Ok(Some(self.document.as_slice()))
            }
        };
        (self.state, news)
    }
}

/// Why a fetch brought no keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// No answer, or one without success.
    #[error("the issuer's keys cannot be fetched")]
    Unavailable,
    /// An answer that is no JWK Set.
    #[error("the issuer's keys: {0}")]
    Invalid(#[from] KeyError),
    /// A JWK Set of keys that are all for something else.
    #[error("the issuer's keys: none is usable")]
    NoUsableKey,
}

fn check(document: Vec<u8>) -> Result<Vec<u8>, FetchError> {
    if JwkSet::from_json(&document)?.keys().is_empty() { Err(FetchError::NoUsableKey) } else { Ok(document) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(coordinate: &str) -> Vec<u8> {
        // RFC 7515 A.3.1; the `kid` tells documents apart.
        format!(
            r#"{{"keys":[{{"kty":"EC","crv":"P-256","kid":"{coordinate}","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}}]}}"#
        )
        .into_bytes()
    }

    #[test]
    fn the_state_survives_shared_data() {
        let state = State { version: 1, attempts: 2, next_allowed: u64::MAX };
        assert_eq!(State::decode(Some(&state.encode())), state);
        for octets in [None, Some(&b""[..]), Some(b"short"), Some(&[1; 23]), Some(&[1; 32])] {
            assert_eq!(State::decode(octets), State::default());
        }
    }

    #[test]
    fn keys_are_fetched_at_once_and_then_at_the_interval() {
        let mut schedule = Schedule::new(300, 5, State::default());
        assert!(schedule.is_due(1_000_000));
        schedule.started();
        assert!(!schedule.is_due(1_000_000), "one fetch at a time");
        let (state, news) = schedule.finished(1_000_000, Some(document("a")));
        assert_eq!(news, Ok(Some(&document("a")[..])));
        assert_eq!(state, State { version: 1, attempts: 1, next_allowed: 1_005_000 });
        assert!(!schedule.is_due(1_299_999));
        assert!(schedule.is_due(1_300_000));
    }

    #[test]
    fn a_failed_fetch_is_tried_again_soon_and_keeps_the_keys() {
        let mut schedule = Schedule::new(300, 5, State::default());
        schedule.finished(0, Some(document("a"))).1.unwrap();
        let failures = [
            (None, FetchError::Unavailable),
            (Some(b"<html>".to_vec()), FetchError::Invalid(KeyError::Malformed)),
            (Some(br#"{"keys":[]}"#.to_vec()), FetchError::NoUsableKey),
        ];
        for (answer, error) in failures {
            let (state, news) = schedule.finished(300_000, answer);
            assert_eq!(news, Err(error));
            assert_eq!(state.version, 1);
            assert!(!schedule.is_due(304_999));
            assert!(schedule.is_due(305_000));
        }
    }

    #[test]
    fn an_unchanged_document_is_no_news() {
        let mut schedule = Schedule::new(300, 5, State::default());
        schedule.finished(0, Some(document("a"))).1.unwrap();
        let (state, news) = schedule.finished(1, Some(document("a")));
        assert_eq!((state.version, state.attempts, news), (1, 2, Ok(None)));
        let (state, news) = schedule.finished(2, Some(document("b")));
        assert_eq!((state.version, news.map(|news| news.is_some())), (2, Ok(true)));
    }

    #[test]
    fn a_storm_of_unknown_keys_causes_one_fetch_an_interval() {
        let mut schedule = Schedule::new(300, 5, State::default());
        let mut fetches = 0;
        for now in 0..20_000 {
            if schedule.is_allowed(now) {
                schedule.started();
                fetches += 1;
                assert!(!schedule.is_allowed(now));
                let _ = schedule.finished(now, Some(document("a")));
            }
        }
        assert_eq!(fetches, 4);
    }

    #[test]
    fn a_clock_set_back_does_not_stop_fetching() {
        let mut schedule = Schedule::new(300, 5, State::default());
        let _ = schedule.finished(10_000_000, Some(document("a")));
        assert!(!schedule.is_due(10_000_001));
        assert!(schedule.is_due(1_000));
    }
}
