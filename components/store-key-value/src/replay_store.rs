//! Identifiers that are good once.
//!
//! `replay/<span>/<digest>` is a gate, and there is nothing beside it. Time is cut into spans of an hour; a claim passes
//! the gates of its identifier in every span from the present one to that of its expiry, the latest first, and stops at
//! the first that another had passed.
//!
//! - *One at most is fresh.* While one claim has not expired every other of the same identifier, whatever its own expiry,
//!   shares a span with it, and a gate opens once. Two that name the same expiry, as two presentations of one proof or one
//!   assertion do, meet at the same gate even where the clocks of their instances differ.
//! - *One at least is fresh.* Each that is stopped is stopped by one that goes on to earlier spans; the one that gets
//!   furthest is stopped by nobody.
//! - *The latest expiry counts.* A claim that is stopped has passed the gates after that one: the identifier stays claimed
//!   until the last of those who named it would have expired.
//! - *A process that ends* between two gates leaves the identifier claimed. Whoever asked had no answer and shows another.
//! - *A sweep* removes the gates of spans that are over, by their names. Nobody passes those any more, so it takes no
//!   claim that counts, however many sweeps there are at a time. Had gates no span, one sweep could remove the gate that
//!   another had just removed and a claim had set up anew.
//!
//! So an identifier can stay claimed until the end of the hour in which it expired, when nobody may show it any more.

use crate::key_value::{KeyValue, Unavailable, claim as pass, key};

/// The length of a span, seconds.
pub(crate) const SPAN: u64 = 3_600;

/// No claim is for longer than this many spans: an assertion lives for an hour at most, a proof for minutes.
const SPANS: u64 = 25;

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This call claimed the identifier.
    Fresh,
    /// Another had.
    Replayed,
}

/// Claims the identifier until `expires_at`.
pub fn claim(store: &impl KeyValue, digest: &[u8], expires_at: u64, now: u64) -> Result<Claim, Unavailable> {
    let present = now / SPAN;
    // At its expiry it is dead. What is dead already can still be claimed, and be of no use to whoever did.
    let last = (expires_at.saturating_sub(1) / SPAN).max(present);
    if last - present >= SPANS {
        return Err(Unavailable(format!("an identifier can not be kept for {} s", expires_at - now)));
    }
    for span in (present..=last).rev() {
        if !pass(store, &key(&format!("replay/{span}"), digest))? {
            return Ok(Claim::Replayed);
        }
    }
    Ok(Claim::Fresh)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;

    /// The first second of a span.
    const NOW: u64 = 1_800_000_000;

    #[test]
    fn an_identifier_is_claimed_once() {
        let store = Memory::default();
        assert_eq!(claim(&store, b"a", NOW + 60, NOW), Ok(Claim::Fresh));
        assert_eq!(claim(&store, b"a", NOW + 60, NOW), Ok(Claim::Replayed));
        assert_eq!(claim(&store, b"a", NOW + 60, NOW + 59), Ok(Claim::Replayed));
        assert_eq!(claim(&store, b"b", NOW + 60, NOW), Ok(Claim::Fresh));
    }

    #[test]
    fn a_claim_counts_across_the_end_of_a_span_and_one_gate_does_within_it() {
        let store = Memory::default();
        assert_eq!(claim(&store, b"a", NOW + 10, NOW - 10), Ok(Claim::Fresh));
        assert_eq!(claim(&store, b"a", NOW + 10, NOW + 9), Ok(Claim::Replayed));
        let store = Memory::default();
        assert_eq!(claim(&store, b"a", NOW, NOW - 10), Ok(Claim::Fresh));
        assert_eq!(store.len(), 1, "at its expiry it is dead");
    }

    #[test]
    fn an_instance_whose_clock_is_behind_meets_the_claim() {
        let store = Memory::default();
        assert_eq!(claim(&store, b"a", NOW + 60, NOW), Ok(Claim::Fresh));
        assert_eq!(claim(&store, b"a", NOW + 60, NOW - 1), Ok(Claim::Replayed));
    }

    #[test]
    fn the_latest_expiry_counts_also_of_a_claim_that_is_refused() {
        let store = Memory::default();
        assert_eq!(claim(&store, b"a", NOW - 5, NOW - 10), Ok(Claim::Fresh));
        assert_eq!(claim(&store, b"a", NOW + 60, NOW - 9), Ok(Claim::Replayed));
        assert_eq!(claim(&store, b"a", NOW + 60, NOW + 59), Ok(Claim::Replayed));
    }

    #[test]
    fn of_claims_that_pass_each_others_gates_in_any_order_one_is_fresh() {
        // Each claim is a list of spans, the latest first; a schedule says whose turn it is.
        let claims: [&[u64]; 3] = [&[6, 5], &[7, 6], &[6, 5]];
        for schedule in 0..3_usize.pow(6) {
            let (mut passed, mut at, mut stopped) = (Vec::new(), [0; 3], [false; 3]);
            let turns = (0..6).map(|turn| schedule / 3_usize.pow(turn) % 3);
            // Whoever the schedule leaves unfinished goes on after it.
            for claim in turns.chain([0, 0, 1, 1, 2, 2]) {
                let Some(span) = claims[claim].get(at[claim]).filter(|_| !stopped[claim]) else { continue };
                stopped[claim] = passed.contains(span);
                passed.push(*span);
                at[claim] += 1;
            }
            assert_eq!(stopped.iter().filter(|stopped| !**stopped).count(), 1, "schedule {schedule}");
        }
    }

    #[test]
    fn a_claim_for_longer_than_a_day_is_refused_and_not_forgotten_early() {
        let store = Memory::default();
        assert_eq!(claim(&store, b"a", NOW + 86_400, NOW), Ok(Claim::Fresh));
        assert!(claim(&store, b"b", u64::MAX, NOW).is_err());
        assert_eq!(claim(&store, b"c", 0, NOW), Ok(Claim::Fresh), "dead, and of no use");
    }
}
