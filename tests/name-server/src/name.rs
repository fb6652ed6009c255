//! Names in Route 53's text form.

use hickory_proto::rr::Name;

/// Parses a name in Route 53's text form: case does not matter, a trailing dot is optional, and characters
/// other than letters, digits, `-` and `_` may be written as `\ooo`, an octal code.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html>
pub(crate) fn parse(text: &str) -> Result<Name, String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() {
        return Ok(Name::root());
    }
    let labels: Vec<Vec<u8>> = text
        .split('.')
        .map(label)
        .collect::<Option<_>>()
        .ok_or_else(|| not_a_name(text))?;
    let mut name = Name::from_labels(labels).map_err(|_| not_a_name(text))?;
    name.set_fqdn(true);
    Ok(name.to_lowercase())
}

fn not_a_name(text: &str) -> String {
    format!("{text:?} is not a domain name")
}

fn label(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'\\' {
            let octal = std::str::from_utf8(tail.get(..3)?).ok()?;
            bytes.push(u8::from_str_radix(octal, 8).ok()?);
            rest = &tail[3..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_in_route_53s_form() {
        assert_eq!(
            parse("Dev.Example.COM").unwrap().to_ascii(),
            "dev.example.com."
        );
        assert!(parse("\\052.example.com.").unwrap().is_wildcard());
        assert!(parse("*.example.com.").unwrap().is_wildcard());
        assert_eq!(parse("_abc_.example.com.").unwrap().num_labels(), 3);
        assert!(parse("a..b").is_err());
        assert!(parse("a\\9").is_err());
        assert!(parse(&"x".repeat(64)).is_err());
    }
}
