//! What a request says of the authentication it wants (OIDC Core §3.1.2.1): `prompt` and `max_age`.

/// OIDC Core §3.1.2.1 `prompt`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// `none`: "The Authorization Server MUST NOT display any authentication or consent user interface pages."
    pub none: bool,
    /// `login`, or `select_account`, which here means the same: the sign-in page.
    pub login: bool,
    /// `consent`.
    pub consent: bool,
}

impl Prompt {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut prompt = Self::default();
        for value in text.split(' ') {
            match value {
                "none" => prompt.none = true,
                "login" | "select_account" => prompt.login = true,
                "consent" => prompt.consent = true,
                _ => return None,
            }
        }
        // "If this parameter contains none with any other value, an error is returned."
        let others = prompt.login || prompt.consent;
        (!(prompt.none && others)).then_some(prompt)
    }
}

/// A number of seconds, digits only.
pub(super) fn seconds(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompt_none_stands_alone() {
        assert_eq!(Prompt::parse("none"), Some(Prompt { none: true, ..Prompt::default() }));
        assert_eq!(Prompt::parse("login consent"), Some(Prompt { login: true, consent: true, none: false }));
        for bad in ["none login", "login none", "create", "", "login  consent", "NONE"] {
            assert_eq!(Prompt::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn max_age_is_digits_only() {
        assert_eq!(seconds("0"), Some(0));
        for bad in ["-1", "+1", "1.0", "1e3", " 1", "99999999999999999999"] {
            assert_eq!(seconds(bad), None, "{bad:?}");
        }
    }
}
