//! One file of the app, ready to be sent: as it is and compressed, with what a browser may keep of it and do with it.

use axum::body::{Body, Bytes};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderMap, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use edge_auth_policy::base64url;
use sha2::{Digest as _, Sha256};

use super::compress::gzip;

/// What the app's pages may load and do: its own files and API, nothing in line, no text as markup unless the
/// sanitiser made it (Trusted Types). Pictures may come from elsewhere: documents and profiles link to them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' https: data:; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types dompurify worker";

/// A file that never changes: its path carries a version.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Asked for again every time, and answered 304 where it is the same.
const ASK_AGAIN: &str = "no-cache";

/// A file and all that is said of it.
#[derive(Debug)]
pub(super) struct File {
    plain: Bytes,
    /// `None` where it would not be smaller.
    compressed: Option<Bytes>,
    content_type: &'static str,
    cache_control: &'static str,
    /// Weak: it names the content, however it is encoded (RFC 9110 §8.8.1).
    etag: HeaderValue,
}

impl File {
    /// `name` is its path in the folder, with `/` between parts.
    pub(super) fn new(name: &str, content_type: &'static str, content: Vec<u8>) -> Self {
        let hash = base64url::encode(Sha256::digest(&content));
        let compressed = gzip(&content).filter(|compressed| compressed.len() < content.len());
        Self {
            compressed: compressed.map(Bytes::from),
            plain: content.into(),
            content_type,
            cache_control: if name.starts_with(VERSIONED) {
                FOR_EVER
            } else {
                ASK_AGAIN
            },
            etag: HeaderValue::try_from(format!("W/\"{hash}\""))
                .unwrap_or_else(|_| HeaderValue::from_static("W/\"\"")),
        }
    }

    /// 200, or 304 to a browser that has it.
    pub(super) fn answer(&self, request: &HeaderMap) -> Response {
        let mut headers = HeaderMap::from_iter([
            (CACHE_CONTROL, HeaderValue::from_static(self.cache_control)),
            (ETAG, self.etag.clone()),
            (VARY, HeaderValue::from_static("accept-encoding")),
            (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        ]);
        if has(request, &self.etag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        let body = match &self.compressed {
            Some(compressed) if takes_gzip(request) => {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                compressed.clone()
            }
            _ => self.plain.clone(),
        };
        (StatusCode::OK, headers, Body::from(body)).into_response()
    }
}

/// The folder of libraries; each lies below its name and version.
const VERSIONED: &str = "lib/";

/// RFC 9110 §13.1.2, with weak comparison. Our tags have no comma in them, so that the list may be cut at each.
fn has(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let opaque = |tag: &[u8]| tag.strip_prefix(b"W/").unwrap_or(tag).to_vec();
    let ours = opaque(etag.as_bytes());
    request
        .get_all(IF_NONE_MATCH)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(|tag| tag == b"*" || opaque(tag) == ours)
}

/// RFC 9110 §12.5.3: `gzip` is named, and not with a weight of zero.
fn takes_gzip(request: &HeaderMap) -> bool {
    let codings = request.get_all(ACCEPT_ENCODING).iter();
    codings
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
            name.trim().eq_ignore_ascii_case("gzip")
                && weight.parse().is_ok_and(|weight: f32| weight > 0.0)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: axum::http::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn gzip_is_sent_to_whom_takes_it() {
        for (accepted, expected) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("deflate, gzip; q=1", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000", false),
            ("br", false),
            ("x-gzipped", false),
            ("", false),
        ] {
            let headers = headers(ACCEPT_ENCODING, accepted);
            assert_eq!(takes_gzip(&headers), expected, "{accepted}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn a_browser_that_has_the_file_is_known_by_its_tag() {
        let etag = HeaderValue::from_static("W/\"abc\"");
        for (sent, expected) in [
            ("W/\"abc\"", true),
            ("\"abc\"", true),
            ("\"x\", W/\"abc\"", true),
            ("*", true),
            ("\"ab\"", false),
            ("abc", false),
        ] {
            assert_eq!(
                has(&headers(IF_NONE_MATCH, sent), &etag),
                expected,
                "{sent}"
            );
        }
    }
}
