use custom_resource::PropertyError;
use serde_json::json;

/// The Region that a property names; none where it is empty, as a template with parameters sends what is not used.
///
/// # Errors
///
/// [`PropertyError`] where it has not the form of a Region's name. A typing error would be asked for at an endpoint that
/// does not exist.
pub(crate) fn region(
    property: &'static str,
    text: Option<String>,
) -> Result<Option<String>, PropertyError> {
    let region = text.filter(|text| !text.is_empty());
    match region {
        Some(text) if !is_region(&text) => Err(PropertyError::invalid(
            property,
            &json!(text),
            "an AWS Region such as us-east-1",
        )),
        region => Ok(region),
    }
}

fn is_region(text: &str) -> bool {
    const DIRECTIONS: &str =
        "north south east west central northeast northwest southeast southwest";
    let parts: Vec<&str> = text.split('-').collect();
    let [area @ .., direction, number] = parts.as_slice() else {
        return false;
    };
    let is_word = |part: &&str| part.len() >= 2 && part.bytes().all(|b| b.is_ascii_lowercase());
    let is_number = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    !area.is_empty()
        && area.iter().all(is_word)
        && DIRECTIONS.split(' ').any(|d| d == *direction)
        && is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_of_every_partition() {
        for region in [
            "eu-central-1",
            "us-gov-west-1",
            "us-isob-east-1",
            "cn-northwest-1",
            "eusc-de-east-1",
            "ap-southeast-7",
        ] {
            assert!(is_region(region), "{region}");
        }
        for text in [
            "",
            "global",
            "eu-west",
            "eu-1",
            "west-1",
            "aws-global",
            "eu--west-1",
            "eu-west-",
        ] {
            assert!(!is_region(text), "{text}");
        }
    }
}
