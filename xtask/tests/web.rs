//! The browser app's files agree with each other: what is named is there, and what is there is named.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use xtask::{web, workspace};

/// The files below the app's folder, with `/` between parts.
fn files(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            files(&entry.path(), &format!("{name}/"), found);
        } else {
            found.insert(name);
        }
    }
}

#[test]
fn the_worker_keeps_every_file_of_the_app() {
    web::install().unwrap();
    let mut there = BTreeSet::new();
    files(&web::public(), "", &mut there);
    there.retain(|name| !name.ends_with("LICENSE.txt"));
    // The page stands for every place; the worker is kept by the browser itself.
    assert!(there.remove("index.html") && there.remove("service-worker.js"));
    let worker = fs::read_to_string(web::public().join("service-worker.js")).unwrap();
    let kept: BTreeSet<String> = worker
        .lines()
        .filter_map(|line| line.trim().strip_prefix("\"/app/")?.strip_suffix("\","))
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    assert_eq!(kept, there);
}

/// Exact versions: the path of a library carries its version, and browsers keep it for ever.
#[test]
fn libraries_are_pinned_and_the_lockfile_names_no_registry() {
    let folder = workspace::root().join("api-server/web");
    let read = |name| fs::read_to_string(folder.join(name)).unwrap();
    let package: Value = serde_json::from_str(&read("package.json")).unwrap();
    let lockfile = read("package-lock.json");
    let lock: Value = serde_json::from_str(&lockfile).unwrap();
    let dependencies = package["dependencies"].as_object().unwrap();
    assert_eq!(dependencies.len(), 3);
    for (name, version) in dependencies {
        let locked = &lock["packages"][format!("node_modules/{name}")]["version"];
        assert_eq!(locked, version, "{name}");
    }
    assert!(!lockfile.contains("\"resolved\""));
    assert!(!lockfile.contains("http"));
}
