//! Examples in the documents: configurations are parsed, cases decided, commands run.

use std::path::PathBuf;

use crate::support::{edge_auth_with, package};

/// The fenced blocks of a document that are of this kind.
fn blocks(document: &str, kind: &str) -> Vec<String> {
    let text = std::fs::read_to_string(docs().join(document)).expect("the document is there");
    let fence = format!("```{kind}\n");
    let starts = text.split(&fence).skip(1);
    starts
        .filter_map(|rest| Some(rest.split_once("```")?.0.to_owned()))
        .collect()
}

fn docs() -> PathBuf {
    package().join("../../docs")
}

#[test]
fn every_example_of_the_migration_page_is_a_configuration_and_its_cases_hold() {
    let folder = tempfile::tempdir().expect("a folder");
    let (config, cases) = (
        folder.path().join("config.yaml"),
        folder.path().join("cases.yaml"),
    );
    let path = |path: &PathBuf| path.to_str().expect("UTF-8").to_owned();
    let (mut configurations, mut decided) = (0, 0);
    for block in blocks("migration.md", "yaml") {
        if block.starts_with("version: 1\n") {
            std::fs::write(&config, block).expect("it can be written");
            let run = edge_auth_with(&["check", "--deny-warnings", &path(&config)]);
            assert_eq!(run.code, Some(0), "{}", run.stdout);
            configurations += 1;
        } else if block.starts_with("cases:\n") {
            std::fs::write(&cases, block).expect("it can be written");
            let run = edge_auth_with(&["test", &path(&cases), "--config", &path(&config)]);
            assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
            decided += 1;
        } else {
            let before = serde_yaml_ng::Deserializer::from_str(&block);
            for document in before {
                let parsed: Result<serde_json::Value, _> =
                    serde::Deserialize::deserialize(document);
                assert!(parsed.is_ok(), "{parsed:?} in {block}");
            }
        }
    }
    assert_eq!((configurations, decided), (3, 3));
}

/// What a document shows after `$ edge-auth …` is what the command prints, in the folder of the fixtures.
#[test]
fn every_command_a_document_shows_prints_what_stands_there() {
    let mut ran = 0;
    for block in blocks("operating.md", "console") {
        let (command, expected) = block.split_once('\n').expect("a command");
        let arguments = command.strip_prefix("$ edge-auth ").expect("our command");
        let run = edge_auth_with(&arguments.split(' ').collect::<Vec<_>>());
        assert_eq!(run.stdout, expected, "{command}: {}", run.stderr);
        ran += 1;
    }
    assert_eq!(ran, 3);
}
