//! What no compiler checks: files that explain themselves, documents that tell the truth, nothing of one machine.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use xtask::workspace;

/// The files Git knows or would add, with one of these extensions or names.
fn files(suffixes: &[&str]) -> Vec<(String, String)> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(workspace::root())
        .output()
        .unwrap();
    let names = String::from_utf8(output.stdout).unwrap();
    let files: Vec<_> = names
        .lines()
        .filter(|name| suffixes.iter().any(|suffix| name.ends_with(suffix)))
        .filter_map(|name| {
            let text = fs::read_to_string(workspace::root().join(name)).ok()?;
            Some((name.to_owned(), text))
        })
        .collect();
    assert!(
        !files.is_empty(),
        "git names no file that ends with {suffixes:?}"
    );
    files
}

#[track_caller]
fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn every_rust_file_opens_by_saying_what_lives_there() {
    let mute: Vec<_> = files(&[".rs"])
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(name, _)| name)
        .collect();
    none("files that do not start with //!", &mute);
}

#[test]
fn no_file_names_a_path_of_somebodys_machine() {
    // In pieces, or this file would name them.
    let paths = [
        concat!("/", "root/"),
        concat!("/", "home/"),
        concat!("/", "Users/"),
        concat!("/", "work/"),
        concat!("/", "tmp/bash"),
    ];
    let mut found = Vec::new();
    for (name, text) in files(&[".rs", ".md", ".yaml", ".yml", ".toml", ".sh", ".js", "run"]) {
        for (number, line) in text.lines().enumerate() {
            if paths.iter().any(|path| line.contains(path)) {
                found.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("paths that mean nothing to a user", &found);
}

#[test]
fn every_task_a_document_names_exists() {
    let mut found = Vec::new();
    for (name, text) in files(&[".md", ".yaml", ".yml", ".ci/run"]) {
        for (_, rest) in text
            .match_indices("cargo xtask ")
            .map(|(at, what)| text.split_at(at + what.len()))
        {
            let task: String = rest
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
                .collect();
            // `cargo xtask --help`, or a list such as `cargo xtask dev | test`.
            if !task.is_empty() && !task.starts_with('-') && !has_task(&task) {
                found.push(format!("{name}: cargo xtask {task}"));
            }
        }
    }
    none("tasks that do not exist", &found);
}

fn has_task(task: &str) -> bool {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args([task, "--help"])
        .output()
        .unwrap()
        .status
        .success()
}

#[test]
fn every_file_a_document_links_to_exists() {
    let mut found = Vec::new();
    for (name, text) in files(&[".md"]) {
        let folder = workspace::root()
            .join(&name)
            .parent()
            .map(PathBuf::from)
            .unwrap();
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..]
                .split([')', '#', ' '])
                .next()
                .unwrap_or_default();
            let local = !target.is_empty() && !target.contains("://");
            if local && !folder.join(target).exists() {
                found.push(format!("{name}: {target}"));
            }
        }
    }
    none("links to files that do not exist", &found);
}

/// The `rsa` crate's private-key operations take a time that tells something of the key. Nothing but tests may hold
/// such a key; the programs verify with their own kernel.
#[test]
fn rustsec_2023_0071_no_program_works_with_rsa_private_keys() {
    for (name, text) in files(&["Cargo.toml"]) {
        let manifest = text
            .split("\n[dev-dependencies]")
            .next()
            .unwrap_or_default();
        let programs = ["filter/", "api-server/", "xtask/"]
            .iter()
            .any(|it| name.starts_with(it));
        let names_rsa = manifest.lines().any(|line| line.starts_with("rsa"));
        let is_fuzzer = name.starts_with("filter/policy/fuzz/");
        assert!(
            !programs || is_fuzzer || !names_rsa,
            "{name} depends on rsa"
        );
    }
}

#[test]
fn the_policy_in_the_readme_is_a_configuration_in_which_nothing_is_wrong() {
    let readme = fs::read_to_string(workspace::root().join("README.md")).unwrap();
    let (_, rest) = readme.split_once("```yaml\n").unwrap();
    let (yaml, _) = rest.split_once("```").unwrap();
    let policy: serde_json::Value = serde_yaml_ng::from_str(yaml).unwrap();
    let text = policy.to_string();
    if let Err(errors) = edge_auth_policy::config::Config::from_json(text.as_bytes()) {
        panic!("{errors:#?}");
    }
}

#[test]
fn the_rules_in_the_guide_to_auth0_fit_in_front_of_the_policys() {
    let read = |name: &str| fs::read_to_string(workspace::root().join(name)).unwrap();
    let guide = read("docs/auth0.md");
    let (_, rest) = guide.split_once("```yaml\n").unwrap();
    let (yaml, _) = rest.split_once("```").unwrap();
    let added: serde_json::Value = serde_yaml_ng::from_str(yaml).unwrap();
    let mut policy: serde_json::Value =
        serde_yaml_ng::from_str(&read("envoy/plugin-config.yaml")).unwrap();
    let rules = policy["rules"].as_array_mut().unwrap();
    rules.splice(0..0, added.as_array().unwrap().iter().cloned());
    if let Err(errors) = edge_auth_policy::config::Config::from_json(policy.to_string().as_bytes())
    {
        panic!("{errors:#?}");
    }
}

#[test]
fn the_readme_names_the_envoy_that_is_tested_with() {
    let readme = fs::read_to_string(workspace::root().join("README.md")).unwrap();
    let row = format!("| Envoy | {} (V8) |", xtask::envoy::VERSION);
    assert!(readme.contains(&row), "{row}");
}
