//! A person's browser: it keeps cookies and fills in the forms of the sign-in and consent pages, whosever they are.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use http::header::{COOKIE, ORIGIN};

use crate::client::{Answer, Connection};

/// What the person types into a field of that name, or presses.
const ANSWERS: [(&str, &str); 4] = [
    ("username", crate::server::USERNAME),
    ("login", crate::server::USERNAME),
    ("password", crate::server::PASSWORD),
    ("decision", "allow"),
];

/// No sign-in takes more pages than that.
const PAGES: usize = 12;

/// The cookies of one person.
#[derive(Debug, Default)]
pub(crate) struct Person(BTreeMap<String, String>);

impl Person {
    /// The `Cookie` header.
    pub(crate) fn cookies(&self) -> String {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Keeps what an answer sets.
    pub(crate) fn keep(&mut self, answer: &Answer) {
        for (name, value) in answer.cookies() {
            if value.is_empty() {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Makes an authorization request, signs in and agrees where asked to, and returns where the client is answered.
    pub(crate) async fn authorize(
        &mut self,
        connection: &mut Connection,
        origin: &str,
        request: &str,
    ) -> Result<String> {
        let mut answer = connection.get(request, &self.cookies()).await?;
        for _ in 0..PAGES {
            self.keep(&answer);
            answer = if let Some(location) = answer.location() {
                match local(location, origin) {
                    Some(path) => connection.get(path, &self.cookies()).await?,
                    None => return Ok(location.to_owned()),
                }
            } else if answer.status.is_success() {
                let page = String::from_utf8_lossy(&answer.body);
                let form = Form::read(&page, origin).context("a page without a form that can be answered")?;
                let fields: Vec<_> = form.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
                let headers = [(COOKIE, &*self.cookies()), (ORIGIN, origin)];
                connection.post(&form.action, &headers, &fields).await?
            } else {
                bail!("the person saw {}", answer.shown());
            };
        }
        bail!("no answer to the client after {PAGES} pages")
    }
}

/// The path of a URL at this origin.
fn local<'a>(location: &'a str, origin: &str) -> Option<&'a str> {
    location.strip_prefix(origin).or(Some(location)).filter(|path| path.starts_with('/'))
}

/// A form as the person sends it.
#[derive(Debug, PartialEq, Eq)]
struct Form {
    action: String,
    fields: Vec<(String, String)>,
}

impl Form {
    /// The first form of a page that has a field the person knows an answer to, or else asks for no more than a yes.
    fn read(page: &str, origin: &str) -> Option<Self> {
        let forms = page.split("<form").skip(1).filter_map(|form| form.split_once("</form>"));
        forms.filter_map(|(form, _)| Self::of(form, origin)).find(|form| {
            let known = |name: &str| ANSWERS.iter().any(|(known, _)| *known == name) || name == "prompt";
            form.fields.iter().any(|(name, _)| known(name))
        })
    }

    fn of(form: &str, origin: &str) -> Option<Self> {
        let action = attribute(form, "action")?;
        let mut fields = Vec::new();
        for tag in form.split('<').filter(|tag| tag.starts_with("input") || tag.starts_with("button")) {
            let Some(name) = attribute(tag, "name") else { continue };
            let typed =
                ANSWERS.iter().find(|(known, _)| *known == name).map(|(_, answer)| (*answer).to_owned());
            let Some(value) = typed.or_else(|| attribute(tag, "value")) else { continue };
            if !fields.iter().any(|(other, _)| *other == name) {
                fields.push((name, value));
            }
        }
        Some(Self { action: local(&action, origin)?.to_owned(), fields })
    }
}

/// The value of an attribute, its character references resolved.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    let references = [("&#38;", "&"), ("&amp;", "&"), ("&#61;", "="), ("&#x3D;", "=")];
    Some(
        references.iter().fold(value.to_owned(), |text, (reference, letter)| text.replace(reference, letter)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_with_questions_is_answered() {
        let page = r#"<form action="/locale"><input type="hidden" name="lang" value="en"></form>
            <form method="post" action="http://localhost:1/sign-in"><input type="hidden" name="to" value="/a?b&amp;c">
            <input name="username"><input type="password" name="password">
            <button name="decision" value="deny">Deny</button><button name="decision" value="allow">Allow</button></form>"#;
        let form = Form::read(page, "http://localhost:1").unwrap();
        let fields = [
            ("to", "/a?b&c"),
            ("username", "alice"),
            ("password", crate::server::PASSWORD),
            ("decision", "allow"),
        ];
        assert_eq!(form.action, "/sign-in");
        assert_eq!(form.fields, fields.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn an_answer_to_the_client_is_not_followed() {
        assert_eq!(local("/auth/1", "http://localhost:1"), Some("/auth/1"));
        assert_eq!(local("http://localhost:1/auth/1", "http://localhost:1"), Some("/auth/1"));
        assert_eq!(local("https://client.example/callback?code=1", "http://localhost:1"), None);
    }
}
