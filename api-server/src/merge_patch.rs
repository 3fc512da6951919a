//! JSON merge patch (RFC 7396).

use serde_json::{Map, Value};

/// Applies `patch` to `target` (RFC 7396 §2): null removes, objects merge, everything else replaces.
///
/// The depth of recursion is bounded by the parser, which refuses more than 128 levels.
pub fn apply(target: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                target.remove(&name);
            }
            Value::Object(members) => {
                let entry = target.entry(name).or_insert(Value::Null);
                if !entry.is_object() {
                    *entry = Value::Object(Map::new());
                }
                if let Value::Object(inner) = entry {
                    apply(inner, members);
                }
            }
            other => {
                target.insert(name, other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(target: Value, patch: Value, expected: &Value) {
        let (Value::Object(mut target), Value::Object(patch)) = (target, patch) else {
            unreachable!("the cases are objects");
        };
        apply(&mut target, patch);
        assert_eq!(&Value::Object(target), expected);
    }

    /// The rows of RFC 7396 appendix A whose target and patch are objects.
    #[test]
    fn the_examples_of_rfc_7396_come_out_as_printed() {
        check(json!({"a":"b"}), json!({"a":"c"}), &json!({"a":"c"}));
        check(
            json!({"a":"b"}),
            json!({"b":"c"}),
            &json!({"a":"b","b":"c"}),
        );
        check(json!({"a":"b"}), json!({"a":null}), &json!({}));
        check(
            json!({"a":"b","b":"c"}),
            json!({"a":null}),
            &json!({"b":"c"}),
        );
        check(json!({"a":["b"]}), json!({"a":"c"}), &json!({"a":"c"}));
        check(json!({"a":"c"}), json!({"a":["b"]}), &json!({"a":["b"]}));
        check(
            json!({"a":{"b":"c"}}),
            json!({"a":{"b":"d","c":null}}),
            &json!({"a":{"b":"d"}}),
        );
        check(
            json!({"a":[{"b":"c"}]}),
            json!({"a":[1]}),
            &json!({"a":[1]}),
        );
        check(json!({"e":null}), json!({"a":1}), &json!({"e":null,"a":1}));
        check(
            json!({}),
            json!({"a":{"bb":{"ccc":null}}}),
            &json!({"a":{"bb":{}}}),
        );
    }
}
