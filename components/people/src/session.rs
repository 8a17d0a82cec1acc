//! Sessions: who is signed in at a browser.
//!
//! A session's record is written once, at sign-in, and deleted; when it was last used stands in a record of its own. Were both one,
//! a request that marks the session as used could write it back after a sign-out had deleted it.

use crate::{
    cookie::Cookie,
    http::Request,
    record::User,
    secret::{Random, Secret, digest},
    settings::Settings,
    store::{Store, Unavailable, Version, read, write},
};
use serde::{Deserialize, Serialize};

/// A session ends so many seconds after sign-in, used or not.
pub const ABSOLUTE_LIFETIME: u64 = 12 * 60 * 60;

/// A session ends when it has not been used for so many seconds.
pub const IDLE_LIFETIME: u64 = 2 * 60 * 60;

/// Use is noted only so often, in seconds, to spare the store a write at each request.
const NOTED_EVERY: u64 = 5 * 60;

#[derive(Serialize, Deserialize)]
struct Record {
    version: Version<1>,
    sub: String,
    /// OIDC Back-Channel Logout §2.1: names the session to clients, so it is not what the cookie holds.
    sid: String,
    auth_time: u64,
    expires: u64,
    /// [`User::credential_stamp`] at sign-in.
    credential: String,
}

#[derive(Serialize, Deserialize)]
struct Seen {
    version: Version<1>,
    at: u64,
}

/// A session that counts: neither over nor idle for too long, its user admitted and their password unchanged.
pub struct Session {
    id: Id,
    record: Record,
    /// Who is signed in.
    pub user: User,
}

impl Session {
    /// Signs a person in. Whatever session the browser had is over, and this one has a new
    /// identifier (session fixation). Returns the cookie's value.
    pub fn start(
        store: &impl Store,
        random: &impl Random,
        user: &User,
        now: u64,
    ) -> Result<String, Unavailable> {
        let expires = now.saturating_add(ABSOLUTE_LIFETIME);
        let id = Id { secret: Secret::random(random)?, expires };
        let record = Record {
            version: Version,
            sub: user.sub.clone(),
            sid: Secret::random(random)?.expose().to_owned(),
            auth_time: now,
            expires,
            credential: user.credential_stamp(),
        };
        write(store, &id.key(), &record)?;
        Ok(id.cookie())
    }

    /// The session of the browser that sent `request`.
    pub fn find(
        store: &impl Store,
        settings: &Settings,
        request: &Request,
    ) -> Result<Option<Self>, Unavailable> {
        let Some(id) = Cookie::Session.read(settings, request).and_then(Id::parse) else { return Ok(None) };
        let Some(record) = read::<Record>(store, &id.key())? else { return Ok(None) };
        if request.now >= record.expires
            || request.now >= id.last_use(store, &record)?.saturating_add(IDLE_LIFETIME)
        {
            return Ok(None);
        }
        let user =
            User::admitted(store, &record.sub)?.filter(|user| user.credential_stamp() == record.credential);
        Ok(user.map(|user| Self { id, record, user }))
    }

    /// Notes that the session is in use.
    pub fn note_use(&self, store: &impl Store, now: u64) -> Result<(), Unavailable> {
        if now < self.id.last_use(store, &self.record)?.saturating_add(NOTED_EVERY) {
            return Ok(());
        }
        write(store, &self.id.seen_key(), &Seen { version: Version, at: now })
    }

    /// Ends the session that `request` names, valid or not.
    pub fn end(store: &impl Store, settings: &Settings, request: &Request) -> Result<(), Unavailable> {
        let Some(id) = Cookie::Session.read(settings, request).and_then(Id::parse) else { return Ok(()) };
        store.delete(&id.key())?;
        store.delete(&id.seen_key())
    }

    /// OIDC Core §3.1.2.1 `max_age`: whether the person authenticated no longer ago than that.
    pub fn is_recent_enough(&self, max_age: Option<u64>, now: u64) -> bool {
        max_age.is_none_or(|max_age| now.saturating_sub(self.record.auth_time) <= max_age)
    }

    /// When the person authenticated (OIDC Core §2 `auth_time`).
    pub fn auth_time(&self) -> u64 {
        self.record.auth_time
    }

    /// The session's name towards clients.
    pub fn sid(&self) -> &str {
        &self.record.sid
    }

    /// The key under which this session's forms are sealed.
    pub fn secret(&self) -> &Secret {
        &self.id.secret
    }
}

/// What the cookie holds: `<secret>.<expiry>`. The expiry stands in the record's key, so that a sweep can go by names alone; under a
/// changed one there is no record.
struct Id {
    secret: Secret,
    expires: u64,
}

impl Id {
    fn parse(cookie: &str) -> Option<Self> {
        let (secret, expires) = cookie.split_once('.')?;
        let parsed = Self { secret: Secret::parse(secret)?, expires: expires.parse().ok()? };
        // One spelling for each: "+5" and "05" parse too.
        (parsed.cookie() == cookie).then_some(parsed)
    }

    fn cookie(&self) -> String {
        format!("{}.{}", self.secret.expose(), self.expires)
    }

    fn key(&self) -> String {
        format!("people/session/{}/{}", self.expires, digest(self.secret.expose()))
    }

    fn seen_key(&self) -> String {
        format!("{}/seen", self.key())
    }

