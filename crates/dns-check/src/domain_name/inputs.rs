//! Random inputs: every text of a user, a service or another tool is a name or is refused, and
//! nothing panics.

use super::{DomainName, LONGEST_LABEL, LONGEST_NAME};
use proptest::prelude::*;

/// Returns `PROPTEST_CASES` cases, by default so many that they take seconds.
fn inputs() -> ProptestConfig {
    let mut config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 260_000;
    }
    config
}

/// Generates texts that resemble names: octal escapes complete and truncated, labels and names
/// around the longest length that is allowed.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,60}",
        "[a-cA-C0-9_.*\\\\-]{0,40}",
        "(\\\\[0-9]{0,3}|[a-c.]){0,20}",
        "[a-]{60,65}(\\.[a-c]{58,64}){0,4}\\.?",
    ]
}

/// Generates names from so few labels that two of them are often equal, or one is a subdomain of
/// the other.
fn few_names() -> impl Strategy<Value = DomainName> {
    "[ab](\\.[ab]{1,2}){0,4}".prop_map(|text| DomainName::parse(&text).expect("a name"))
}

proptest! {
    #![proptest_config(inputs())]

    #[test]
    fn any_text_of_a_user_is_parsed_or_refused(text in any_text()) {
        match DomainName::parse(&text) {
            Ok(name) => {
                prop_assert_eq!(&DomainName::from_service(&text), &name);
                prop_assert_eq!(&DomainName::parse(&name.to_string()), &Ok(name.clone()));
                prop_assert!(name.as_str().len() <= LONGEST_NAME);
                prop_assert!(name.as_str().split('.').all(|label| (1..=LONGEST_LABEL).contains(&label.len())));
            }
            Err(refused) => prop_assert!(!refused.to_string().is_empty()),
        }
    }

    #[test]
    fn any_text_of_a_service_is_normalized(text in any_text()) {
        let name = DomainName::from_service(&text);
        prop_assert_eq!(&DomainName::from_service(name.as_str()), &name);
        prop_assert_eq!(&DomainName::from_service(&text.to_ascii_uppercase()), &name);
        let normal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.\\".contains(&byte);
        prop_assert!(name.as_str().bytes().all(normal));
        let _ = name.to_string();
    }

    #[test]
    fn any_two_names_are_equal_related_or_unrelated(name in few_names(), other in few_names()) {
        let labels = |name: &DomainName| -> Vec<String> {
            name.as_str().rsplit('.').map(str::to_owned).collect()
        };
        let (above, below) = (labels(&other), labels(&name));
        prop_assert_eq!(name.is_at_or_below(&other), below.starts_with(&above));
        prop_assert_eq!(name.is_below(&other), below.len() > above.len() && below.starts_with(&above));
        let between = name.between(&other);
        let wanted = if name.is_below(&other) { below.len() - above.len() - 1 } else { 0 };
        prop_assert_eq!(between.len(), wanted);
        prop_assert!(between.iter().all(|middle| name.is_below(middle) && middle.is_below(&other)));
        let child = other.child(name.as_str()).expect("short enough");
        prop_assert!(child.is_below(&other));
    }
}
