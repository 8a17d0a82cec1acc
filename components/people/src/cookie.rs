//! Cookies (RFC 6265): the session, and the visit that a sign-in form is tied to.

use crate::{http::Request, settings::Settings};

/// The cookies of this part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// Who is signed in.
    Session,
    /// A browser in which a sign-in page was shown.
    Visit,
}

impl Cookie {
    /// Under https the name has the prefix `__Host-`: the browser then takes it only with `Secure`, with `Path=/`, without `Domain`
    /// and from this very host, so that no sibling host can plant one.
    fn name(self, settings: &Settings) -> &'static str {
        match (self, settings.secure) {
            (Self::Session, true) => "__Host-attesto_session",
            (Self::Session, false) => "attesto_session",
            (Self::Visit, true) => "__Host-attesto_visit",
            (Self::Visit, false) => "attesto_visit",
        }
    }

    /// Its value in the request. A name that occurs twice has none: one of the two was planted, and nothing tells which.
    pub fn read<'a>(self, settings: &Settings, request: &'a Request) -> Option<&'a str> {
        let name = self.name(settings);
        let mut values = request
            .header("cookie")
            .filter_map(|line| std::str::from_utf8(line).ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='))
            .filter(|(candidate, _)| *candidate == name)
            .map(|(_, value)| value);
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }

    /// The `Set-Cookie` value. The cookie ends with the browser's session; how long it counts is decided here, not there.
    pub fn set(self, settings: &Settings, value: &str) -> String {
        let secure = if settings.secure { "; Secure" } else { "" };
        format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}", self.name(settings))
    }

    /// The `Set-Cookie` value that removes it.
    pub fn clear(self, settings: &Settings) -> String {
        format!("{}; Max-Age=0", self.set(settings, ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(issuer: &str) -> Settings {
        Settings::new("default", issuer, "/account").unwrap()
    }

    fn request(lines: &[&[u8]]) -> Request {
        Request {
            headers: lines.iter().map(|line| ("Cookie".into(), line.to_vec())).collect(),
            ..Request::default()
        }
    }

    #[test]
    fn under_https_cookies_are_secure_and_bound_to_the_host() {
        let settings = settings("https://id.example.com");
        assert_eq!(
            Cookie::Session.set(&settings, "v"),
            "__Host-attesto_session=v; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            Cookie::Visit.clear(&settings),
            "__Host-attesto_visit=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0"
        );
    }

    #[test]
    fn under_http_cookies_are_not_secure() {
        let settings = settings("http://127.0.0.1:3000");
        assert_eq!(Cookie::Session.set(&settings, "v"), "attesto_session=v; Path=/; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn a_cookie_is_found_among_others_and_in_any_of_several_lines() {
        let settings = settings("http://127.0.0.1:3000");
        let request = request(&[b"a=b; attesto_session2=no", b"\xff=x", b"attesto_session=yes; c"]);
        assert_eq!(Cookie::Session.read(&settings, &request), Some("yes"));
        assert_eq!(Cookie::Visit.read(&settings, &request), None);
    }

    #[test]
    fn under_https_a_cookie_without_the_host_prefix_does_not_count() {
        let settings = settings("https://id.example.com");
        assert_eq!(Cookie::Session.read(&settings, &request(&[b"attesto_session=planted"])), None);
    }

    #[test]
    fn a_cookie_sent_twice_counts_as_none() {
        let settings = settings("http://127.0.0.1:3000");
        for lines in [
            &[&b"attesto_session=a; attesto_session=b"[..]][..],
            &[b"attesto_session=a", b"attesto_session=a"],
        ] {
            assert_eq!(Cookie::Session.read(&settings, &request(lines)), None);
        }
    }
}
