//! Long text, cut in its middle.

/// What stands where text was cut out.
pub(crate) const CUT: &str = " [...] ";

/// The text within `limit` bytes, with what is too much cut out of its middle: an error's start says what failed, its
/// end what to do next. Cut between characters.
#[must_use]
pub fn shorten(text: &str, limit: usize) -> String {
    shorten_by(text, limit, char::len_utf8)
}

/// As [`shorten`], where a character weighs what `weight` says, such as its length in JSON.
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

/// How many bytes of text the characters take that weigh `limit` at most together.
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
    fn what_fits_is_kept() {
        assert_eq!(shorten("", 0), "");
        assert_eq!(shorten("zone", 4), "zone");
        assert_eq!(shorten("zöne", 5), "zöne");
    }

    #[test]
    fn start_and_end_are_kept() {
        let text = format!("start {} end", "x".repeat(1_000));
        let short = shorten(&text, 100);
        assert_eq!(short.len(), 100);
        assert!(short.starts_with("start xxx"), "{short}");
        assert!(short.ends_with("xxx end"), "{short}");
        assert!(short.contains("x [...] x"), "{short}");
    }

    #[test]
    fn characters_are_never_cut() {
        let text = "äöüß€𝄞".repeat(50);
        for limit in 0..text.len() {
            let short = shorten(&text, limit);
            assert!(short.len() <= limit, "{limit}: {}", short.len());
            // Nothing but whole parts of the text, four bytes lost at each cut at most.
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
