//! Scope values and their algebra.

use attesto::scope::Scope;
use attesto::scope_catalog::{Catalog, RequiredScope, Separator};
use proptest::collection::vec;
use proptest::prelude::*;

const ENTRIES: [&str; 8] = ["openid", "a", "a.read", "a.write", "a.b.read", "b.read", "b.c", "ab.read"];

fn catalog() -> Catalog {
    Catalog::new(ENTRIES, Some(Separator::Dot)).unwrap()
}

/// Entries, wildcards, and much that is neither.
fn token() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::sample::select(ENTRIES.as_slice()).prop_map(str::to_owned),
        3 => proptest::sample::select(["a.*", "b.*", "ab.*", "*"].as_slice()).prop_map(str::to_owned),
        2 => "[ab.*]{1,5}",
        1 => "[!-~]{1,6}".prop_filter("a token", |text| attesto::scope::is_scope_token(text)),
    ]
}

fn scope() -> impl Strategy<Value = Scope> {
    vec(token(), 0..6).prop_map(|tokens| Scope::from_tokens(tokens).unwrap())
}

fn required() -> impl Strategy<Value = RequiredScope> {
    vec(proptest::sample::select(ENTRIES.as_slice()), 1..4)
        .prop_map(|entries| Scope::from_tokens(entries).unwrap().try_into().unwrap())
}

fn grants(scope: &Scope) -> Scope {
    let system = catalog();
    Scope::from_tokens(scope.tokens().iter().filter(|token| system.for_system().is_grant(token)).cloned())
        .unwrap()
}

proptest! {
    #[test]
    fn a_scope_is_read_as_it_is_written(text in prop_oneof![".{0,40}", "[a-c.* ]{0,12}"]) {
        if let Ok(scope) = Scope::parse(&text) {
            prop_assert_eq!(Scope::parse(&scope.to_string()), Ok(scope));
        }
    }

    #[test]
    fn holding_more_never_covers_less(held in scope(), more in scope(), required in required()) {
        let catalog = catalog();
        prop_assert!(!catalog.covers(&held, &required) || catalog.covers(&held.union(&more), &required));
    }

    #[test]
    fn requiring_more_is_never_easier(held in scope(), one in required(), other in required()) {
        let both: RequiredScope = one.scope().union(other.scope()).try_into().unwrap();
        let catalog = catalog();
        let each = catalog.covers(&held, &one) && catalog.covers(&held, &other);
        prop_assert_eq!(catalog.covers(&held, &both), each);
    }

    #[test]
    fn nothing_covers_more_than_everything(held in scope(), required in required()) {
        let everything = Scope::parse("*").unwrap();
        prop_assert!(catalog().covers(&everything, &required));
        prop_assert!(!catalog().narrows(&everything, &held));
    }

    #[test]
    fn what_is_no_grant_changes_nothing(held in scope(), required in required(), asked in scope()) {
        let catalog = catalog();
        prop_assert_eq!(catalog.covers(&held, &required), catalog.covers(&grants(&held), &required));
        prop_assert_eq!(catalog.narrows(&asked, &held), catalog.narrows(&asked, &grants(&held)));
    }

    #[test]
    fn a_wildcard_never_reaches_another_resource(
        resource in proptest::sample::select(["a", "b", "ab"].as_slice()),
        required in required(),
    ) {
        let held = Scope::parse(&format!("{resource}.*")).unwrap();
        let below = |entry: &String| entry.starts_with(&format!("{resource}."));
        prop_assert_eq!(catalog().covers(&held, &required), required.scope().tokens().iter().all(below));
    }

    #[test]
    fn narrowing_is_reflexive_on_grants(held in scope()) {
        let catalog = catalog();
        let system = catalog.for_system();
        prop_assert!(system.narrows(&grants(&held), &grants(&held)));
    }

    #[test]
    fn narrowing_is_transitive(one in scope(), two in scope(), three in scope(), nested in any::<[bool; 2]>()) {
        // Three scopes at random seldom lie within each other.
        let two = if nested[0] { one.union(&two) } else { two };
        let three = if nested[1] { two.union(&three) } else { three };
        let [one, two, three] = [one, two, three].map(|scope| grants(&scope));
        let catalog = catalog();
        let system = catalog.for_system();
        if catalog.narrows(&one, &two) && catalog.narrows(&two, &three) {
            prop_assert!(catalog.narrows(&one, &three));
        }
        if system.narrows(&one, &two) && system.narrows(&two, &three) {
            prop_assert!(system.narrows(&one, &three));
        }
    }

    #[test]
    fn what_is_narrowed_opens_nothing_its_ceiling_does_not(
        asked in scope(), ceiling in scope(), required in required(),
    ) {
        let catalog = catalog();
        if catalog.for_system().narrows(&asked, &ceiling) && catalog.covers(&asked, &required) {
            prop_assert!(catalog.covers(&ceiling, &required));
        }
    }

    #[test]
    fn a_requirement_is_concrete(text in prop_oneof![".{0,30}", "[a-c.* ]{0,12}"]) {
        if let Ok(required) = RequiredScope::parse(&text) {
            prop_assert!(!required.scope().is_empty() && !text.contains('*'));
        }
    }

    #[test]
    fn any_values_make_a_catalog_or_are_refused(entries in vec("[a-c.:*]{0,5}", 0..5), token in "[a-c.:*]{0,5}") {
        for separator in [None, Some(Separator::Dot), Some(Separator::Colon)] {
            if let Ok(catalog) = Catalog::new(entries.clone(), separator) {
                prop_assert!(catalog.entries().tokens().iter().all(|entry| catalog.is_grant(entry)));
                prop_assert!(!catalog.is_grant("*"));
                prop_assert!(separator.is_some() || !token.contains('*') || !catalog.is_grant(&token));
            }
        }
    }
}
