//! The directory that holds everything: where it is, also while its disk is not mounted, and what stands in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use transhume_contract::{Access, Fault, Finding, Identity, Severity};

use crate::faults::on;

/// Links that are followed one after the other: more than that is a circle.
const LINKS: usize = 40;

/// Where it is, and who that is. Nothing is made before something is to be placed there: the path may be mistyped.
pub(crate) fn rooted(root: &Path) -> Result<(PathBuf, Identity), Fault> {
    let root = std::path::absolute(root).and_then(|path| led_to(&path, LINKS)).map_err(on("open", root))?;
    if root.exists() && !root.is_dir() {
        return Err(on("open", &root)(io::ErrorKind::NotADirectory.into()));
    }
    let identity = Identity { connector: "folder".into(), place: root.display().to_string() };
    Ok((root, identity))
}

/// Where an absolute path leads, whether that is there or not: a folder keeps its name while its disk is not mounted.
fn led_to(path: &Path, links: usize) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        there => return there,
    }
    let above = path.parent().unwrap_or(path);
    if links > 0
        && let Ok(link) = fs::read_link(path)
    {
        return led_to(&above.join(link), links - 1);
    }
    let mut place = led_to(above, links)?;
    match path.file_name() {
        Some(name) => place.push(name),
        // It ends in `..`.
        None => {
            place.pop();
        }
    }
    Ok(place)
}

pub(crate) fn make(root: &Path) -> Result<(), Fault> {
    fs::create_dir_all(root).map_err(on("create", root))
}

/// What people know a directory by.
pub(crate) fn shown(directory: &Path) -> String {
    format!("the folder {}", directory.display())
}

/// The directories in it, one for each account; none where it is not there.
pub(crate) fn homes(root: &Path) -> Result<Vec<PathBuf>, Fault> {
    match fs::read_dir(root) {
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(on("list", root)(error)),
    }
}

/// Tries whether a file of this name can be made and removed in a directory, or, where that is to be made still, in what
/// will hold it.
pub(crate) fn try_writing(directory: &Path, name: &str) -> Access {
    let probe = directory.ancestors().find(|path| path.exists()).unwrap_or(directory).join(name);
    let tried = fs::write(&probe, b"probe").and_then(|()| fs::remove_file(&probe));
    let findings = tried.err().map(|error| {
        let fault = on("write", &probe)(error);
        Finding {
            severity: Severity::Blocker,
            code: "not_writable".into(),
            fix: fault.next_step().unwrap_or_default().to_owned(),
            sentence: fault.sentence,
        }
    });
    Access { findings: findings.into_iter().collect(), quota: None }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_folder_has_one_name_whether_it_is_there_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(dir.path()).unwrap();
        symlink("disk/mail", top.join("link")).unwrap();
        symlink(top.join("link"), top.join("second")).unwrap();
        symlink("circle", top.join("circle")).unwrap();
        let paths =
            ["disk/mail", "link", "second", "other/../disk/./mail", "second/../mail"].map(|path| top.join(path));
        let names = || paths.each_ref().map(|path| rooted(path).map(|(_, identity)| identity.place).unwrap());
        let before = names();
        assert!(!top.join("disk").exists(), "looking makes nothing");
        fs::create_dir_all(top.join("disk/mail")).unwrap();
        fs::create_dir(top.join("other")).unwrap();
        let place = top.join("disk/mail").display().to_string();
        assert_eq!(
            (before, names()),
            (paths.each_ref().map(|_| place.clone()), paths.each_ref().map(|_| place.clone()))
        );
        assert!(rooted(&top.join("circle")).is_err());
    }
}
