use super::*;
use crate::{record, secret::tests::counting, session, store::memory::Memory, throttle};
use serde_json::json;

const NOW: u64 = 1_800_000_000;
const PARAMETERS: &str = "client_id=app&state=a%20b";
const INTERACTIVE: AuthenticationDemand =
    AuthenticationDemand { interactive: true, force_reauthentication: false, max_age: None };
const ASK: ConsentDemand = ConsentDemand { interactive: true, force_consent: false };

type RandomFn = dyn Fn(&mut [u8]) -> Result<(), Unavailable>;

/// A part with one user, and a browser that keeps cookies.
struct World {
    memory: Memory,
    settings: Settings,
    sub: String,
    random: Box<RandomFn>,
    cookies: Vec<String>,
    now: u64,
}

impl World {
    fn new() -> Self {
        let memory = Memory::default();
        let sub = record::tests::add(&memory, "alice", "correct horse", json!({"name": "Alice Adams"}));
        let random = counting();
        Self {
            memory,
            settings: Settings::new("default", "https://id.example.com", "/account").unwrap(),
            sub,
            random: Box::new(move |bytes| random.fill(bytes)),
            cookies: Vec::new(),
            now: NOW,
        }
    }

    fn signed_in() -> Self {
        let mut world = Self::new();
        world.sign_in();
        world
    }

    fn part(&self) -> People<'_, &Memory, &RandomFn> {
        People { settings: &self.settings, store: &self.memory, random: &*self.random }
    }

    fn request(&self, method: &str, path: &str) -> Request {
        let headers = vec![("cookie".to_owned(), self.cookies.join("; ").into_bytes())];
        Request { method: method.into(), path: path.into(), headers, now: self.now, ..Request::default() }
    }

    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Request {
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| {
                let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
                format!("{name}={value}")
            })
            .collect();
        let mut request = self.request("POST", path);
        request.headers.push(("content-type".into(), b"application/x-www-form-urlencoded".to_vec()));
        request.headers.push(("origin".into(), b"https://id.example.com".to_vec()));
        request.headers.push(("sec-fetch-site".into(), b"same-origin".to_vec()));
        request.body = body.join("&").into_bytes();
        request
    }

    fn keep(&mut self, set_cookie: &str) {
        let pair = set_cookie.split(';').next().unwrap().to_owned();
        let name = pair.split('=').next().unwrap().to_owned();
        self.cookies.retain(|kept| !kept.starts_with(&format!("{name}=")));
        if !set_cookie.contains("Max-Age=0") {
            self.cookies.push(pair);
        }
    }

    fn establish(&self, demand: AuthenticationDemand) -> Establishment {
        self.part().establish(&self.request("GET", "/oauth/authorize"), &authorization(), demand).unwrap()
    }

    /// The sign-in page's fields, its cookie kept.
    fn sign_in_form(&mut self, demand: AuthenticationDemand) -> Vec<(String, String)> {
        let Establishment::Respond(page) = self.establish(demand) else { panic!("a sign-in page") };
        for (name, value) in &page.headers {
            if *name == "set-cookie" {
                self.keep(value);
            }
        }
        hidden_fields(&page)
    }

    fn submit(&self, path: &str, fields: &[(String, String)], typed: &[(&str, &str)]) -> Reply {
        let mut all: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        all.extend(typed);
        self.part().handle(&self.post(path, &all)).unwrap()
    }

    fn try_to_sign_in(&mut self, username: &str, password: &str) -> Reply {
        let form = self.sign_in_form(AuthenticationDemand { force_reauthentication: true, ..INTERACTIVE });
        self.submit("/account/sign-in", &form, &[("username", username), ("password", password)])
    }

    fn sign_in(&mut self) {
        let Reply::GoOn { set_cookie, .. } = self.try_to_sign_in("alice", "correct horse") else {
            panic!("signed in")
        };
        set_cookie.iter().for_each(|value| self.keep(value));
    }

    fn consent(&self, authorization: &Authorization, demand: ConsentDemand) -> ConsentDecision {
        let request = self.request("GET", "/oauth/authorize");
        self.part().consent(&request, authorization, demand, &self.sub, "grant-1").unwrap()
    }

    fn consent_forms(&self, authorization: &Authorization) -> Response {
        let demand = ConsentDemand { force_consent: true, ..ASK };
        let ConsentDecision::Respond(page) = self.consent(authorization, demand) else {
            panic!("a consent page")
        };
        page
    }

    fn answer(&self, authorization: &Authorization, decision: &str) -> Reply {
        let form = hidden_fields_of(&self.consent_forms(authorization), "/account/consent");
        self.submit("/account/consent", &form, &[("decision", decision)])
    }

    /// Answers, and the authorization server honours the answer.
    fn settle(&self, authorization: &Authorization, decision: &str) -> Reply {
        let reply = self.answer(authorization, decision);
        let Authorization { client_id, redirect_uri, scope, resources, .. } = authorization;
        let asked = Asked { scope, resources };
        let allowed = matches!(reply, Reply::Answered { allowed: true, .. });
        self.part().settle_consent(&self.sub, client_id, redirect_uri, asked, allowed, NOW).unwrap();
        reply
    }
}

