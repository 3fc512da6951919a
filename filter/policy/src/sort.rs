//! Sorting where no request waits for it: one copy of the standard sort in the module instead of one for each type,
//! some five kilobytes each.

use std::cmp::Ordering;

/// Sorts `items`; what is equal keeps its order.
pub(crate) fn sort_by<T>(items: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let mut order: Vec<usize> = (0..items.len()).collect();
    sort_places(&mut order, &|a, b| match (items.get(a), items.get(b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal,
    });
    let mut unsorted: Vec<Option<T>> = items.drain(..).map(Some).collect();
    let sorted = order
        .into_iter()
        .filter_map(|place| unsorted.get_mut(place)?.take());
    items.extend(sorted);
}

fn sort_places(places: &mut [usize], compare: &dyn Fn(usize, usize) -> Ordering) {
    places.sort_unstable_by(|a, b| compare(*a, *b).then(a.cmp(b)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_items_keep_their_order() {
        let mut words = vec!["pear", "fig", "plum", "nut", "apple", "a", "kiwi"];
        sort_by(&mut words, |a, b| a.len().cmp(&b.len()));
        assert_eq!(words, ["a", "fig", "nut", "pear", "plum", "kiwi", "apple"]);
    }

    #[test]
    fn nothing_is_sorted_too() {
        let mut nothing: Vec<u8> = Vec::new();
        sort_by(&mut nothing, Ord::cmp);
        assert!(nothing.is_empty());
    }
}
