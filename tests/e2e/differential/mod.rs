//! Our decision beside that of Envoy's native `jwt_authn`, on thousands of generated requests.
//!
//! One Envoy process, two listeners ([`edges`]): the same keys, the equivalent configuration. A seeded generator
//! ([`draft`], [`carriers`], [`tokens`], [`claims`], [`requests`]) makes valid requests and bends them. Whatever is
//! decided otherwise must stand in the list [`explained`], with its reason; what is not there fails the test, and so
//! does an entry that explains nothing.
//!
//! Nothing in that list makes us laxer. Where `jwt_authn` does not find a token that we forward (it compares the scheme's
//! case, for instance), the same token is put to it again in the one form it reads, and it must accept it.

mod carriers;
mod claims;
mod draft;
mod edges;
mod explained;
mod requests;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use gateway_tests::client::Request;
use serde_json::Value;

use draft::{Base, Bend, Draft, Random};
use edges::{Edges, Judged, Pair};
use explained::{EXPLAINED, Explained, Ours};

/// Another seed is another set of requests; this one is what CI judges.
const SEED: u64 = 7519;
/// How many random requests are sent besides each bend on each base.
const RANDOM_REQUESTS: usize = 2600;

/// Everything that can be done to a request.
fn bends() -> Vec<&'static Bend> {
    [
        tokens::BENDS,
        claims::BENDS,
        carriers::BENDS,
        requests::BENDS,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// One request, and how it came to be.
struct Case {
    bends: Vec<&'static Bend>,
    base: Base,
    request: Request,
    plain: Request,
}

/// The time of the machine: Envoy has no other.
fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_secs()
}

