//! Query parameters, as far as a token in one of them needs (RFC 6750 §2.3).

use super::SeveralTokens;

/// The value of the parameter `name`, undecoded: a compact JWS needs no escapes.
///
/// # Errors
/// [`SeveralTokens`] where the parameter is there twice.
pub(super) fn value<'a>(query: &'a str, name: &str) -> Result<Option<&'a str>, SeveralTokens> {
    let mut values = query.split('&').filter_map(|pair| named(pair, name));
    let first = values.next();
    if values.next().is_some() {
        Err(SeveralTokens)
    } else {
        Ok(first)
    }
}

/// `path_and_query` without the parameters `names`, in the order they stand; `None` where none is there.
pub fn without_parameters(path_and_query: &str, names: &[&str]) -> Option<String> {
    let (path, query) = path_and_query.split_once('?')?;
    let is_taken = |pair: &str| names.iter().any(|name| named(pair, name).is_some());
    if !query.split('&').any(is_taken) {
        return None;
    }
    let mut rewritten = String::with_capacity(path_and_query.len());
    rewritten.push_str(path);
    let mut separator = '?';
    for pair in query.split('&').filter(|pair| !is_taken(pair)) {
        rewritten.push(separator);
        rewritten.push_str(pair);
        separator = '&';
    }
    Some(rewritten)
}

/// The value of `pair` if its name is `name`, also where the name is spelled with escapes: a decoder upstream
/// would read `access%5Ftoken` as ours.
fn named<'a>(pair: &'a str, name: &str) -> Option<&'a str> {
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    decodes_to(key, name).then_some(value)
}

fn decodes_to(key: &str, name: &str) -> bool {
    let mut bytes = key.bytes();
    for expected in name.bytes() {
        let byte = match bytes.next() {
            Some(b'+') => b' ',
            Some(b'%') => {
                let digit = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16));
                let (Some(high), Some(low)) = (digit(bytes.next()), digit(bytes.next())) else {
                    return false;
                };
                u8::try_from(high * 16 + low).unwrap_or_default()
            }
            Some(byte) => byte,
            None => return false,
        };
        if byte != expected {
            return false;
        }
    }
    bytes.next().is_none()
}
