//! Digests that become part of ids and names.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Returns the first `digits` hex digits of the SHA-256 of the parts, joined by line feeds. None of the parts that this
/// project digests contains a line feed.
#[must_use]
pub fn sha256_hex(parts: &[&str], digits: usize) -> String {
    let hash = Sha256::digest(parts.join("\n"));
    let mut text = hash
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
    text.truncate(digits);
    text
}

/// Returns 32 hex digits that identify a request by its `RequestId`.
#[must_use]
pub fn request_digest(request_id: &str) -> String {
    sha256_hex(&[request_id], 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_joined_by_line_feeds() {
        // printf 'a\nb' | sha256sum
        let digest = "7e18f737311b2dc3b2f269dd78396b03";
        assert_eq!(sha256_hex(&["a", "b"], 32), digest);
    }
}
