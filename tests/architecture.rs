//! The walls between the crates, as `cargo metadata` sees them, and what no crate can see for itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What each crate may depend on. The root may depend on all of them.
const ALLOWED: [(&str, &[&str]); 9] = [
    ("transhume-contract", &[]),
    ("transhume-http", &["transhume-contract"]),
    ("transhume-graph", &["transhume-contract", "transhume-http"]),
    ("transhume-imap", &["transhume-contract"]),
    ("transhume-dav", &["transhume-contract", "transhume-http"]),
    ("transhume-folder", &["transhume-contract"]),
    ("transhume-mappings", &[]),
    ("transhume-simulators", &[]),
    ("transhume-servers", &[]),
];

/// What any crate but `contract` and `mappings` may use in its own tests.
const TEST_ONLY: [&str; 2] = ["transhume-simulators", "transhume-servers"];

struct Edge {
    from: String,
    to: String,
    for_tests: bool,
}

fn edges() -> Vec<Edge> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().clone();
    let names: BTreeSet<_> = packages.iter().map(|package| package["name"].as_str().unwrap().to_owned()).collect();
    let of_package = |package: &serde_json::Value| {
        let from = package["name"].as_str().unwrap().to_owned();
        let edge = |dependency: &serde_json::Value| Edge {
            from: from.clone(),
            to: dependency["name"].as_str().unwrap().to_owned(),
            for_tests: dependency["kind"].as_str() == Some("dev"),
        };
        package["dependencies"].as_array().unwrap().iter().map(edge).collect::<Vec<_>>()
    };
    packages.iter().flat_map(of_package).filter(|edge| names.contains(&edge.to)).collect()
}

#[test]
fn crates_depend_only_on_what_the_design_allows() {
    let allowed: BTreeMap<_, _> = ALLOWED.into_iter().collect();
    let edges = edges();
    assert!(edges.len() > 10, "cargo metadata told too little to judge");
    for Edge { from, to, for_tests } in edges.iter().filter(|edge| edge.from != "transhume") {
        let may = allowed.get(from.as_str()).unwrap_or_else(|| panic!("{from} is new: give it its walls here"));
        let in_tests = *for_tests
            && TEST_ONLY.contains(&to.as_str())
            && !matches!(from.as_str(), "transhume-contract" | "transhume-mappings");
        assert!(may.contains(&to.as_str()) || in_tests, "{from} must not depend on {to}");
    }
}

#[test]
fn real_servers_are_for_tests_alone() {
    let product = edges().into_iter().filter(|edge| edge.to == "transhume-servers" && !edge.for_tests);
    let product: Vec<_> = product.map(|edge| edge.from).collect();
    assert!(product.is_empty(), "{product:?} would ship the test servers");
}

/// Words a room must never know, looked for in its sources: a wall that crate edges cannot draw, because these rooms
/// share the root crate.
#[test]
fn rooms_of_the_root_crate_keep_to_themselves() {
    let forbidden: [(&str, &[&str]); 4] = [
        ("src/cli", &["rusqlite", "reqwest", "transhume_graph", "transhume_imap", "transhume_http"]),
        (
            "src/engine",
            &[
                "rusqlite",
                "reqwest",
                "transhume_graph",
                "transhume_imap",
                "transhume_folder",
                "transhume_mappings",
                "transhume_http",
            ],
        ),
        (
            "src/store",
            &[
                "reqwest",
                "transhume_graph",
                "transhume_imap",
                "transhume_folder",
                "transhume_mappings",
                "transhume_http",
            ],
        ),
        ("src/report", &["rusqlite", "reqwest", "transhume_graph", "transhume_imap"]),
    ];
    for (room, words) in forbidden {
        for (path, text) in sources(room) {
            for word in words {
                assert!(!text.contains(word), "{path} speaks of {word}, which {room} must not know");
            }
        }
    }
}

fn sources(room: &str) -> Vec<(String, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(room);
    let mut found = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

/// Names given to losses where they are made.
fn losses(source: &str) -> impl Iterator<Item = &str> {
    let made = ["Loss::new(", ".add(", ".count(", ".of_fact("].into_iter().flat_map(|how| source.split(how).skip(1));
    let names = made.filter_map(|after| after.trim_start().strip_prefix('"')?.split('"').next());
    names.filter(|name| name.contains('_') && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
}

/// Whoever reads a loss in a report finds it explained, and what is explained can still happen.
#[test]
fn every_loss_is_explained() {
    let page = include_str!("../mappings/LOSSES.md");
    let explained: BTreeSet<&str> = page
        .lines()
        .filter(|line| line.starts_with("| `") || line.starts_with('`'))
        .flat_map(|line| line.trim_start_matches("| ").split('|').next().unwrap().split('`').skip(1).step_by(2))
        .filter(|name| !name.contains(' '))
        .collect();
    let rooms = ["src", "mappings/src", "connectors/graph/src", "connectors/imap/src", "connectors/folder/src"];
    let sources: Vec<String> = rooms.into_iter().flat_map(sources).map(|(_, text)| text).collect();
    let made: BTreeSet<&str> = sources.iter().flat_map(|source| losses(source)).collect();
    assert!(made.len() > 30, "too few losses were found to judge: {made:?}");
    assert_eq!(made.difference(&explained).collect::<Vec<_>>(), Vec::<&&str>::new(), "not in mappings/LOSSES.md");
    let quoted = |name: &&&str| !sources.iter().any(|source| source.contains(&format!("\"{name}\"")));
    assert_eq!(explained.iter().filter(quoted).collect::<Vec<_>>(), Vec::<&&str>::new(), "no longer in the code");
}
