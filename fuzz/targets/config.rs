//! `attesto.toml`.

#![no_main]

use attesto::config::Config;
use attesto::endpoints::Endpoints;

libfuzzer_sys::fuzz_target!(|text: &str| {
    match Config::from_toml(text) {
        Ok(config) => {
            let endpoints = Endpoints::new(&config);
            assert!(endpoints.url(&endpoints.token).starts_with(&config.issuer));
        }
        Err(errors) => assert!(!errors.0.is_empty() && !errors.to_string().is_empty()),
    }
});
