//! What the workspace's sources say about themselves: the names of all tests, for documents that name some.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result};

/// The workspace's folder.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The names of all test functions; `target` and hidden folders are left out.
///
/// # Errors
///
/// Where a file can't be read.
pub fn tests() -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    collect(root(), &mut found)?;
    Ok(found)
}

fn collect(folder: &Path, found: &mut BTreeSet<String>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                collect(&path, found)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source =
                fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
            found.extend(names(&source).map(Into::into));
        }
    }
    Ok(())
}

/// The function behind each test attribute, those in a `proptest!` among them.
fn names(source: &str) -> impl Iterator<Item = &str> {
    let plain = source.split("#[test]").skip(1);
    let in_tokio = source.split("#[tokio::test").skip(1);
    plain
        .chain(in_tokio)
        .filter_map(|rest| Some(rest.split_once("fn ")?.1.split_once('(')?.0))
}

#[cfg(test)]
mod tests {
    #[test]
    fn tests_of_all_kinds_are_found_and_functions_are_not() {
        // In pieces, or these would be found.
        let source = concat!(
            "fn a() {} #[",
            "test]\nfn b() {} #[",
            "tokio::test(flavor = \"x\")]\nasync fn c() { fn d() {} }"
        );
        assert_eq!(super::names(source).collect::<Vec<_>>(), ["b", "c"]);
        assert!(super::tests().unwrap().len() > 300);
    }
}
