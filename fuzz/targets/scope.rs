//! Scopes, catalogs and requirements: four lines of text.

#![no_main]

use attesto::scope::Scope;
use attesto::scope_catalog::{Catalog, RequiredScope, Separator};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let mut lines = text.splitn(4, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (entries, held, asked, required) = (line(), line(), line(), line());
    let (Ok(held), Ok(asked)) = (Scope::parse(held), Scope::parse(asked)) else { return };
    assert_eq!(Scope::parse(&held.to_string()).as_ref(), Ok(&held));
    let Ok(required) = RequiredScope::parse(required) else { return };
    assert!(!required.scope().is_empty());
    for separator in [None, Some(Separator::Dot), Some(Separator::Colon)] {
        let Ok(catalog) = Catalog::new(entries.split(' '), separator) else { continue };
        assert!(!catalog.is_grant("*"));
        let narrows = catalog.narrows(&asked, &held);
        assert!(!narrows || catalog.for_system().narrows(&asked, &held));
        if narrows && catalog.covers(&asked, &required) {
            assert!(catalog.covers(&held, &required));
        }
    }
});
