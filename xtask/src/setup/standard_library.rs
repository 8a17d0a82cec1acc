//! Builds Rust's standard library for the WebAssembly targets from Debian's packages, for machines that reach no Rust
//! download server. The result goes where `rustup target add` would have put it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process;
use crate::project::Project;
use crate::setup::debian::Apt;
use crate::setup::wasm::{self, Compiler};

/// Where Debian keeps several releases of Rust side by side, and where the newest one arrives.
const SUITES: [&str; 2] = ["trixie-backports", "sid"];

/// The C library's parts that rustc links into programs for WASI.
const SELF_CONTAINED: [&str; 3] = ["crt1-command.o", "crt1-reactor.o", "libc.a"];

/// The crate whose build brings the standard library's crates along.
const SCRATCH: &str = "scratch";

/// Builds and installs the standard library for `targets` into the active toolchain.
///
/// # Errors
/// When Debian holds no sources of exactly this rustc, the build fails, or the toolchain cannot be written to.
pub(crate) fn install(project: &Project, targets: &[&str]) -> Result<()> {
    let compiler = Compiler::read(project)?;
    let work = project.target.join("xtask").join("standard-library");
    fs::create_dir_all(&work)?;

    let packages = [format!("rust-src={}*", compiler.release), "wasi-libc".to_owned()];
    let root = Apt::new(work.join("debian"))?.unpack(&SUITES, &packages)?;
    let sources = root.join(format!("usr/src/rustc-{}/library", compiler.release));
    if !sources.is_dir() {
        bail!("Debian's rust-src holds no usr/src/rustc-{}/library", compiler.release);
    }

    {
        let _linked = LinkedSources::new(&compiler.sysroot, &sources)?;
        build(project, &work, targets)?;
    }
    for target in targets {
        put(&compiler.sysroot, &root, &work, target).with_context(|| format!("installing {target}"))?;
        wasm::links(project, target)?;
    }
    // About 1 GB of sources and intermediate results that nothing needs again.
    fs::remove_dir_all(&work)?;
    Ok(())
}

fn build(project: &Project, work: &Path, targets: &[&str]) -> Result<()> {
    let scratch = work.join(SCRATCH);
    fs::create_dir_all(scratch.join("src"))?;
    fs::write(scratch.join("src/lib.rs"), "")?;
    // Its own workspace: it lies below ours without being part of it.
    let manifest = format!("[package]\nname = \"{SCRATCH}\"\nedition = \"2024\"\n\n[workspace]\n");
    fs::write(scratch.join("Cargo.toml"), manifest)?;
    let mut cargo = project.cargo();
    cargo
        .current_dir(&scratch)
        .args(["build", "--release", "-Zbuild-std=std,panic_abort,panic_unwind,proc_macro,test"])
        .args(targets.iter().flat_map(|target| ["--target", target]))
        .arg("--target-dir")
        .arg(work.join("build"))
        // Stable's cargo and rustc take -Z options only when building Rust itself, which this is.
        .env("RUSTC_BOOTSTRAP", "1")
        // With the bitcode a component can be built with link-time optimization.
        .env("RUSTFLAGS", "-Cforce-unwind-tables=no -Cembed-bitcode=yes")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    process::shown(&mut cargo)
}

/// Puts a target's folder into the toolchain in one step: an interrupted run leaves nothing half there.
fn put(sysroot: &Path, root: &Path, work: &Path, target: &str) -> Result<()> {
    let rustlib = sysroot.join("lib/rustlib");
    let staging = rustlib.join(format!(".{target}.new"));
    clear(&staging)?;
    let library = staging.join("lib");
    let self_contained = library.join("self-contained");
    fs::create_dir_all(&self_contained)
        .with_context(|| format!("the toolchain in {} cannot be written to", sysroot.display()))?;

    let wasi = root.join("usr/lib").join(if target == "wasm32-wasip1" { "wasm32-wasi" } else { target });
    for name in SELF_CONTAINED {
        fs::copy(wasi.join(name), self_contained.join(name))
            .with_context(|| format!("Debian's wasi-libc holds no {name} for {target}"))?;
    }
    let built = work.join("build").join(target).join("release/deps");
    let own = format!("lib{SCRATCH}-");
    for entry in fs::read_dir(&built)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with(&own) {
            fs::copy(&path, library.join(name))?;
        }
    }
    let place = rustlib.join(target);
    clear(&place)?;
    fs::rename(&staging, &place)?;
    Ok(())
}

/// The library's sources linked to where cargo looks for them, until dropped: left there, they would stand in the way
/// of `rustup component add rust-src`.
struct LinkedSources(Option<PathBuf>);

impl LinkedSources {
    fn new(sysroot: &Path, sources: &Path) -> Result<Self> {
        let place = sysroot.join("lib/rustlib/src/rust/library");
        if place.is_dir() && !place.is_symlink() {
            return Ok(Self(None));
        }
        clear(&place)?;
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        std::os::unix::fs::symlink(sources, &place)
            .with_context(|| format!("the toolchain in {} cannot be written to", sysroot.display()))?;
        Ok(Self(Some(place)))
    }
}

impl Drop for LinkedSources {
    fn drop(&mut self) {
        let Some(place) = &self.0 else { return };
        // What cannot be removed is found and replaced by the next run.
        fs::remove_file(place).ok();
        for folder in place.ancestors().skip(1).take(2) {
            fs::remove_dir(folder).ok();
        }
    }
}

/// Removes what is at `path`, if anything is.
fn clear(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
