//! `kill -9` of the real server under write load: what was acknowledged is there, what is there is whole.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth0_sim::{Auth0Sim, Options};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::server::{ALL_SCOPES, Storage};

/// A hundred, or as many as `EDGE_AUTH_KILLS` asks for. `SQLite` is our own to make durable; `PostgreSQL` outlives us by
/// itself, so there it is the protocol that is tried.
fn kills() -> usize {
    let asked = std::env::var("EDGE_AUTH_KILLS").ok();
    asked.map_or(100, |kills| kills.parse().unwrap())
}
const WRITERS: usize = 4;

/// What the server said it has done: title by id of new documents, and the version of each writer's own document.
#[derive(Default)]
struct Acknowledged {
    created: BTreeMap<String, String>,
    versions: BTreeMap<String, i64>,
}

struct Running {
    child: Child,
    url: String,
}

impl Running {
    async fn start(tenant: &Auth0Sim, storage: &Storage) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_api-server"))
            .env("API_ISSUER", tenant.issuer())
            .env("API_LISTEN", "127.0.0.1:0")
            .env("API_INTERNAL_LISTEN", "127.0.0.1:0")
            .env("API_DATABASE_URL", storage.url())
            .env("API_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.next_line().await.unwrap().expect("it did not start");
        let url = ready
            .split(' ')
            .find_map(|word| word.strip_prefix("public="))
            .unwrap();
        Self {
            url: format!("{url}/api/v1/documents"),
            child,
        }
    }
}

/// Creates documents and changes its own one, until the server is gone.
async fn write(url: String, token: String, writer: usize, seen: Arc<Mutex<Acknowledged>>) {
    let client = reqwest::Client::new();
    let own = own_document(writer, &seen);
    for number in 0.. {
        let title = format!("{writer}-{number}");
        let sent = match &own {
            Some((id, version)) if number % 2 == 1 => {
                // The version may be one further than what was acknowledged: then it is read, as a client would.
                let current = current(&client, &url, &token, id).await;
                let version = current.unwrap_or(*version);
                client
                    .put(format!("{url}/{id}"))
                    .header("if-match", format!("\"{version}\""))
            }
            _ => client.post(&url),
        };
        let body = json!({"title": title, "content": title.repeat(200)});
        let Ok(reply) = sent.bearer_auth(&token).json(&body).send().await else {
            return;
        };
        let status = reply.status();
        let Ok(document) = reply.json::<Value>().await else {
            return;
        };
        let id = document["id"].as_str().unwrap_or_default().to_owned();
        match status {
            StatusCode::CREATED => {
                seen.lock().unwrap().created.insert(id, title);
            }
            StatusCode::OK => {
                let version = document["version"].as_i64().unwrap();
                seen.lock().unwrap().versions.insert(id, version);
            }
            // The keys are not there yet.
            StatusCode::SERVICE_UNAVAILABLE => tokio::time::sleep(Duration::from_millis(5)).await,
            other => panic!("{other}: {document}"),
        }
    }
}

async fn current(client: &reqwest::Client, url: &str, token: &str, id: &str) -> Option<i64> {
    let request = client.get(format!("{url}/{id}")).bearer_auth(token);
    let document: Value = request.send().await.ok()?.json().await.ok()?;
    document["version"].as_i64()
}

/// The document this writer keeps changing: one of the first that were acknowledged.
fn own_document(writer: usize, seen: &Mutex<Acknowledged>) -> Option<(String, i64)> {
    let seen = seen.lock().unwrap();
    let id = seen.created.keys().nth(writer)?;
    Some((id.clone(), seen.versions.get(id).copied().unwrap_or(1)))
}

/// Every document of the user, by id.
async fn all(running: &Running, token: &str) -> BTreeMap<String, Value> {
    let client = reqwest::Client::new();
    let (mut found, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let url = format!("{}?limit=100{cursor}", running.url);
        let reply = client.get(url).bearer_auth(token).send().await.unwrap();
        if reply.status() == StatusCode::SERVICE_UNAVAILABLE {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        }
        let page: Value = reply.json().await.unwrap();
        for item in page["items"].as_array().unwrap() {
            found.insert(item["id"].as_str().unwrap().to_owned(), item.clone());
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_a_hundred_times_keeps_every_write_it_acknowledged() {
    let tenant = Auth0Sim::start(Options::default()).await.unwrap();
    let storage = Storage::create();
    let token = tenant.token().scope(ALL_SCOPES).build();
    let seen = Arc::new(Mutex::new(Acknowledged::default()));
    let mut before = 0;
    let kills = kills();
    for kill in 0..kills {
        let mut running = Running::start(&tenant, &storage).await;
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (url, token) = (running.url.clone(), token.clone());
                tokio::spawn(write(url, token, writer, Arc::clone(&seen)))
            })
            .collect();
        let count = || {
            let seen = seen.lock().unwrap();
            i64::try_from(seen.created.len()).unwrap() + seen.versions.values().sum::<i64>()
        };
        // Into the middle of a write, each time at another moment, however slow the machine is.
        while count() == before {
            let ended = running.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended by itself: {ended:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis((kill % 10) as u64 * 7)).await;
        running.child.kill().await.unwrap();
        for writer in writers {
            writer.await.unwrap();
        }
        before = count();
    }

    let running = Running::start(&tenant, &storage).await;
    let found = all(&running, &token).await;
    let seen = seen.lock().unwrap();
    assert!(seen.created.len() >= kills, "{} writes", seen.created.len());
    for (id, title) in &seen.created {
        let document = found
            .get(id)
            .unwrap_or_else(|| panic!("{title} was acknowledged and is gone"));
        let version = document["version"].as_i64().unwrap();
        let acknowledged = seen.versions.get(id).copied().unwrap_or(1);
        assert!(
            version >= acknowledged,
            "{title}: {version} < {acknowledged}"
        );
        if version == 1 {
            assert_eq!(document["title"], title.as_str());
        }
        // Title and content were written together.
        let title = document["title"].as_str().unwrap();
        assert_eq!(document["sizeBytes"], title.len() * 201, "{document}");
    }
}
