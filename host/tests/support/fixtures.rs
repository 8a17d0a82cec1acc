//! The compiled fixtures, built once a run where nobody has built them before.
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

const FIXTURES: [&str; 3] = ["attesto-test-hello", "attesto-test-greeter", "attesto-test-hostile"];

/// Where the compiled fixtures are: `ATTESTO_COMPONENTS`, or the target directory after building them once.
static COMPONENTS: LazyLock<PathBuf> = LazyLock::new(|| match std::env::var_os("ATTESTO_COMPONENTS") {
    Some(directory) => directory.into(),
    None => build(),
});

fn build() -> PathBuf {
    let workspace = workspace();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(workspace).args(["build", "--profile", "component", "--target", "wasm32-wasip2"]);
    cargo.args(FIXTURES.iter().flat_map(|name| ["--package", name]));
    let output = cargo.output().expect("cargo runs");
    assert!(
        output.status.success(),
        "the test components do not build; `cargo xtask setup` installs the wasm32-wasip2 target they need:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    target().join("wasm32-wasip2").join("component")
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// A compiled fixture, such as `greeter`.
pub fn component(name: &str) -> PathBuf {
    let path = COMPONENTS.join(format!("attesto_test_{name}.wasm"));
    assert!(path.is_file(), "{} is missing", path.display());
    path
}

/// The fixture's manifest, with the components where they are.
pub fn manifest() -> String {
    let manifest = include_str!("../../../tests/components/hello/spin.toml");
    ["hello", "greeter"].into_iter().fold(manifest.to_owned(), |text, name| {
        let relative = format!("../../../target/wasm32-wasip2/component/attesto_test_{name}.wasm");
        assert!(text.contains(&relative), "the fixture's manifest names {name}");
        text.replace(&relative, component(name).to_str().unwrap())
    })
}
