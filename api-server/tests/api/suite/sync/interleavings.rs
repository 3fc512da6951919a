//! Random interleavings of two devices over two replicas: no edit lost, no change skipped or repeated by sync,
//! every conflict reported.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::{CHANGES, PUSH};
use crate::suite::server::Server;

/// One thing a device does.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Edits one of three documents, offline.
    Edit { device: usize, document: usize },
    /// Deletes one, offline.
    Delete { device: usize, document: usize },
    /// Pushes what is pending; where `lost`, the answer never arrives and the push is repeated at once.
    Push {
        device: usize,
        replica: usize,
        lost: bool,
    },
    /// Pulls one page.
    Pull { device: usize, replica: usize },
    /// All devices push and pull at the same time.
    Together,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let two = 0..2_usize;
    let step = prop_oneof![
        4 => (two.clone(), 0..3_usize).prop_map(|(device, document)| Step::Edit { device, document }),
        1 => (two.clone(), 0..3_usize).prop_map(|(device, document)| Step::Delete { device, document }),
        3 => (two.clone(), two.clone(), any::<bool>())
            .prop_map(|(device, replica, lost)| Step::Push { device, replica, lost }),
        2 => (two.clone(), two).prop_map(|(device, replica)| Step::Pull { device, replica }),
        1 => Just(Step::Together),
    ];
    prop::collection::vec(step, 1..40)
}

/// A pending edit: the text, or `None` for a deletion, and the version it was made on.
#[derive(Clone, Debug)]
struct Edit {
    key: String,
    document: usize,
    base: i64,
    title: Option<String>,
}

/// What a device knows of one document: its version and title, `None` if deleted or never seen.
type Known = BTreeMap<usize, (i64, Option<String>)>;

#[derive(Debug, Default)]
struct Device {
    name: usize,
    counter: usize,
    cursor: Option<String>,
    known: Known,
    pending: Vec<Edit>,
    /// Change versions this device pulled: never twice the same.
    pulled: Vec<(usize, i64)>,
    /// Titles of edits that were applied, with the version they became.
    applied: Vec<(usize, i64, Option<String>)>,
    conflicts: usize,
}

fn id(run: usize, document: usize) -> String {
    format!("00000000-0000-4000-8000-{run:08x}{document:04x}")
}

fn document_of(id: &str) -> usize {
    usize::from_str_radix(&id[id.len() - 4..], 16).unwrap()
}

impl Device {
    /// Edits on what the device knows, or on its own pending edit of the same document.
    fn edit(&mut self, document: usize, deleted: bool) {
        let known = self.known.get(&document).cloned().unwrap_or((0, None));
        if deleted && known.1.is_none() {
            return;
        }
        self.counter += 1;
        let label = format!("device {} edit {}", self.name, self.counter);
        self.pending.retain(|edit| edit.document != document);
        self.pending.push(Edit {
            key: format!("{}-{}", self.name, self.counter),
            document,
            base: known.0,
            title: (!deleted).then_some(label),
        });
    }

    async fn push(&mut self, server: &Server, token: &str, run: usize, lost: bool) {
        let changes: Vec<_> = self
            .pending
            .iter()
            .map(|edit| {
                let id = id(run, edit.document);
                match &edit.title {
                    Some(title) => json!({"idempotencyKey": edit.key, "id": id,
                        "baseVersion": edit.base, "document": {"title": title}}),
                    None => json!({"idempotencyKey": edit.key, "id": id,
                        "baseVersion": edit.base, "deleted": true}),
                }
            })
            .collect();
        let body = json!({ "changes": changes });
        let mut reply = server.post(PUSH, &body).bearer(token).send().await;
        if lost {
            reply = server.post(PUSH, &body).bearer(token).send().await;
        }
        assert_eq!(reply.status.as_u16(), 200, "{}", reply.text());
        let outcomes = reply.json();
        for (edit, outcome) in std::mem::take(&mut self.pending)
            .into_iter()
            .zip(outcomes["outcomes"].as_array().unwrap())
        {
            match outcome["status"].as_str().unwrap() {
                "applied" => {
                    let version = outcome["version"].as_i64().unwrap();
                    self.known
                        .insert(edit.document, (version, edit.title.clone()));
                    self.applied.push((edit.document, version, edit.title));
                }
                "conflict" => {
                    self.conflicts += 1;
                    self.learn(&outcome["current"]);
                }
                other => panic!("{other}: {outcome}"),
            }
        }
    }

