//! Compression of files that are sent many times: slow and small.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

/// `content` in gzip's format (RFC 1952); the same bytes for the same content.
pub(super) fn gzip(content: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).ok()?;
    encoder.finish().ok()
}
