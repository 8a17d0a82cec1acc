//! `attesto.toml`.

use attesto::config::Config;
use proptest::prelude::*;

proptest! {
    #[test]
    fn any_text_is_a_configuration_or_refused(text in ".{0,200}") {
        let _ = Config::from_toml(&text);
    }

    #[test]
    fn any_values_are_valid_or_named(
        host in "[a-zA-Z0-9.:/?#@-]{0,20}", scope in ".{0,8}", prefix in "[a-z/.]{0,10}", seconds in any::<i64>(),
    ) {
        let scope = toml_string(&scope);
        let text = format!(
            "issuer = \"https://{host}\"\naudience = \"https://{host}\"\nscopes_supported = [{scope}]\n\
             oauth_path_prefix = \"{prefix}\"\naccess_token_ttl = {seconds}\n"
        );
        match Config::from_toml(&text) {
            Ok(config) => {
                prop_assert_eq!(config.issuer, format!("https://{host}"));
                prop_assert!((1..=86_400).contains(&config.access_token_ttl));
            }
            Err(errors) => prop_assert!(!errors.0.is_empty()),
        }
    }
}

fn toml_string(text: &str) -> String {
    let escaped: String = text.chars().map(|c| format!("\\U{:08X}", u32::from(c))).collect();
    format!("\"{escaped}\"")
}