fn case(base: Base, bends: &[&'static Bend], random: &mut Random) -> Case {
    let mut draft = Draft::new(base, now(), random);
    for bend in bends {
        (bend.apply)(&mut draft, random);
    }
    let token = draft.token(random);
    Case {
        bends: bends.to_vec(),
        base,
        request: draft.request(&token),
        plain: Request::get("/api/v1/documents").bearer(&token),
    }
}

/// Each bend on each base, then as many with none, one or two bends as [`RANDOM_REQUESTS`] says.
fn cases() -> Vec<Case> {
    let mut random = Random::new(SEED);
    let all = bends();
    let mut cases = Vec::new();
    for base in Base::all() {
        cases.push(case(base, &[], &mut random));
        for bend in &all {
            cases.push(case(base, &[bend], &mut random));
        }
    }
    // What is taken for no token where none is needed lets a bad one pass: an expired one everywhere it can stand.
    let expired = all.iter().find(|bend| bend.name == "exp_past");
    for (expired, carrier) in expired
        .into_iter()
        .flat_map(|it| carriers::BENDS.iter().map(move |c| (it, c)))
    {
        cases.push(case(Base::OPTIONAL, &[expired, carrier], &mut random));
    }
    let bases: Vec<_> = Base::all().collect();
    for n in 0..RANDOM_REQUESTS {
        let base = *random.choose(&bases);
        let mut chosen: Vec<_> = (0..n % 3).map(|_| *random.choose(&all)).collect();
        chosen.dedup_by_key(|bend| bend.name);
        cases.push(case(base, &chosen, &mut random));
    }
    cases
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_native_jwt_authn_refuses_is_forwarded_and_every_difference_is_explained() {
    let edges = Edges::start().await;
    let cases = cases();
    let judged = edges
        .judge_all(cases.iter().map(|case| case.request.clone()))
        .await;

    let mut tally = Tally::default();
    let mut seen_only_by_us = Vec::new();
    for (case, pair) in cases.iter().zip(&judged) {
        tally.count(case, pair);
        if pair.ours.is_forwarded() && !pair.native.is_forwarded() {
            seen_only_by_us.push((case, pair));
        }
    }
    let again = edges
        .judge_all(seen_only_by_us.iter().map(|(case, _)| case.plain.clone()))
        .await;
    for ((case, _), plain) in seen_only_by_us.iter().zip(&again) {
        if !plain.native.is_forwarded() {
            tally.fail(case, "jwt_authn refuses this token in its plain form too");
        }
    }
    println!("{}", tally.summary(judged.len()));
    tally.assert_explained();
}

/// What was found, in numbers.
#[derive(Default)]
struct Tally {
    both_forward: usize,
    both_refuse: usize,
    explained: BTreeMap<usize, usize>,
    bends: BTreeSet<&'static str>,
    failures: Vec<String>,
}

impl Tally {
    fn count(&mut self, case: &Case, pair: &Pair) {
        self.bends.extend(case.bends.iter().map(|bend| bend.name));
        // Of two bends the second may undo what the first did.
        let must_refuse = matches!(case.bends[..], [Bend { refused: true, .. }]);
        let must_refuse = must_refuse && case.base.needs_a_token();
        if must_refuse && pair.ours.is_forwarded() {
            self.fail(
                case,
                "forwarded, and must not be by whatever jwt_authn says",
            );
        }
        if case.bends.is_empty() && !(pair.ours.is_forwarded() && pair.native.is_forwarded()) {
            self.fail(case, &format!("an unbent request is refused: {pair:?}"));
        }
        let difference = match (&pair.ours, &pair.native) {
            (Judged::Forwarded(ours), Judged::Forwarded(native)) if ours != native => {
                Ours::Identity
            }
            (Judged::Forwarded(_), Judged::Forwarded(_)) => {
                self.both_forward += 1;
                return;
            }
            (Judged::Forwarded(_), Judged::Refused(_)) => Ours::Finds,
            (Judged::Refused(_), Judged::Refused(_)) => {
                self.both_refuse += 1;
                return;
            }
            (Judged::Refused(reason), Judged::Forwarded(_)) => Ours::Refuses(reason),
        };
        let explains = |it: &Explained| {
            it.ours.covers(difference)
                && case.bends.iter().any(|bend| it.bends.contains(&bend.name))
        };
        match EXPLAINED.iter().position(explains) {
            Some(index) => *self.explained.entry(index).or_default() += 1,
            None => self.fail(case, &format!("nothing explains {difference:?}: {pair:?}")),
        }
    }

    fn fail(&mut self, case: &Case, what: &str) {
        let bends: Vec<_> = case.bends.iter().map(|bend| bend.name).collect();
        self.failures
            .push(format!("{:?} {bends:?}: {what}", case.base));
    }

    fn summary(&self, judged: usize) -> String {
        let mut lines = vec![format!(
            "{judged} requests with {} bends: {} forwarded by both, {} refused by both",
            self.bends.len(),
            self.both_forward,
            self.both_refuse
        )];
        for (index, count) in &self.explained {
            let Explained { ours, why, .. } = &EXPLAINED[*index];
            lines.push(format!("{count:>6}  {ours:?}: {why}"));
        }
        lines.join("\n")
    }

    fn assert_explained(&self) {
        self.failures
            .iter()
            .take(60)
            .for_each(|it| println!("{it}"));
        assert_eq!(
            self.failures.len(),
            0,
            "differences that nothing explains, see above"
        );
        for (index, explained) in EXPLAINED.iter().enumerate() {
            assert!(
                self.explained.contains_key(&index),
                "explains nothing: {explained:?}"
            );
        }
        assert_eq!(self.bends.len(), bends().len(), "every bend was tried");
    }
}

#[test]
fn every_bend_has_a_name_of_its_own_and_every_explanation_names_bends() {
    let bends = bends();
    let names: BTreeSet<_> = bends.iter().map(|bend| bend.name).collect();
    assert_eq!(names.len(), bends.len());
    for explained in EXPLAINED {
        for name in explained.bends {
            assert!(names.contains(name), "there is no bend {name}");
        }
        assert!(!explained.why.is_empty());
    }
}

/// The forwarded request's identity as the application sees it, in any spelling of the fields.
fn identity(seen: &Value) -> BTreeSet<(String, String)> {
    let headers = seen["headers"].as_array().into_iter().flatten();
    let fields = headers.filter_map(|field| {
        let name = field[0].as_str()?.replace('_', "-");
        let is_identity = edges::IDENTITY.contains(&name.as_str());
        is_identity.then(|| (name, field[1].as_str().unwrap_or_default().to_owned()))
    });
    fields.collect()
}