    fn last_use(&self, store: &impl Store, record: &Record) -> Result<u64, Unavailable> {
        Ok(read::<Seen>(store, &self.seen_key())?.map_or(record.auth_time, |seen| seen.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{record, secret::tests::counting, store::memory::Memory};
    use serde_json::json;

    const NOW: u64 = 1_800_000_000;

    struct World {
        memory: Memory,
        settings: Settings,
        sub: String,
        cookie: String,
    }

    fn world() -> World {
        let memory = Memory::default();
        let settings = Settings::new("default", "https://id.example.com", "/account").unwrap();
        let sub = record::tests::add(&memory, "alice", "correct horse", json!({}));
        let user = User::admitted(&memory, &sub).unwrap().unwrap();
        let cookie = Session::start(&memory, &counting(), &user, NOW).unwrap();
        World { memory, settings, sub, cookie }
    }

    impl World {
        fn request(&self, cookie: &str, now: u64) -> Request {
            let line = format!("__Host-attesto_session={cookie}").into_bytes();
            Request { headers: vec![("cookie".into(), line)], now, ..Request::default() }
        }

        fn find(&self, now: u64) -> Option<Session> {
            Session::find(&&self.memory, &self.settings, &self.request(&self.cookie, now)).unwrap()
        }
    }

    #[test]
    fn the_store_has_only_a_digest_of_the_cookie() {
        let world = world();
        let secret = &world.cookie[..43];
        for (key, value) in world.memory.entries.borrow().iter() {
            assert!(!key.contains(secret) && !String::from_utf8_lossy(value).contains(secret), "{key}");
        }
    }

    #[test]
    fn the_sid_is_not_the_cookie() {
        let world = world();
        let session = world.find(NOW).unwrap();
        assert!(!world.cookie.contains(session.sid()));
        assert_eq!((session.auth_time(), session.user.sub.as_str()), (NOW, &*world.sub));
    }

    #[test]
    fn a_session_in_use_ends_at_the_very_second_its_absolute_lifetime_is_over() {
        let world = world();
        for now in (NOW..NOW + ABSOLUTE_LIFETIME).step_by(3600) {
            world.find(now).unwrap().note_use(&world.memory, now).unwrap();
        }
        assert!(world.find(NOW + ABSOLUTE_LIFETIME - 1).is_some());
        assert!(world.find(NOW + ABSOLUTE_LIFETIME).is_none());
    }

    #[test]
    fn a_session_not_in_use_ends_when_its_idle_lifetime_is_over() {
        let world = world();
        assert!(world.find(NOW + IDLE_LIFETIME - 1).is_some());
        assert!(world.find(NOW + IDLE_LIFETIME).is_none());
    }

    #[test]
    fn use_within_the_first_minutes_is_not_written() {
        let world = world();
        let session = world.find(NOW + NOTED_EVERY - 1).unwrap();
        session.note_use(&world.memory, NOW + NOTED_EVERY - 1).unwrap();
        assert_eq!(world.memory.keys("people/session/").len(), 1);
        session.note_use(&world.memory, NOW + NOTED_EVERY).unwrap();
        assert_eq!(world.memory.keys("people/session/").len(), 2);
    }

    #[test]
    fn an_ended_session_is_not_brought_back_by_a_request_that_was_under_way() {
        let world = world();
        let under_way = world.find(NOW + 600).unwrap();
        Session::end(&world.memory, &world.settings, &world.request(&world.cookie, NOW + 600)).unwrap();
        under_way.note_use(&world.memory, NOW + 600).unwrap();
        assert!(world.find(NOW + 600).is_none());
    }

    #[test]
    fn a_disabled_user_and_a_changed_password_end_the_session() {
        let world = world();
        let key = record::user_key(&world.sub);
        let user = User::admitted(&world.memory, &world.sub).unwrap().unwrap();
        write(&world.memory, &key, &User { disabled: true, ..user.clone() }).unwrap();
        assert!(world.find(NOW).is_none());
        write(&world.memory, &key, &User { password: "another".into(), ..user.clone() }).unwrap();
        assert!(world.find(NOW).is_none());
        write(&world.memory, &key, &user).unwrap();
        assert!(world.find(NOW).is_some());
    }

    #[test]
    fn a_cookie_with_another_expiry_spelling_or_secret_is_no_session() {
        let world = world();
        let (secret, expires) = world.cookie.split_once('.').unwrap();
        let later = expires.parse::<u64>().unwrap() + 1;
        for other in [
            format!("{secret}.{later}"),
            format!("{secret}.+{expires}"),
            format!("{secret}.0{expires}"),
            format!("{secret}.{expires}/seen"),
            format!("{}.{expires}", "B".repeat(43)),
            secret.to_owned(),
            String::new(),
        ] {
            let request = world.request(&other, NOW);
            assert!(Session::find(&world.memory, &world.settings, &request).unwrap().is_none(), "{other}");
        }
    }

    #[test]
    fn max_age_admits_its_last_second_and_no_later_one() {
        let session = world().find(NOW).unwrap();
        assert!(session.is_recent_enough(Some(60), NOW + 60));
        assert!(!session.is_recent_enough(Some(60), NOW + 61));
        assert!(session.is_recent_enough(None, NOW + ABSOLUTE_LIFETIME));
    }
}
