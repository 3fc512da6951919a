//! A JSON object whose member names are distinct.

use super::Value;
use crate::token_cache::block;

/// The members of a JSON object, sorted by name: lookups take a binary search, and what is printed from it does
/// not depend on the order a sender chose.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object(Vec<(Box<str>, Value)>);

impl Object {
    /// Sorts `members`; `None` where a name appears twice.
    pub(super) fn from_members(mut members: Vec<(Box<str>, Value)>) -> Option<Self> {
        // Sorting at the end keeps hostile objects at n log n; sorted insertion would be quadratic.
        members.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let duplicate = members
            .iter()
            .zip(members.iter().skip(1))
            .any(|((a, _), (b, _))| a == b);
        (!duplicate).then_some(Self(members))
    }

    /// The value of the member called exactly `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let index = self
            .0
            .binary_search_by(|(member, _)| (**member).cmp(name))
            .ok()?;
        self.0.get(index).map(|(_, value)| value)
    }

    /// Whether there is a member called exactly `name`, whatever its value.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// What it takes in memory beyond itself, in bytes.
    pub(crate) fn heap_bytes(&self) -> u64 {
        let inner = |(name, value): &(Box<str>, Value)| block(name.len()) + value.heap_bytes();
        block(self.0.capacity() * size_of::<(Box<str>, Value)>())
            + self.0.iter().map(inner).sum::<u64>()
    }

    /// All members, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }
}
