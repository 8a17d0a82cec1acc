//! Usernames and passwords as text: RFC 8265 in its parts that matter to typing the same name on two keyboards.

use unicode_normalization::UnicodeNormalization;

/// The longest username, in bytes of its prepared form.
pub const LONGEST: usize = 255;

/// RFC 8265 §3.3 in short: surrounding white space removed, lower case, Unicode Normalization Form C. `None` where nothing
/// remains, where it is too long, or where it has control characters.
pub fn prepare(typed: &str) -> Option<String> {
    // The bound comes before the work: normalization is linear, but its input is anybody's.
    if typed.len() > 4 * LONGEST {
        return None;
    }
    let name: String = typed.trim().to_lowercase().nfc().collect();
    let acceptable = !name.is_empty() && name.len() <= LONGEST && !name.chars().any(char::is_control);
    acceptable.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::prepare;

    #[test]
    fn case_surrounding_space_and_composition_do_not_matter() {
        for typed in ["Zoë", "zoë", "  ZOË\t", "Zoe\u{308}"] {
            assert_eq!(prepare(typed).as_deref(), Some("zoë"), "{typed:?}");
        }
    }

    #[test]
    fn empty_overlong_and_control_characters_are_no_username() {
        for typed in ["", "  ", "a\0b", "a\nb", &"a".repeat(256), &"a".repeat(100_000)] {
            assert_eq!(prepare(typed), None);
        }
        assert!(prepare(&"a".repeat(255)).is_some());
    }
}
