//! The compiled components: the fixtures', and the product's own.

use std::path::{Path, PathBuf};

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// A compiled component, such as `greeter`, where `cargo xtask build` puts it.
pub(crate) fn component(name: &str) -> PathBuf {
    let path = workspace().join("target/components").join(format!("{name}.wasm"));
    assert!(path.is_file(), "{} is missing: `cargo xtask build` makes it", path.display());
    path
}

/// The fixture's manifest, with the components where they are.
pub(crate) fn manifest() -> String {
    let manifest = include_str!("../../../../tests/components/hello/spin.toml");
    ["hello", "greeter"].into_iter().fold(manifest.to_owned(), |text, name| {
        let relative = format!("../../../target/components/{name}.wasm");
        assert!(text.contains(&relative), "the fixture's manifest names {name}");
        text.replace(&relative, component(name).to_str().unwrap())
    })
}