fn authorization() -> Authorization {
    Authorization {
        parameters: PARAMETERS.into(),
        client_id: "app".into(),
        client_name: "Photo Shelf".into(),
        redirect_uri: "https://photos.example.com/cb".into(),
        scope: vec!["openid".into(), "email".into()],
        resources: vec![],
        login_hint: None,
    }
}

fn hidden_fields(page: &Response) -> Vec<(String, String)> {
    let html = String::from_utf8(page.body.clone()).unwrap();
    let unescape = |text: &str| {
        text.replace("&#34;", "\"")
            .replace("&#39;", "'")
            .replace("&#60;", "<")
            .replace("&#62;", ">")
            .replace("&#38;", "&")
    };
    html.split("<input type=\"hidden\" name=\"")
        .skip(1)
        .map(|rest| {
            let (name, rest) = rest.split_once("\" value=\"").unwrap();
            (name.to_owned(), unescape(rest.split_once('"').unwrap().0))
        })
        .collect()
}

fn hidden_fields_of(page: &Response, action: &str) -> Vec<(String, String)> {
    let html = String::from_utf8(page.body.clone()).unwrap();
    let form = html.split("<form").find(|form| form.contains(&format!("action=\"{action}\""))).unwrap();
    let form = form.split("</form>").next().unwrap();
    hidden_fields(&Response { body: form.as_bytes().to_vec(), ..page.clone() })
}

fn with(fields: &[(String, String)], name: &str, value: &str) -> Vec<(String, String)> {
    fields
        .iter()
        .map(|(known, old)| (known.clone(), if known == name { value.to_owned() } else { old.clone() }))
        .collect()
}

#[track_caller]
fn assert_status(reply: &Reply, status: u16) {
    let Reply::Respond(page) = reply else { panic!("a page with {status}, not {reply:?}") };
    assert_eq!(page.status, status, "{}", String::from_utf8_lossy(&page.body));
}

mod signing_in {
    use super::*;

    #[test]
    fn nobody_signed_in_gets_a_page_or_none_where_no_page_may_be_shown() {
        let world = World::new();
        assert!(matches!(world.establish(INTERACTIVE), Establishment::Respond(page) if page.status == 200));
        assert_eq!(
            world.establish(AuthenticationDemand { interactive: false, ..INTERACTIVE }),
            Establishment::None
        );
    }

