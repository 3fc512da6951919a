//! The API's description: it is what the routers serve, and the room's README says the same.

use std::collections::BTreeSet;

use api_server::audit::Event;
use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::server::{Call, Server};

const README: &str = include_str!("../../../README.md");

type Ask<'a> = Box<dyn Fn(Method, &str) -> Call + 'a>;

/// Both listeners: how to ask each, and how the README heads its routes.
fn listeners(server: &Server) -> [(&'static str, Ask<'_>); 2] {
    [
        (
            "| public route |",
            Box::new(|method, path| server.request(method, path)),
        ),
        (
            "| internal route |",
            Box::new(|method, path| server.internal(method, path)),
        ),
    ]
}

/// `GET /path` for every operation of a document.
fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(|method| (path.clone(), method.to_uppercase()))
    });
    operations.collect()
}

#[tokio::test]
async fn every_path_has_exactly_the_methods_its_document_says() {
    let server = Server::start().await;
    for (_, ask) in listeners(&server) {
        let reply = ask(Method::GET, "/openapi.json").send().await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.header("content-type"), "application/json");
        let document = reply.json();
        assert_eq!(document["openapi"], "3.1.0");
        let operations = operations(&document);
        let paths: BTreeSet<_> = operations.iter().map(|(path, _)| path).collect();
        assert!(paths.len() > 5);
        for path in paths {
            let mut methods: BTreeSet<_> = operations
                .iter()
                .filter(|(other, _)| other == path)
                .map(|(_, method)| method.as_str())
                .collect();
            if methods.contains("GET") {
                methods.insert("HEAD");
            }
            let unknown = Method::from_bytes(b"PROPFIND").unwrap();
            let reply = ask(unknown, path).send().await;
            reply.assert_problem(405, "method_not_allowed");
            let allowed: BTreeSet<_> = reply.header("allow").split(',').collect();
            assert_eq!(allowed, methods, "{path}");
        }
    }
}

/// Routes come into the routers through `routes!` alone, which describes them too; the browser app's files are no API.
#[test]
fn no_route_goes_past_the_document() {
    let source = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![source.clone()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path != source.join("web") {
                    folders.push(path);
                }
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for call in [".route(", ".route_service(", ".nest(", ".nest_service("] {
                assert!(!text.contains(call), "{}: {call}", path.display());
            }
            files += 1;
        }
    }
    assert!(files > 50);
}

#[tokio::test]
async fn every_operation_has_a_name_a_tag_and_its_errors_in_a_described_format() {
    let server = Server::start().await;
    for (_, ask) in listeners(&server) {
        let document = ask(Method::GET, "/openapi.json").send().await.json();
        let mut names = BTreeSet::new();
        for (path, method) in operations(&document) {
            let operation = &document["paths"][&path][method.to_lowercase()];
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} twice");
            assert!(operation["tags"][0].is_string(), "{name}");
            assert!(operation["summary"].is_string(), "{name}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let is_error = status.starts_with(['4', '5']);
                let formats = response["content"].as_object();
                if !is_error || name == "readyz" {
                    continue;
                }
                for (format, content) in formats.unwrap_or_else(|| panic!("{name} {status}")) {
                    let expected = match format.as_str() {
                        "application/problem+json" => "#/components/schemas/Problem",
                        "application/json" => "#/components/schemas/OAuthError",
                        other => panic!("{name} {status}: {other}"),
                    };
                    assert_eq!(content["schema"]["$ref"], expected, "{name} {status}");
                }
            }
        }
    }
}

#[tokio::test]
async fn every_reference_of_a_document_leads_somewhere() {
    let server = Server::start().await;
    for (_, ask) in listeners(&server) {
        let document = ask(Method::GET, "/openapi.json").send().await.json();
        let mut todo = vec![&document];
        let mut references = 0;
        while let Some(value) = todo.pop() {
            match value {
                Value::Object(members) => {
                    if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                        let pointer = reference.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{reference}");
                        references += 1;
                    }
                    todo.extend(members.values());
                }
                Value::Array(values) => todo.extend(values),
                _ => {}
            }
        }
        assert!(references > 10);
    }
}

/// The rows of the README's table with this head: their cells.
fn table(head: &str) -> Vec<Vec<&'static str>> {
    let (_, rest) = README
        .split_once(head)
        .unwrap_or_else(|| panic!("no table {head}"));
    let rows = rest
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect()
}

#[tokio::test]
async fn the_readme_names_every_route() {
    let server = Server::start().await;
    for (head, ask) in listeners(&server) {
        let document = ask(Method::GET, "/openapi.json").send().await.json();
        let named: BTreeSet<_> = table(head)
            .into_iter()
            .map(|row| {
                let (method, path) = row[0].trim_matches('`').split_once(' ').unwrap();
                (path.to_owned(), method.to_owned())
            })
            .collect();
        assert_eq!(named, operations(&document));
    }
}

#[tokio::test]
async fn the_readme_names_every_metric() {
    let server = Server::start().await;
    // What was never counted is not shown.
    server.app.metrics.event(Event::Login, "success");
    server.app.metrics.management_request("read", "success");
    let metrics = server.internal(Method::GET, "/metrics").send().await.text();
    let there: BTreeSet<_> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    let named: BTreeSet<_> = table("| metric |")
        .into_iter()
        .map(|row| row[0].trim_matches('`'))
        .collect();
    assert_eq!(named, there);
}

#[test]
fn the_readme_names_every_setting_with_its_default() {
    let there: Vec<_> = api_server::config::Settings::all()
        .into_iter()
        .map(|setting| {
            (
                setting.name,
                setting.default.unwrap_or_else(|| "–".to_owned()),
            )
        })
        .collect();
    let named: Vec<_> = table("| setting |")
        .into_iter()
        .map(|row| {
            (
                row[0].trim_matches('`').to_owned(),
                row[1].trim_matches('`').to_owned(),
            )
        })
        .collect();
    assert_eq!(named, there);
}
