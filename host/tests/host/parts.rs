//! Each of the product's parts imports what the design gives it, and the manifest says the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::component;
use attesto_host::capabilities::{Class, check, class_of, imports_of};
use attesto_host::manifest::Manifest;

/// The table: package, part, and what it inherits. What a part does not inherit it can not reach.
const TABLE: [(&str, &str, &[Class]); 6] = [
    ("attesto:keystore", "keystore", &[Class::Variables]),
    ("attesto:clients", "clients", &[Class::KeyValueStores]),
    ("attesto:people", "people", &[Class::KeyValueStores]),
    ("attesto:rules", "rules", &[]),
    ("attesto:outbound", "outbound", &[Class::AllowedOutboundHosts]),
    ("attesto:stores", "store_key_value", &[Class::KeyValueStores]),
];

/// The permissions a component's imports need, but for the two that every Rust program imports and composition withholds.
fn wanted(name: &str) -> BTreeSet<Class> {
    let wasm = std::fs::read(component(name)).unwrap();
    let classes = imports_of(&wasm).unwrap().iter().filter_map(class_of).collect::<BTreeSet<_>>();
    classes.into_iter().filter(|class| !matches!(class, Class::Files | Class::Environment)).collect()
}

#[test]
fn every_part_imports_what_the_table_gives_it_and_no_more() {
    for (package, part, classes) in TABLE {
        assert_eq!(wanted(part), classes.iter().copied().collect(), "{package}");
    }
}

#[test]
fn the_manifest_lets_every_part_inherit_what_the_table_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let manifest = Manifest::read(&root.join("spin.toml")).unwrap();
    let parts = &manifest.components["attesto"].dependencies;
    let found: BTreeMap<_, _> =
        parts.iter().map(|part| (part.package.as_str(), part.inherits.clone())).collect();
    let table = TABLE.map(|(package, _, classes)| (package, classes.iter().copied().collect()));
    assert_eq!(found, BTreeMap::from(table));
}

#[test]
fn the_hostile_people_part_wants_what_the_real_one_may_not_have() {
    assert!(wanted("hostile_people").contains(&Class::Variables));
    let wasm = std::fs::read(component("hostile_people")).unwrap();
    let refusal =
        check("attesto:people", &imports_of(&wasm).unwrap(), &BTreeSet::from([Class::KeyValueStores]));
    assert!(format!("{refusal:?}").contains("variables"));
}

#[test]
fn an_outbound_part_that_wants_the_records_is_refused() {
    let wasm = std::fs::read(component("hostile_outbound")).unwrap();
    let refusal = check(
        "attesto:outbound",
        &imports_of(&wasm).unwrap(),
        &BTreeSet::from([Class::AllowedOutboundHosts]),
    );
    assert!(format!("{refusal:?}").contains("wasi:keyvalue"), "{refusal:?}");
}