    #[test]
    fn the_right_password_goes_on_with_the_very_same_parameters() {
        let mut world = World::new();
        let Reply::GoOn { parameters, set_cookie } = world.try_to_sign_in(" ALICE ", "correct horse") else {
            panic!("signed in")
        };
        assert_eq!(parameters, PARAMETERS);
        let [cookie] = set_cookie.as_slice() else { panic!("one cookie") };
        assert!(cookie.starts_with("__Host-attesto_session="), "{cookie}");
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
        world.keep(cookie);
        let Establishment::Authenticated { sub, auth_time, sid } = world.establish(INTERACTIVE) else {
            panic!("a session")
        };
        assert_eq!((sub, auth_time), (world.sub.clone(), NOW));
        assert!(!cookie.contains(&sid));
    }

    #[test]
    fn wrong_password_unknown_user_disabled_user_and_nothing_typed_look_the_same() {
        let mut world = World::new();
        let sub = record::tests::add(&world.memory, "mallory", "correct horse", json!({}));
        let mut user = User::admitted(&world.memory, &sub).unwrap().unwrap();
        user.disabled = true;
        crate::store::write(&world.memory, &record::user_key(&sub), &user).unwrap();
        let mut pages = Vec::new();
        for (username, password) in [
            ("alice", "wrong horse"),
            ("nobody", "correct horse"),
            ("mallory", "correct horse"),
            ("", ""),
            ("a\0", "x"),
        ] {
            let Reply::Respond(page) = world.try_to_sign_in(username, password) else {
                panic!("refused: {username}")
            };
            assert_eq!(page.status, 422);
            assert!(
                !page.headers.iter().any(|(name, value)| *name == "set-cookie" && value.contains("session"))
            );
            let html = String::from_utf8(page.body).unwrap();
            let problem =
                html.split("role=\"alert\"").nth(1).unwrap().split("</div>").next().unwrap().to_owned();
            pages.push(problem);
        }
        assert!(pages.iter().all(|problem| problem.contains("do not match") && *problem == pages[0]));
    }

    #[test]
    fn a_failed_attempt_shows_a_form_that_works() {
        let mut world = World::new();
        let Reply::Respond(page) = world.try_to_sign_in("alice", "wrong horse") else { panic!("refused") };
        assert!(String::from_utf8_lossy(&page.body).contains("value=\"alice\""));
        let form = hidden_fields(&page);
        let reply =
            world.submit("/account/sign-in", &form, &[("username", "alice"), ("password", "correct horse")]);
        assert!(matches!(reply, Reply::GoOn { parameters, .. } if parameters == PARAMETERS));
    }

    #[test]
    fn after_ten_failures_even_the_right_password_waits_for_the_next_window() {
        let mut world = World::new();
        for _ in 0..throttle::MOST_FAILURES {
            assert_status(&world.try_to_sign_in("alice", ""), 422);
        }
        let Reply::Respond(page) = world.try_to_sign_in("alice", "correct horse") else {
            panic!("throttled")
        };
        assert_eq!(page.status, 429);
        assert!(page.headers.contains(&("retry-after", throttle::WINDOW.to_string())));
        world.now += throttle::WINDOW;
        assert!(matches!(world.try_to_sign_in("alice", "correct horse"), Reply::GoOn { .. }));
    }

    #[test]
    fn each_sign_in_has_a_new_session_and_ends_the_browsers_old_one() {
        let mut world = World::signed_in();
        let old = world.cookies.clone();
        world.sign_in();
        assert_ne!(old, world.cookies);
        assert_eq!(world.memory.keys("people/session/").len(), 1);
        let stolen = World { cookies: old, ..world };
        assert!(matches!(stolen.establish(INTERACTIVE), Establishment::Respond(_)));
    }

    #[test]
    fn a_session_planted_before_sign_in_does_not_become_the_persons() {
        let mut world = World::new();
        let planted =
            format!("__Host-attesto_session={}.{}", "A".repeat(43), NOW + session::ABSOLUTE_LIFETIME);
        world.cookies.push(planted.clone());
        world.sign_in();
        assert!(!world.cookies.contains(&planted));
        let attacker = World { cookies: vec![planted], ..world };
        assert!(matches!(attacker.establish(INTERACTIVE), Establishment::Respond(_)));
    }

