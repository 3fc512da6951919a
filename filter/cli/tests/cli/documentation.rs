//! The pages that this command makes are what it makes now.

use crate::support::{edge_auth, package};

#[track_caller]
fn check(command: &str, page: &str) {
    let run = edge_auth(command);
    let page = package().join("../../docs").join(page);
    let written = std::fs::read_to_string(&page).expect("the page is there");
    assert!(
        written == run.stdout,
        "{} is out of date: write it anew with `edge-auth {command}`",
        page.display()
    );
}

#[test]
fn the_schema_in_docs_is_up_to_date() {
    check("schema", "plugin-config.schema.json");
}

#[test]
fn the_reference_in_docs_is_up_to_date() {
    check("reference", "configuration.md");
}

/// The example of docs/requirements.md is the page's only block of YAML.
#[test]
fn the_example_of_what_a_rule_can_ask_for_is_right() {
    let page = package().join("../../docs/requirements.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let (_, rest) = page.split_once("```yaml\n").expect("an example");
    let (example, rest) = rest.split_once("```\n").expect("its end");
    assert!(!rest.contains("```yaml"));
    let file = std::env::temp_dir().join(format!("edge-auth-example-{}.yaml", std::process::id()));
    std::fs::write(&file, example).expect("a file for it");
    let run = edge_auth(&format!("check {}", file.display()));
    std::fs::remove_file(&file).expect("the file goes");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(
        run.stdout
            .ends_with("1 configuration, 0 errors, 0 warnings\n"),
        "{run:?}"
    );
}

#[test]
fn the_reference_has_a_row_for_every_field_of_the_schema() {
    fn names(schema: &serde_json::Value, found: &mut Vec<String>) {
        match schema {
            serde_json::Value::Object(members) => {
                for (name, member) in members {
                    if name == "properties" {
                        found.extend(
                            member
                                .as_object()
                                .into_iter()
                                .flatten()
                                .map(|(n, _)| n.clone()),
                        );
                    }
                    names(member, found);
                }
            }
            serde_json::Value::Array(elements) => elements.iter().for_each(|e| names(e, found)),
            _ => {}
        }
    }
    let schema = edge_auth("schema").stdout;
    let reference = edge_auth("reference").stdout;
    let mut fields = Vec::new();
    names(&serde_json::from_str(&schema).expect("JSON"), &mut fields);
    assert!(fields.len() > 80, "{}", fields.len());
    for field in fields {
        assert!(reference.contains(&format!("\n| `{field}` |")), "{field}");
    }
}
