//! The form of a variable's name.

/// Whether Spin would accept the name: lower case, digits and single inner underscores, a letter first.
pub(crate) fn is_valid(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.split('_').all(|word| {
            !word.is_empty()
                && word.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_snake_case() {
        for name in ["a", "client_secret", "a1"] {
            assert!(is_valid(name), "{name}");
        }
        for name in ["", "A", "1a", "a__b", "a_", "a-b", "é"] {
            assert!(!is_valid(name), "{name}");
        }
    }
}