    async fn pull(&mut self, server: &Server, token: &str) -> bool {
        let query = match &self.cursor {
            Some(cursor) => format!("{CHANGES}?limit=2&cursor={cursor}"),
            None => format!("{CHANGES}?limit=2"),
        };
        let reply = server.get(&query).bearer(token).send().await;
        assert_eq!(reply.status.as_u16(), 200, "{}", reply.text());
        let page = reply.json();
        for change in page["changes"].as_array().unwrap() {
            let seen = (
                document_of(change["id"].as_str().unwrap()),
                change["version"].as_i64().unwrap(),
            );
            assert!(!self.pulled.contains(&seen), "{seen:?} came twice");
            self.pulled.push(seen);
            self.learn(change);
        }
        self.cursor = Some(page["cursor"].as_str().unwrap().to_owned());
        page["more"].as_bool().unwrap()
    }

    fn learn(&mut self, change: &Value) {
        let document = document_of(change["id"].as_str().unwrap());
        let version = change["version"].as_i64().unwrap();
        let title = change["document"]["title"].as_str().map(str::to_owned);
        let newer = self
            .known
            .get(&document)
            .is_none_or(|(known, _)| *known < version);
        if newer {
            self.known.insert(document, (version, title));
        }
    }
}

async fn run(servers: &[Server; 2], run: usize, steps: &[Step]) {
    let token = servers[0].user(&format!("run {run}"));
    let mut devices = [0, 1].map(|name| Device {
        name,
        ..Device::default()
    });
    for step in steps {
        match *step {
            Step::Edit { device, document } => devices[device].edit(document, false),
            Step::Delete { device, document } => devices[device].edit(document, true),
            Step::Push {
                device,
                replica,
                lost,
            } => {
                devices[device]
                    .push(&servers[replica], &token, run, lost)
                    .await;
            }
            Step::Pull { device, replica } => {
                devices[device].pull(&servers[replica], &token).await;
            }
            Step::Together => {
                let [one, two] = &mut devices;
                tokio::join!(
                    one.push(&servers[0], &token, run, false),
                    two.push(&servers[1], &token, run, true),
                );
                tokio::join!(one.pull(&servers[1], &token), two.pull(&servers[0], &token));
            }
        }
    }
    for device in &mut devices {
        device.push(&servers[0], &token, run, false).await;
    }
    for device in &mut devices {
        while device.pull(&servers[1], &token).await {}
    }
    // Both devices know the same, and each version of a document was made by exactly one edit.
    assert_eq!(devices[0].known, devices[1].known);
    let mut made: BTreeMap<(usize, i64), Option<String>> = BTreeMap::new();
    for (document, version, title) in devices.iter().flat_map(|device| device.applied.clone()) {
        let before = made.insert((document, version), title.clone());
        // Two devices that delete the same document are told the same version.
        assert!(
            before.is_none_or(|before| before.is_none() && title.is_none()),
            "two edits became version {version}"
        );
    }
    for (document, (version, title)) in &devices[0].known {
        // No gap: every version is some edit that was acknowledged; the last one is what all know.
        for version in 1..=*version {
            assert!(
                made.contains_key(&(*document, version)),
                "{version} is nobody's"
            );
        }
        assert_eq!(&made[&(*document, *version)], title);
    }
}

#[test]
fn no_edit_is_lost_and_no_change_skipped_or_repeated() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let servers = runtime.block_on(async {
        let server = Server::start().await;
        let replica = server.replica().await;
        [server, replica]
    });
    let mut runs = 0;
    // `PROPTEST_CASES` asks for another number.
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let config = Config::default();
    let mut runner = TestRunner::new(Config {
        cases: if asked { config.cases } else { 40 },
        failure_persistence: None,
        ..config
    });
    let counter = std::cell::RefCell::new(&mut runs);
    runner
        .run(&steps(), |steps| {
            let mut counter = counter.borrow_mut();
            **counter += 1;
            runtime.block_on(run(&servers, **counter, &steps));
            Ok(())
        })
        .unwrap();
}
