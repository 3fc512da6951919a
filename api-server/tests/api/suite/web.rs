//! The browser app's files: what is served, what is kept, and what a page may do.

use std::fs;
use std::path::Path;

use auth0_sim::{Auth0Sim, Options};
use axum::http::{Method, StatusCode};
use tempfile::TempDir;

use super::server::{Reply, Server};

/// A folder with an app in it, and things that are none of it.
fn app() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("index.html", "<!doctype html><title>App</title>"),
        ("main.js", "export const text = 'main';\n"),
        ("lib/marked-1.2.3/marked.js", &"export {};\n".repeat(1_000)),
        ("lib/marked-1.2.3/.hidden.js", "hidden"),
        ("notes.md", "notes"),
        (".env.js", "secret"),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

async fn server(folder: &Path) -> Server {
    let tenant = Auth0Sim::start(Options::default()).await.unwrap();
    let setting = ("API_WEB_FOLDER", folder.to_str().unwrap());
    Server::start_with(tenant, &[setting]).await
}

#[track_caller]
fn assert_is_page(reply: &Reply, path: &str) {
    assert_eq!(reply.status, StatusCode::OK, "{path}");
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(reply.header("cache-control"), "no-cache");
    assert_eq!(reply.text(), "<!doctype html><title>App</title>", "{path}");
}

#[tokio::test]
async fn every_place_in_the_app_begins_with_its_page() {
    let folder = app();
    let server = server(folder.path()).await;
    for path in [
        "/",
        "/?auth_error=access_denied",
        "/app/",
        "/app/documents/0190-1?edit=1.5",
        "/app/profile",
    ] {
        assert_is_page(&server.get(path).send().await, path);
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_no_page() {
    let folder = app();
    let server = server(folder.path()).await;
    for path in [
        "/app/gone.js",
        "/app/lib/marked-1.2.3/gone.js",
        "/app/lib/marked-1.2.3/.hidden.js",
        "/app/.env.js",
        "/app/notes.md",
        "/app/../Cargo.toml",
        "/app/%2e%2e/Cargo.toml",
        "/main.js",
        "/app",
        "/apple",
    ] {
        let reply = server.get(path).send().await;
        reply.assert_problem(404, "not_found");
    }
    let reply = server.request(Method::POST, "/app/main.js").send().await;
    reply.assert_problem(405, "method_not_allowed");
}

#[tokio::test]
async fn what_carries_a_version_is_kept_and_the_rest_is_asked_for_again() {
    let folder = app();
    let server = server(folder.path()).await;
    let reply = server.get("/app/main.js").send().await;
    assert_eq!(reply.header("cache-control"), "no-cache");
    assert_eq!(
        reply.header("content-type"),
        "text/javascript; charset=utf-8"
    );
    let etag = reply.header("etag").to_owned();
    let again = server.get("/app/main.js").header("if-none-match", &etag);
    let again = again.send().await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    assert_eq!(again.text(), "");
    assert_eq!(again.header("etag"), etag);
    assert_eq!(again.header("cache-control"), "no-cache");

    let library = server.get("/app/lib/marked-1.2.3/marked.js").send().await;
    assert_eq!(
        library.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert_ne!(library.header("etag"), etag);
}

#[tokio::test]
async fn files_are_sent_compressed_to_whom_takes_it() {
    let folder = app();
    let server = server(folder.path()).await;
    let path = "/app/lib/marked-1.2.3/marked.js";
    let plain = server.get(path).send().await;
    assert_eq!(plain.header("content-encoding"), "");
    assert_eq!(plain.text().len(), 11_000);
    let compressed = server.get(path).header("accept-encoding", "gzip, br");
    let compressed = compressed.send().await;
    assert_eq!(compressed.header("content-encoding"), "gzip");
    assert!(compressed.text().len() < 500);
    for reply in [&plain, &compressed] {
        assert_eq!(reply.header("vary"), "accept-encoding");
    }
    // So small that it would only grow.
    let small = server
        .get("/app/main.js")
        .header("accept-encoding", "gzip")
        .send()
        .await;
    assert_eq!(small.header("content-encoding"), "");
}

/// The app itself, as it stands in this clone: nothing in line that this policy would refuse.
#[tokio::test]
async fn the_policy_of_the_pages_allows_nothing_in_line() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/public");
    let server = server(&folder).await;
    let page = server.get("/app/").send().await;
    let policy = page.header("content-security-policy").to_owned();
    assert!(!policy.contains("unsafe"), "{policy}");
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(policy.split("; ").any(|it| it == directive), "{directive}");
    }
    let html = page.text();
    for inline in ["<style", " style=", " onclick=", "javascript:", "<script>"] {
        assert!(!html.contains(inline), "{inline}");
    }
}

#[tokio::test]
async fn without_a_folder_no_app_is_served() {
    let server = Server::start().await;
    for path in ["/", "/app/", "/app/main.js"] {
        let reply = server.get(path).send().await;
        reply.assert_problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_folder_that_is_no_app_is_refused_at_the_start() {
    let settings = |folder: &Path| {
        let map = std::collections::BTreeMap::from([
            ("API_ISSUER".to_owned(), "https://t.example/".to_owned()),
            ("API_WEB_FOLDER".to_owned(), folder.display().to_string()),
        ]);
        api_server::config::Settings::read(&map)
    };
    let folder = tempfile::tempdir().unwrap();
    let mistakes = settings(folder.path()).unwrap_err().to_string();
    assert!(mistakes.contains("API_WEB_FOLDER"), "{mistakes}");
    assert!(mistakes.contains("index.html"), "{mistakes}");

    fs::write(folder.path().join("index.html"), "page").unwrap();
    assert!(settings(folder.path()).is_ok());
    let large = vec![b' '; api_server::web::MAX_BYTES];
    fs::write(folder.path().join("large.js"), large).unwrap();
    let error = api_server::web::Folder::read(folder.path()).unwrap_err();
    assert!(error.to_string().contains("8388608 bytes"), "{error}");
}
