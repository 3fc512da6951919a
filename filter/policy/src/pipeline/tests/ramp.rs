//! A rule in shadow mode that is enforced for a part of its callers.

use super::*;

/// A rule that wants a scope, enforced for `percent` of its callers.
fn edge(percent: u64) -> Edge {
    let mut config = config();
    config["rules"] = json!([{
        "name": "ramp", "match": {"prefix": "/x"}, "mode": "shadow", "enforce_percent": percent,
        "requires": {"provider": "auth0", "scopes": {"all_of": ["admin"]}},
    }]);
    Edge::new(&config)
}

/// How one subject without the scope fares.
fn ask(edge: &mut Edge, subject: u32) -> Judgement {
    let authorization = bearer(|claims| claims["sub"] = json!(format!("auth0|{subject}")));
    edge.ask("GET", "/x", &[("authorization", &authorization)], true)
}

fn is_enforced(judgement: &Judgement) -> bool {
    match shown(judgement).as_str() {
        "200" => {
            assert_eq!(judgement.would_deny, Some(Reason::InsufficientScope));
            false
        }
        "403 insufficient_scope" => {
            assert_eq!(judgement.would_deny, None);
            true
        }
        other => panic!("{other}"),
    }
}

fn enforced(percent: u64) -> Vec<bool> {
    let mut edge = edge(percent);
    (0..200).map(|n| is_enforced(&ask(&mut edge, n))).collect()
}

#[test]
fn denials_are_carried_out_for_that_many_callers_and_counted_for_the_rest() {
    let count = |percent| enforced(percent).into_iter().filter(|is| *is).count();
    assert_eq!((count(0), count(100)), (0, 200));
    assert!((30..70).contains(&count(25)), "{}", count(25));
}

/// Another worker, another proxy, another secret seed, another token: the same caller.
#[test]
fn the_same_caller_fares_the_same_everywhere() {
    let first = enforced(50);
    assert_eq!(enforced(50), first);
    let mut config = edge(50).gateway.config().clone();
    config.token_cache_bytes = 0;
    let mut store = MemoryStore::default();
    let mut other = Edge {
        gateway: Gateway::new(config, [9; 16], &mut store).unwrap(),
        store,
        now: UnixTime::from_secs(NOW + 60),
    };
    let again: Vec<_> = (0..200).map(|n| is_enforced(&ask(&mut other, n))).collect();
    assert_eq!(again, first);
}

#[test]
fn a_higher_per_cent_lets_nobody_out() {
    let (few, many) = (enforced(20), enforced(60));
    assert!(few.iter().zip(&many).all(|(few, many)| !few || *many));
    assert!(few != many);
}

#[test]
fn callers_without_a_token_are_known_by_their_address() {
    let mut edge = edge(50);
    let first = shown(&edge.ask("GET", "/x", &[], true));
    assert!(
        ["200", "401 missing_token"].contains(&first.as_str()),
        "{first}"
    );
    for _ in 0..20 {
        assert_eq!(shown(&edge.ask("GET", "/x", &[], true)), first);
    }
    assert!(edge.gateway.needs().source_address);
    // Of whom nothing is known is refused.
    let fields: Vec<(&[u8], &[u8])> = vec![
        (b":method", b"GET"),
        (b":path", b"/x"),
        (b":authority", b"api.pymd.io"),
    ];
    let head = RequestHead {
        headers: &fields,
        source_address: None,
        tls: true,
    };
    let mut host = Host {
        now: edge.now,
        store: &mut edge.store,
        verifier: &mut InModule,
    };
    let judgement = edge
        .gateway
        .on_request_headers(&head, Patience::MayWait, &mut host);
    assert_eq!(shown(&judgement), "401 missing_token");
}

#[test]
fn whoever_has_the_scope_is_let_through_with_identity() {
    let mut edge = edge(50);
    for subject in 0..20 {
        let authorization = bearer(|claims| {
            claims["sub"] = json!(format!("auth0|{subject}"));
            claims["scope"] = json!("admin");
        });
        let judgement = edge.ask("GET", "/x", &[("authorization", &authorization)], true);
        assert!(shown(&judgement).contains("x-user-id="), "{judgement:?}");
    }
}

#[test]
fn a_per_cent_without_shadow_mode_is_refused() {
    let mut config = config();
    config["rules"] = json!([
        {"match": {"prefix": "/x"}, "requires": "public", "enforce_percent": 10},
        {"match": {"prefix": "/y"}, "requires": "public", "mode": "shadow", "enforce_percent": 101},
    ]);
    let errors = Config::from_json(config.to_string().as_bytes()).unwrap_err();
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "rules[0].enforce_percent: means something only with `mode: shadow`",
            "rules[1].enforce_percent: is 101; 0 to 100 are allowed",
        ]
    );
}
