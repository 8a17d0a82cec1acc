//! Application variables and the templates that hand them to components.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::LoadError;
use crate::manifest::Manifest;

/// The value of every application variable. `Debug` elides them: some are private keys.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Settles each declared variable: a given value, then `SPIN_VARIABLE_<NAME>`, then the default.
    ///
    /// # Errors
    /// A required variable without a value, or a value for a variable nobody declared.
    pub fn resolve(
        manifest: &Manifest,
        given: &BTreeMap<String, String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, LoadError> {
        if let Some(name) = given.keys().find(|name| !manifest.variables.contains_key(*name)) {
            return Err(LoadError::UnknownVariable { name: name.clone() });
        }
        let mut values = BTreeMap::new();
        for (name, variable) in &manifest.variables {
            let env = format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase());
            let value =
                given.get(name).cloned().or_else(|| environment(&env)).or_else(|| variable.default.clone());
            let value = value.ok_or_else(|| LoadError::MissingVariable { name: name.clone(), env })?;
            values.insert(name.clone(), value);
        }
        Ok(Self(values))
    }

    /// Replaces each `{{ name }}` in a template.
    ///
    /// # Errors
    /// An unknown name or an unclosed brace, at the manifest key `key`.
    pub fn expand(&self, key: &str, template: &str) -> Result<String, LoadError> {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) =
                after.split_once("}}").ok_or_else(|| LoadError::key(key, "`{{` without `}}`"))?;
            let name = name.trim();
            let value = self
                .0
                .get(name)
                .ok_or_else(|| LoadError::key(key, format!("there is no [variables] entry for {name:?}")))?;
            text.push_str(before);
            text.push_str(value);
            rest = after;
        }
        text.push_str(rest);
        Ok(text)
    }
}

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Reads a file of `name = "value"` lines.
///
/// # Errors
/// [`LoadError`] naming the file, and the line that is not one.
pub fn read_file(path: &Path) -> Result<BTreeMap<String, String>, LoadError> {
    let text =
        std::fs::read_to_string(path).map_err(|cause| LoadError::Read { path: path.to_owned(), cause })?;
    toml::from_str(&text).map_err(|error| LoadError::Variables {
        path: path.to_owned(),
        line: error.span().and_then(|span| Some(text.get(..span.start)?.matches('\n').count() + 1)),
        problem: error.message().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        Variables(BTreeMap::from([("a".into(), "1".into()), ("b_c".into(), "two".into())]))
    }

    #[test]
    fn templates_are_expanded() {
        assert_eq!(variables().expand("k", "x{{ a }}y{{b_c}}").unwrap(), "x1ytwo");
        assert_eq!(variables().expand("k", "plain").unwrap(), "plain");
    }

    #[test]
    fn an_unknown_name_and_an_open_brace_are_refused() {
        assert!(variables().expand("k", "{{ nobody }}").unwrap_err().to_string().contains("nobody"));
        assert!(variables().expand("k", "{{ a ").is_err());
    }

    #[test]
    fn a_malformed_file_is_named_by_its_line_and_not_quoted() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for text in ["a = \"1\"\nb = \"hush\n", "a = \"1\"\nhush\n", "a = \"1\"\nb = [\"hush\"]\n"] {
            std::fs::write(file.path(), text).unwrap();
            let message = read_file(file.path()).unwrap_err().to_string();
            assert!(message.contains(": line 2: ") && !message.contains("hush"), "{message}");
            assert_eq!(message.lines().count(), 1, "{message}");
        }
    }

    #[test]
    fn debug_shows_no_values() {
        assert!(!format!("{:?}", variables()).contains("two"));
    }
}
