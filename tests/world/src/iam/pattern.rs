//! Wildcards in policies: `*` matches any number of characters, `?` one.

/// Returns whether `text` matches `pattern`. Both are ASCII, as ARNs, actions and DNS names are.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    fits(pattern, text, |a, b| a == b)
}

/// Returns the same for actions, whose case does not matter.
pub(crate) fn like_in_any_case(pattern: &str, text: &str) -> bool {
    fits(pattern, text, u8::eq_ignore_ascii_case)
}

fn fits(pattern: &str, text: &str, same: impl Fn(&u8, &u8) -> bool) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(character) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(wanted) if *wanted == b'?' || same(wanted, character) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, eaten)) => {
                    star = Some((at, eaten + 1));
                    p = at + 1;
                    t = eaten + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|character| *character == b'*')
}

/// Returns whether an ARN matches a pattern. Each of the six parts is compared alone, so that a `*` never
/// matches a colon.
pub(crate) fn arn_like(pattern: &str, arn: &str) -> bool {
    let wanted: Vec<&str> = pattern.splitn(6, ':').collect();
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    wanted.len() == parts.len()
        && wanted
            .iter()
            .zip(&parts)
            .all(|(wanted, part)| like(wanted, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_any_or_one_character() {
        assert!(like("*", ""));
        assert!(like("a*c", "abbbc"));
        assert!(like("a*b*c", "aXbYbZc"));
        assert!(!like("a*c", "ab"));
        assert!(like("a?c", "abc"));
        assert!(!like("a?c", "ac"));
        assert!(!like("A*", "abc"));
        assert!(like_in_any_case("A*", "abc"));
    }

    #[test]
    fn a_star_stays_within_its_part_of_an_arn() {
        assert!(arn_like("arn:aws:iam::*:role/r", "arn:aws:iam::1:role/r"));
        assert!(!arn_like("arn:aws:*:role/r", "arn:aws:iam::1:role/r"));
    }
}