    #[test]
    fn a_forced_sign_in_shows_the_page_to_somebody_signed_in_and_none_without_pages() {
        let mut world = World::signed_in();
        let force = AuthenticationDemand { force_reauthentication: true, ..INTERACTIVE };
        let Establishment::Respond(page) = world.establish(force) else { panic!("a page") };
        assert!(String::from_utf8_lossy(&page.body).contains("value=\"alice\""));
        assert_eq!(
            world.establish(AuthenticationDemand { interactive: false, ..force }),
            Establishment::None
        );
        world.now += 100;
        world.sign_in();
        let Establishment::Authenticated { auth_time, .. } = world.establish(INTERACTIVE) else {
            panic!("a session")
        };
        assert_eq!(auth_time, NOW + 100);
    }

    #[test]
    fn an_authentication_older_than_max_age_does_not_count() {
        let mut world = World::signed_in();
        world.now += 700;
        let at_most = |seconds| AuthenticationDemand { max_age: Some(seconds), ..INTERACTIVE };
        assert!(matches!(world.establish(at_most(700)), Establishment::Authenticated { .. }));
        assert!(matches!(world.establish(at_most(699)), Establishment::Respond(_)));
        assert_eq!(
            world.establish(AuthenticationDemand { interactive: false, ..at_most(699) }),
            Establishment::None
        );
    }

    #[test]
    fn login_hint_fills_in_the_username() {
        let world = World::new();
        let hinted = Authorization { login_hint: Some("bob\u{7}<".into()), ..authorization() };
        let page =
            world.part().establish(&world.request("GET", "/oauth/authorize"), &hinted, INTERACTIVE).unwrap();
        let Establishment::Respond(page) = page else { panic!("a page") };
        assert!(String::from_utf8_lossy(&page.body).contains("value=\"bob&#60;\""));
    }

    #[test]
    fn one_visit_serves_several_tabs() {
        let mut world = World::new();
        let first = world.sign_in_form(INTERACTIVE);
        let second = world.sign_in_form(INTERACTIVE);
        for form in [first, second] {
            let typed = [("username", "alice"), ("password", "correct horse")];
            assert!(matches!(world.submit("/account/sign-in", &form, &typed), Reply::GoOn { .. }));
        }
    }
}

mod forged_forms {
    use super::*;

    const TYPED: [(&str, &str); 2] = [("username", "alice"), ("password", "correct horse")];

    #[test]
    fn a_sign_in_form_without_the_browsers_visit_is_refused() {
        let mut world = World::new();
        let form = world.sign_in_form(INTERACTIVE);
        let visit = std::mem::take(&mut world.cookies);
        assert_status(&world.submit("/account/sign-in", &form, &TYPED), 403);
        // An attacker's own form in a victim's browser, which has a visit of its own.
        world.sign_in_form(INTERACTIVE);
        assert_ne!(visit, world.cookies);
        assert_status(&world.submit("/account/sign-in", &form, &TYPED), 403);
        assert_eq!(world.memory.keys("people/session/"), Vec::<String>::new());
    }

    #[test]
    fn a_sign_in_form_whose_hidden_fields_were_changed_is_refused() {
        let mut world = World::new();
        let form = world.sign_in_form(INTERACTIVE);
        for name in ["parameters", "client", "redirect_uri", "token"] {
            for value in ["", "other"] {
                assert_status(&world.submit("/account/sign-in", &with(&form, name, value), &TYPED), 403);
            }
        }
        assert_status(&world.submit("/account/sign-in", &[], &TYPED), 403);
    }

