//! Where `scripts/install-test-servers` puts what Debian does not keep ready.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The last by name of the complete trees whose names start so.
pub(crate) fn newest(prefix: &str) -> Option<PathBuf> {
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let given = env::var_os("TRANSHUME_CACHE").map(PathBuf::from);
    let cache = env::var_os("XDG_CACHE_HOME").map_or(home.join(".cache"), PathBuf::from).join("transhume");
    let places = given.into_iter().chain([PathBuf::from("/var/cache/transhume"), cache]);
    let mut trees: Vec<PathBuf> = places.flat_map(|place| complete_trees(&place, prefix)).collect();
    trees.sort();
    trees.pop()
}

fn complete_trees(cache: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(cache) else {
        return Vec::new();
    };
    let named = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix));
    let paths = entries.flatten().map(|entry| entry.path());
    paths.filter(|path| named(path) && path.join("complete").exists()).collect()
}
