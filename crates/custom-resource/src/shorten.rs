//! Shortens long text in its middle.

/// The replacement of the removed part.
pub(crate) const CUT: &str = " [...] ";

/// Returns the text within `limit` bytes. A text that is too long loses its middle, because the
/// start of an error says what failed and its end what to do next. Characters are never split.
#[must_use]
pub fn shorten(text: &str, limit: usize) -> String {
    shorten_by(text, limit, char::len_utf8)
}

/// Shortens as [`shorten`] does, but counts each character with `weight`, such as its length in
/// JSON.
pub(crate) fn shorten_by(text: &str, limit: usize, weight: impl Fn(char) -> usize) -> String {
    if text.chars().map(&weight).sum::<usize>() <= limit {
        return text.to_owned();
    }
    let room = limit.saturating_sub(CUT.len());
    if room == 0 {
        return String::new();
    }
    let tail = text.len() - prefix(text.chars().rev(), room / 3, &weight);
    let head = prefix(text.chars(), room - room / 3, &weight);
    format!("{}{CUT}{}", &text[..head], &text[tail..])
}

/// Returns how many bytes of text the first characters have whose weights add up to at most
/// `limit`.
fn prefix(
    chars: impl Iterator<Item = char>,
    limit: usize,
    weight: impl Fn(char) -> usize,
) -> usize {
    let mut weighed = 0;
    chars
        .take_while(|char| {
            weighed += weight(*char);
            weighed <= limit
        })
        .map(char::len_utf8)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_not_changed() {
        assert_eq!(shorten("", 0), "");
        assert_eq!(shorten("zone", 4), "zone");
        assert_eq!(shorten("zöne", 5), "zöne");
    }

    #[test]
    fn start_and_end_of_a_long_text_are_kept() {
        let text = format!("start {} end", "x".repeat(1_000));
        let short = shorten(&text, 100);
        assert_eq!(short.len(), 100);
        assert!(short.starts_with("start xxx"), "{short}");
        assert!(short.ends_with("xxx end"), "{short}");
        assert!(short.contains("x [...] x"), "{short}");
    }

    #[test]
    fn characters_are_never_split() {
        let text = "äöüß€𝄞".repeat(50);
        for limit in 0..text.len() {
            let short = shorten(&text, limit);
            assert!(short.len() <= limit, "{limit}: {}", short.len());
            // Only whole parts of the text remain, and at most four bytes are lost at each end of
            // the gap.
            let parts: Vec<_> = short.split(CUT).collect();
            assert!(
                text.starts_with(parts[0]) && text.ends_with(parts[parts.len() - 1]),
                "{limit}"
            );
            assert!(
                limit < CUT.len() + 1 || short.len() + 8 > limit,
                "{limit}: {}",
                short.len()
            );
        }
    }
}