    #[test]
    fn a_consent_form_without_the_persons_session_is_refused() {
        let mut world = World::signed_in();
        let form = hidden_fields_of(&world.consent_forms(&authorization()), "/account/consent");
        let mine = std::mem::take(&mut world.cookies);
        assert_status(&world.submit("/account/consent", &form, &[("decision", "allow")]), 403);
        world.sign_in();
        assert_ne!(mine, world.cookies);
        assert_status(&world.submit("/account/consent", &form, &[("decision", "allow")]), 403);
        assert!(world.memory.keys("people/consent/").is_empty());
    }

    #[test]
    fn a_consent_form_whose_hidden_fields_were_changed_is_refused() {
        let world = World::signed_in();
        let form = hidden_fields_of(&world.consent_forms(&authorization()), "/account/consent");
        for name in ["parameters", "grant", "client_id", "redirect_uri", "scope", "token"] {
            for value in ["", "other"] {
                let reply =
                    world.submit("/account/consent", &with(&form, name, value), &[("decision", "allow")]);
                assert_status(&reply, 403);
            }
        }
    }

    #[test]
    fn a_token_of_one_form_does_not_serve_another() {
        let world = World::signed_in();
        let page = world.consent_forms(&authorization());
        let switch = hidden_fields_of(&page, "/account/switch");
        let consent = hidden_fields_of(&page, "/account/consent");
        assert_status(&world.submit("/account/consent", &switch, &[("decision", "allow")]), 403);
        assert_status(&world.submit("/account/sign-out", &switch, &[]), 403);
        assert_status(&world.submit("/account/switch", &consent, &[]), 403);
    }

    #[test]
    fn posts_from_other_sites_are_refused_even_with_a_good_token() {
        let world = World::signed_in();
        let form = hidden_fields_of(&world.consent_forms(&authorization()), "/account/consent");
        let fields: Vec<(&str, &str)> =
            form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        for (name, value) in
            [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
        {
            let mut request =
                world.post("/account/consent", &[&fields[..], &[("decision", "allow")]].concat());
            request.headers.retain(|(known, _)| known != name);
            request.headers.push((name.to_owned(), value.as_bytes().to_vec()));
            assert_status(&world.part().handle(&request).unwrap(), 403);
        }
    }

    #[test]
    fn malformed_bodies_are_refused_with_a_page() {
        let world = World::signed_in();
        for path in ["/account/sign-in", "/account/consent", "/account/switch", "/account/sign-out"] {
            let with_body = |body: &[u8]| Request { body: body.to_vec(), ..world.post(path, &[]) };
            let handle = |request: &Request| world.part().handle(request).unwrap();
            assert_status(&handle(&with_body(b"a=1&a=2")), 400);
            assert_status(&handle(&with_body(b"a=%FF")), 400);
            assert_status(&handle(&with_body(&vec![b'a'; 65 * 1024])), 413);
            let mut untyped = with_body(b"a=1");
            untyped.headers.retain(|(name, _)| name != "content-type");
            assert_status(&handle(&untyped), 415);
        }
    }
}

mod consenting {
    use super::*;

    #[test]
    fn the_answer_brings_back_parameters_and_grant() {
        let world = World::signed_in();
        for (decision, allowed) in [("allow", true), ("deny", false)] {
            let expected =
                Reply::Answered { parameters: PARAMETERS.into(), grant: "grant-1".into(), allowed };
            assert_eq!(world.answer(&authorization(), decision), expected);
        }
    }

    #[test]
    fn an_answer_that_is_neither_allow_nor_deny_is_none() {
        let world = World::signed_in();
        assert_status(&world.answer(&authorization(), "maybe"), 400);
        assert!(world.memory.keys("people/consent/").is_empty());
    }

    #[test]
    fn the_grant_is_in_the_form_and_in_no_address() {
        let world = World::signed_in();
        let page = world.consent_forms(&authorization());
        let html = String::from_utf8(page.body.clone()).unwrap();
        assert_eq!(html.matches("grant-1").count(), 1);
        assert!(page.headers.iter().all(|(_, value)| !value.contains("grant-1")));
    }

