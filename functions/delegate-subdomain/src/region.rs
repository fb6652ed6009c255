//! Names of AWS Regions.

use custom_resource::PropertyError;
use serde_json::json;

/// The Regions of each partition, from the partition data of the AWS SDK (`aws-sdk-acm` 1.126.0, which has no public
/// function for them).
const PARTITIONS: [&[&str]; 8] = [
    &[
        "af-south-1",
        "ap-east-1",
        "ap-east-2",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-south-2",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-6",
        "ap-southeast-7",
        "ca-central-1",
        "ca-west-1",
        "eu-central-1",
        "eu-central-2",
        "eu-north-1",
        "eu-south-1",
        "eu-south-2",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "il-central-1",
        "me-central-1",
        "me-south-1",
        "mx-central-1",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    ],
    &["cn-north-1", "cn-northwest-1"],
    &["eusc-de-east-1"],
    &["us-gov-east-1", "us-gov-west-1"],
    &["us-iso-east-1", "us-iso-west-1"],
    &["us-isob-east-1", "us-isob-west-1"],
    &["us-isof-east-1", "us-isof-south-1"],
    &["eu-isoe-west-1"],
];

/// Returns the Regions of the partition that has `region`, or none if this release does not know that Region.
pub(crate) fn partition_of(region: &str) -> Option<&'static [&'static str]> {
    PARTITIONS
        .into_iter()
        .find(|regions| regions.contains(&region))
}

/// Returns the Region of a property, or none if the property is empty, as a template with parameters sends
/// it.
///
/// # Errors
///
/// [`PropertyError`] if the text does not have the form of a Region's name. Whether the Region exists is not
/// checked: AWS adds Regions, and a call to a missing one fails.
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

/// Returns whether a text has the form of a Region's name: two or more words, then a number, with hyphens between them.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [words @ .., number] = parts.as_slice() else {
        return false;
    };
    let is_word = |part: &&str| part.len() >= 2 && part.bytes().all(|b| b.is_ascii_lowercase());
    let is_number = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    words.len() >= 2 && words.iter().all(is_word) && is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_of_any_partition_has_the_form_of_a_region() {
        let unknown = ["us-upper-1", "xx-yy-zz-12"];
        for region in PARTITIONS.concat().into_iter().chain(unknown) {
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
            "eu-west-123",
            "EU-WEST-1",
            "us-east-1a",
        ] {
            assert!(!is_region(text), "{text}");
        }
    }

    #[test]
    fn a_region_belongs_to_one_partition() {
        let china = ["cn-north-1", "cn-northwest-1"];
        assert_eq!(partition_of("cn-north-1"), Some(&china[..]));
        assert_eq!(partition_of("us-upper-1"), None);
        let mut all = PARTITIONS.concat();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
