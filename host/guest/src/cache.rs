//! Compiled components on disk, so that a second start compiles nothing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Compiles a component, or takes what compiling the same bytes for the same engine gave before.
///
/// A cache that cannot be read or written costs time and nothing else.
pub(crate) fn compile(engine: &Engine, wasm: &[u8], directory: Option<&Path>) -> wasmtime::Result<Component> {
    let Some(directory) = directory else { return Component::new(engine, wasm) };
    let path = entry(engine, wasm, directory);
    if let Some(component) = load(engine, &path) {
        return Ok(component);
    }
    let component = Component::new(engine, wasm)?;
    if let Ok(artifact) = component.serialize() {
        // Without the entry the next start compiles again; there is nobody to tell.
        let _ = store(&path, &artifact);
    }
    Ok(component)
}

/// One file per component, engine configuration, compiler version and machine.
fn entry(engine: &Engine, wasm: &[u8], directory: &Path) -> PathBuf {
    let mut compatibility = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut compatibility);
    let digest: String = Sha256::digest(wasm).iter().map(|byte| format!("{byte:02x}")).collect();
    directory.join(format!("{digest}-{:016x}.cwasm", compatibility.finish()))
}

#[expect(unsafe_code, reason = "compiled code can only be trusted, not checked")]
fn load(engine: &Engine, path: &Path) -> Option<Component> {
    if !path.is_file() {
        return None;
    }
    // SAFETY: The file must be the output of `Component::serialize`. Only `store` below writes here, whole files or none,
    // into a directory that only this user may write to. Who can write as this user can replace this program as well.
    unsafe { Component::deserialize_file(engine, path) }.ok()
}

fn store(path: &Path, artifact: &[u8]) -> std::io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    private_directory(directory)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(artifact)?;
    file.persist(path)?;
    Ok(())
}

fn private_directory(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}