    #[test]
    fn showing_the_page_remembers_nothing() {
        let world = World::signed_in();
        world.consent_forms(&authorization());
        assert!(matches!(world.consent(&authorization(), ASK), ConsentDecision::Respond(_)));
    }

    #[test]
    fn an_answer_that_was_not_honoured_is_not_remembered() {
        let world = World::signed_in();
        world.answer(&authorization(), "allow");
        assert!(matches!(world.consent(&authorization(), ASK), ConsentDecision::Respond(_)));
    }

    #[test]
    fn after_allow_the_same_request_is_not_asked_again_unless_the_client_demands_it() {
        let world = World::signed_in();
        world.settle(&authorization(), "allow");
        assert_eq!(world.consent(&authorization(), ASK), ConsentDecision::Consented);
        let less = Authorization { scope: vec!["openid".into()], ..authorization() };
        assert_eq!(world.consent(&less, ASK), ConsentDecision::Consented);
        let force = ConsentDemand { force_consent: true, ..ASK };
        assert!(matches!(world.consent(&authorization(), force), ConsentDecision::Respond(_)));
        assert_eq!(
            world.consent(&authorization(), ConsentDemand { interactive: false, ..force }),
            ConsentDecision::None
        );
    }

    #[test]
    fn more_scope_is_asked_for() {
        let world = World::signed_in();
        world.settle(&authorization(), "allow");
        let more = Authorization { scope: vec!["openid".into(), "phone".into()], ..authorization() };
        assert!(matches!(world.consent(&more, ASK), ConsentDecision::Respond(_)));
        assert_eq!(world.consent(&more, ConsentDemand { interactive: false, ..ASK }), ConsentDecision::None);
    }

    #[test]
    fn deny_forgets_what_was_allowed() {
        let world = World::signed_in();
        world.settle(&authorization(), "allow");
        world.settle(&authorization(), "deny");
        assert!(matches!(world.consent(&authorization(), ASK), ConsentDecision::Respond(_)));
    }

    #[test]
    fn an_app_on_the_device_is_asked_about_each_time() {
        let world = World::signed_in();
        for redirect_uri in ["com.example.app:/cb", "http://127.0.0.1:8080/cb"] {
            let app = Authorization { redirect_uri: redirect_uri.into(), ..authorization() };
            assert!(matches!(world.settle(&app, "allow"), Reply::Answered { allowed: true, .. }));
            assert!(matches!(world.consent(&app, ASK), ConsentDecision::Respond(_)), "{redirect_uri}");
        }
    }

    #[test]
    fn a_consent_page_is_not_shown_for_somebody_else_than_the_session_holds() {
        let world = World::signed_in();
        let request = world.request("GET", "/oauth/authorize");
        let decision = world.part().consent(&request, &authorization(), ASK, "usr_other", "grant-1").unwrap();
        let ConsentDecision::Respond(page) = decision else { panic!("a page") };
        assert_eq!(page.status, 403);
        assert!(!String::from_utf8_lossy(&page.body).contains("grant-1"));
    }
}

mod the_rest {
    use super::*;

    #[test]
    fn another_account_ends_the_session_and_goes_on_with_the_request() {
        let mut world = World::signed_in();
        let form = hidden_fields_of(&world.consent_forms(&authorization()), "/account/switch");
        let Reply::GoOn { parameters, set_cookie } = world.submit("/account/switch", &form, &[]) else {
            panic!("go on")
        };
        assert_eq!(parameters, PARAMETERS);
        assert!(matches!(world.establish(INTERACTIVE), Establishment::Respond(_)));
        set_cookie.iter().for_each(|value| world.keep(value));
        assert!(!world.cookies.iter().any(|cookie| cookie.contains("session")));
    }

