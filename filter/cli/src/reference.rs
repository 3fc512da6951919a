//! `reference`: every field of the configuration in Markdown, from what the reader says of itself.
//!
//! It reads the JSON Schema only, so it cannot say anything that the reader does not.

use std::fmt::Write as _;

use serde_json::Value;

/// The reference of the configuration that `schema` describes.
pub(crate) fn markdown(schema: &Value) -> String {
    let mut text = PREFACE.to_owned();
    let mut sections = vec![(String::new(), schema)];
    let shared = schema["$defs"].as_object().into_iter().flatten();
    sections.extend(shared.map(|(name, section)| (name.clone(), section)));
    let mut next = 0;
    while let Some((path, section)) = sections.get(next).cloned() {
        next += 1;
        let title = if path.is_empty() {
            "The whole".to_owned()
        } else {
            format!("`{path}`")
        };
        let _ = write!(text, "\n## {title}\n\n{TABLE_HEAD}");
        for (name, field) in fields(section) {
            let at = match path.as_str() {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            let kind = kind(field, &at, &mut sections);
            let description = field["description"].as_str().unwrap_or_default();
            let row = [
                format!("`{name}`"),
                kind,
                default(section, name, field),
                range(field),
                description.to_owned(),
            ];
            let _ = writeln!(text, "| {} |", row.map(|cell| escape(&cell)).join(" | "));
        }
    }
    text
}

/// The fields of an object: those that must be there first.
fn fields(section: &Value) -> Vec<(&String, &Value)> {
    let mut fields: Vec<_> = section["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .collect();
    fields.sort_by_key(|(name, _)| !is_required(section, name));
    fields
}

fn is_required(section: &Value, name: &str) -> bool {
    let required = section["required"].as_array();
    required.is_some_and(|names| names.iter().any(|required| required == name))
}

/// The type of a value at `at`; objects get a section of their own, once.
fn kind<'s>(schema: &'s Value, at: &str, sections: &mut Vec<(String, &'s Value)>) -> String {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|at| at.strip_prefix("#/$defs/"))
    {
        return format!("[{name}](#{})", slug(name));
    }
    if let Some(choices) = schema["enum"].as_array() {
        return words(choices, " or ");
    }
    if let Some(word) = schema.get("const") {
        return words(std::slice::from_ref(word), "");
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let kinds: Vec<_> = choices
            .iter()
            .map(|choice| kind(choice, at, sections))
            .collect();
        return kinds.join(" or ");
    }
    match schema["type"].as_str() {
        Some("array") => format!(
            "list of {}",
            kind(&schema["items"], &format!("{at}[]"), sections)
        ),
        Some("object") if schema.get("properties").is_some() => {
            let known = sections
                .iter()
                .find(|(_, section)| section["properties"] == schema["properties"])
                .map(|(path, _)| path.clone());
            let path = known.unwrap_or_else(|| {
                sections.push((at.to_owned(), schema));
                at.to_owned()
            });
            format!("[{path}](#{})", slug(&path))
        }
        Some("object") => {
            let of = kind(
                &schema["additionalProperties"],
                &format!("{at}.<name>"),
                sections,
            );
            format!("name → {of}")
        }
        Some("string") if is_duration(schema) => "duration".to_owned(),
        Some("string") => "text".to_owned(),
        Some(other) => other.to_owned(),
        None => {
            let kinds = schema["type"].as_array().into_iter().flatten();
            let kinds: Vec<_> = kinds.filter_map(Value::as_str).collect();
            kinds.join(" or ").replace("string", "text")
        }
    }
}

fn default(section: &Value, name: &str, field: &Value) -> String {
    match field.get("default") {
        _ if is_required(section, name) => "required".to_owned(),
        Some(default) => words(std::slice::from_ref(default), ""),
        None => "–".to_owned(),
    }
}

/// What is allowed of a value, where its type alone does not say.
fn range(schema: &Value) -> String {
    let of = |least: &str, most: &str, unit: &str| {
        let (least, most) = (schema[least].as_u64()?, schema[most].as_u64()?);
        Some(if least == most {
            format!("{least}{unit}")
        } else {
            format!("{least} to {most}{unit}")
        })
    };
    if let Some(duration) = schema["$comment"].as_str() {
        return duration.to_owned();
    }
    let own = of("minimum", "maximum", "")
        .or_else(|| of("minLength", "maxLength", " bytes"))
        .or_else(|| of("minItems", "maxItems", " elements"))
        .or_else(|| of("minProperties", "maxProperties", " entries"));
    let element = match schema.get("items") {
        Some(items) if items.get("properties").is_none() => range(items),
        _ => String::new(),
    };
    match (own, element.as_str()) {
        (Some(own), "") => own,
        (Some(own), element) => format!("{own}, each {element}"),
        (None, _) => String::new(),
    }
}

fn is_duration(schema: &Value) -> bool {
    schema["pattern"]
        .as_str()
        .is_some_and(|pattern| pattern.ends_with("(ms|s|m|h)$"))
}

/// Values as they are written, in code spans.
fn words(values: &[Value], between: &str) -> String {
    let shown: Vec<_> = values
        .iter()
        .map(|value| match value {
            Value::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        })
        .collect();
    shown.join(between)
}

/// The anchor that Markdown renderers give to a heading.
fn slug(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || "-_".contains(*c));
    kept.collect::<String>().to_lowercase()
}

fn escape(cell: &str) -> String {
    cell.replace('|', "\\|")
}

const PREFACE: &str = "\
# Plugin configuration

Generated by `edge-auth reference`; do not edit. The same as a JSON Schema, for editors:
[plugin-config.schema.json](plugin-config.schema.json).

YAML or JSON. Names are in `snake_case`; `camelCase` is read too. A duration is a number and a unit: `500ms`,
`300s`, `5m`, `24h`. A field that is not listed here is refused. `edge-auth check` tells every mistake with its
place.
";

const TABLE_HEAD: &str = "\
| field | type | default | allowed | meaning |
|---|---|---|---|---|
";
