//! The files a component sees: copies, made when the application is loaded, under one read-only root.

use std::path::{Component as Step, Path, PathBuf};

use tempfile::TempDir;

use crate::error::LoadError;
use crate::manifest::Mount;

/// Copies what a component's `files` name into a fresh directory; `None` when they name nothing.
pub(crate) fn collect(id: &str, mounts: &[Mount], directory: &Path) -> Result<Option<TempDir>, LoadError> {
    if mounts.is_empty() {
        return Ok(None);
    }
    let key = format!("component.{id}.files");
    let root = tempfile::Builder::new()
        .prefix("attesto-files-")
        .tempdir()
        .map_err(|cause| LoadError::Read { path: std::env::temp_dir(), cause })?;
    for mount in mounts {
        match mount {
            Mount::Pattern(pattern) => copy_matches(&key, pattern, directory, root.path())?,
            Mount::Placed { source, destination } => {
                let destination = destination.strip_prefix("/").unwrap_or(destination);
                copy(&directory.join(source), &root.path().join(inside(&key, destination)?))?;
            }
        }
    }
    Ok(Some(root))
}

fn copy_matches(key: &str, pattern: &str, directory: &Path, root: &Path) -> Result<(), LoadError> {
    let relative = inside(key, Path::new(pattern))?;
    let base = glob::Pattern::escape(&directory.to_string_lossy());
    let matches = glob::glob(&Path::new(&base).join(relative).to_string_lossy())
        .map_err(|error| LoadError::key(key, format!("{pattern:?}: {error}")))?;
    let mut found = false;
    for path in matches {
        let path =
            path.map_err(|error| LoadError::Read { path: error.path().to_owned(), cause: error.into() })?;
        let name = path.strip_prefix(directory).unwrap_or(&path);
        copy(&path, &root.join(name))?;
        found = true;
    }
    if found { Ok(()) } else { Err(LoadError::key(key, format!("{pattern:?} matches no file"))) }
}

/// A path that stays below wherever it is put.
fn inside(key: &str, path: &Path) -> Result<PathBuf, LoadError> {
    let stays = path.components().all(|step| matches!(step, Step::Normal(_) | Step::CurDir));
    if stays {
        Ok(path.to_owned())
    } else {
        Err(LoadError::key(key, format!("{path:?} leaves the directory")))
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), LoadError> {
    let failed = |cause| LoadError::Read { path: from.to_owned(), cause };
    if from.is_dir() {
        std::fs::create_dir_all(to).map_err(failed)?;
        for entry in std::fs::read_dir(from).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    std::fs::copy(from, to).map(drop).map_err(failed)
}