    #[test]
    fn the_account_page_names_who_is_signed_in_and_signs_out() {
        let world = World::signed_in();
        let account = || match world.part().handle(&world.request("GET", "/account")).unwrap() {
            Reply::Respond(page) => page,
            other => panic!("a page, not {other:?}"),
        };
        let page = account();
        assert!(String::from_utf8_lossy(&page.body).contains("Alice Adams"));
        let Reply::Respond(out) = world.submit("/account/sign-out", &hidden_fields(&page), &[]) else {
            panic!("a response")
        };
        assert_eq!(out.status, 303);
        assert!(out.headers.contains(&("location", "/account".into())));
        assert!(out.headers.iter().any(|(name, value)| *name == "set-cookie" && value.contains("Max-Age=0")));
        assert!(String::from_utf8_lossy(&account().body).contains("You are not signed in"));
        assert!(world.memory.keys("people/session/").is_empty());
    }

    #[test]
    fn forms_cannot_be_fetched_and_pages_cannot_be_posted_to() {
        let world = World::signed_in();
        for (method, path, allow) in [
            ("GET", "/account/sign-in", "POST"),
            ("GET", "/account/sign-out", "POST"),
            ("PUT", "/account/consent", "POST"),
            ("POST", "/account", "GET, HEAD"),
            ("DELETE", "/account/style.css", "GET, HEAD"),
        ] {
            let reply = world.part().handle(&world.request(method, path)).unwrap();
            assert_status(&reply, 405);
            let Reply::Respond(page) = reply else { unreachable!() };
            assert!(page.headers.contains(&("allow", allow.into())), "{method} {path}");
        }
    }

    #[test]
    fn other_paths_are_not_found() {
        let world = World::new();
        for path in [
            "/",
            "",
            "/account/other",
            "/accounting",
            "/account/sign-in/",
            "/account//consent",
            "/oauth/authorize",
        ] {
            assert_status(&world.part().handle(&world.request("GET", path)).unwrap(), 404);
        }
    }

    #[test]
    fn assets_are_kept_by_browsers() {
        let world = World::new();
        for (path, content_type) in
            [("/account/style.css", "text/css; charset=utf-8"), ("/account/icon.svg", "image/svg+xml")]
        {
            let Reply::Respond(asset) = world.part().handle(&world.request("GET", path)).unwrap() else {
                panic!("an asset")
            };
            assert!(asset.headers.contains(&("content-type", content_type.into())));
            assert!(asset.headers.contains(&("cache-control", "public, max-age=31536000, immutable".into())));
        }
    }

    #[test]
    fn a_broken_store_is_a_fault_and_never_an_answer() {
        let mut world = World::signed_in();
        let form = world.sign_in_form(AuthenticationDemand { force_reauthentication: true, ..INTERACTIVE });
        let fields: Vec<(&str, &str)> =
            form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let typed = [("username", "alice"), ("password", "correct horse")];
        let sign_in = world.post("/account/sign-in", &[&fields[..], &typed[..]].concat());
        world.memory.broken.set(true);
        let request = world.request("GET", "/oauth/authorize");
        assert!(world.part().establish(&request, &authorization(), INTERACTIVE).is_err());
        assert!(world.part().consent(&request, &authorization(), ASK, &world.sub, "g").is_err());
        assert!(world.part().handle(&sign_in).is_err());
        assert!(world.part().is_admitted(&world.sub).is_err());
        assert!(world.part().userinfo_claims(&world.sub, &[]).is_err());
    }

    #[test]
    fn only_admitted_people_are_principals_and_have_claims() {
        let world = World::new();
        let profile = ["profile".to_owned()];
        assert!(world.part().is_admitted(&world.sub).unwrap());
        assert_eq!(
            world.part().userinfo_claims(&world.sub, &profile).unwrap().get("name"),
            Some(&json!("Alice Adams"))
        );
        assert!(!world.part().is_admitted("usr_other").unwrap());
        assert!(world.part().userinfo_claims("usr_other", &profile).unwrap().is_empty());
    }
}
