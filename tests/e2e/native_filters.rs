//! `docs/envoy-filters.md`: true of this configuration, of these tests, and of the Envoy that runs them.

use std::{collections::BTreeSet, fs};

use edge_auth_policy::config::{Config, schema};
use gateway_tests::{
    envoy::{self, descriptor},
    gateway, sources,
};
use serde_json::{Map, Value, json};

/// A row of the page.
#[derive(Debug)]
struct Row {
    file: String,
    field: String,
    here: Vec<String>,
    note: String,
    tests: Vec<String>,
}

fn rows() -> Vec<Row> {
    let page = fs::read_to_string(sources::root().join("docs/envoy-filters.md")).unwrap();
    let mut file = String::new();
    let mut rows = Vec::new();
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            file = quoted(heading).remove(0);
        }
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        if let ["", field, here, note, tests, ""] = cells[..]
            && field.starts_with('`')
        {
            rows.push(Row {
                file: file.clone(),
                field: quoted(field).remove(0),
                here: quoted(here),
                note: note.to_owned(),
                tests: quoted(tests),
            });
        }
    }
    rows
}

/// What stands in backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(Into::into).collect()
}

#[test]
fn every_field_that_envoy_knows_has_a_row_and_no_row_is_of_another_envoy() {
    let envoy = fs::read(envoy::binary().unwrap()).unwrap();
    let rows = rows();
    let files: BTreeSet<_> = rows.iter().map(|row| &row.file).collect();
    assert!(files.len() > 6, "{files:?}");
    for file in files {
        let known = descriptor::fields(&envoy, file).unwrap();
        let listed: Vec<_> = rows
            .iter()
            .filter(|row| row.file == *file)
            .map(|row| &row.field)
            .collect();
        assert_eq!(
            listed.iter().collect::<BTreeSet<_>>().len(),
            listed.len(),
            "a field has two rows"
        );
        let missing: Vec<_> = known
            .iter()
            .filter(|field| !listed.contains(field))
            .collect();
        let unknown: Vec<_> = listed
            .iter()
            .filter(|field| !known.contains(field))
            .collect();
        assert!(
            missing.is_empty() && unknown.is_empty(),
            "{file}: without a row {missing:?}, unknown {unknown:?}"
        );
    }
}

#[test]
fn every_field_named_here_is_in_the_schema() {
    let schema = schema();
    for Row {
        field, here, note, ..
    } in rows()
    {
        assert!(
            !here.is_empty() || !note.is_empty(),
            "{field} is not here and says not why"
        );
        for path in here.iter().filter(|path| *path != "always") {
            assert!(
                is_in(&schema, path),
                "{field}: the configuration has no {path}"
            );
        }
    }
    assert!(
        !is_in(&schema, "providers.<name>.subjects.prefix"),
        "this test can fail"
    );
}

/// Whether the schema describes `providers.<name>.issuer`, `rules[].match` and the like.
fn is_in(schema: &Value, path: &str) -> bool {
    let mut at = vec![schema.clone()];
    for step in path.replace("[]", ".[]").split('.') {
        at = at
            .iter()
            .map(|part| resolved(schema, part))
            .flat_map(|part| below(schema, part, step))
            .collect();
    }
    !at.is_empty()
}

/// What a schema says about one member, or about all elements or members.
fn below(root: &Value, schema: &Value, step: &str) -> Vec<Value> {
    let own = match step {
        "[]" => schema.get("items"),
        "<name>" => schema
            .get("additionalProperties")
            .filter(|members| members.is_object()),
        name => schema
            .get("properties")
            .and_then(|members| members.get(name)),
    };
    let alternatives = ["oneOf", "anyOf"]
        .into_iter()
        .flat_map(|name| {
            schema
                .get(name)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        })
        .flat_map(|alternative| below(root, resolved(root, alternative), step));
    own.cloned().into_iter().chain(alternatives).collect()
}

/// What a part of the schema stands for: parts that contain themselves are referred to by name.
fn resolved<'s>(root: &'s Value, part: &'s Value) -> &'s Value {
    let reference = part.get("$ref").and_then(Value::as_str);
    let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
    pointer
        .and_then(|pointer| root.pointer(pointer))
        .unwrap_or(part)
}

#[test]
fn every_test_named_exists() {
    let known = sources::tests().unwrap();
    for Row { field, tests, .. } in rows() {
        assert!(!tests.is_empty(), "{field} has no test");
        for test in tests {
            assert!(known.contains(&test), "{field}: there is no test {test}");
        }
    }
}

/// What Envoy knows and we don't is a mistake that is told, wherever it is pasted: nobody believes in a setting that
/// does nothing.
#[test]
fn what_is_not_here_is_refused_by_its_name() {
    let schema = schema();
    let mut tried = 0;
    for row in rows().iter().filter(|row| row.here.is_empty()) {
        let name = row.field.rsplit('.').next().unwrap_or_default();
        let mut refused = 0;
        for place in PLACES {
            if is_in(
                &schema,
                &format!("{place}.{name}")
                    .trim_start_matches('.')
                    .replace("auth0", "<name>"),
            ) {
                continue;
            }
            let mut configuration = pasted_into();
            let spot = place.split('.').filter(|step| !step.is_empty()).fold(
                &mut configuration,
                |at, step| match step.strip_suffix("[]") {
                    Some(list) => &mut at[list][0],
                    None => &mut at[step],
                },
            );
            spot[name] = json!(true);
            let errors = Config::from_json(configuration.to_string().as_bytes()).unwrap_err();
            let text: Vec<_> = errors.iter().map(ToString::to_string).collect();
            assert!(
                text.iter()
                    .any(|error| error.contains(name) && error.contains("is not known")),
                "{} in {place:?}: {text:?}",
                row.field
            );
            refused += 1;
        }
        assert!(refused > 0, "{} was tried nowhere", row.field);
        tried += 1;
    }
    assert!(tried > 20, "{tried}");
    assert!(Config::from_json(pasted_into().to_string().as_bytes()).is_ok());
}

/// A configuration with every place into which a field of Envoy could be pasted.
fn pasted_into() -> Value {
    let mut configuration = gateway::configuration(&json!([{
        "match": {"prefix": "/a"},
        "requires": {"provider": "auth0"},
        "rate_limits": ["all"],
    }]));
    let more = json!({
        "rate_limits": {"all": {"key": ["route"], "requests": 10, "per": "60s"}},
        "cors": {"allow_origins": ["https://app.pymd.io"]},
    });
    configuration
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().cloned().unwrap_or_else(Map::new));
    configuration
}

/// Where a field of Envoy could be pasted.
const PLACES: [&str; 8] = [
    "",
    "providers.auth0",
    "providers.auth0.remote_jwks",
    "rules[]",
    "rules[].match",
    "rules[].requires",
    "rate_limits.all",
    "cors",
];
