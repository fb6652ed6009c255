use serde::{Deserialize, Serialize};
use std::fmt;

/// The ARN of a certificate, `arn:aws:acm:REGION:ACCOUNT:certificate/ID`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct CertificateArn(String);

impl CertificateArn {
    /// Parses an ARN, or returns none for any other text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", _, "acm", region, account, resource] = parts.as_slice() else {
            return None;
        };
        let id = resource.strip_prefix("certificate/")?;
        let whole = [region, account, &id].iter().all(|part| !part.is_empty());
        whole.then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

impl TryFrom<String> for CertificateArn {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not the ARN of a certificate")
    }
}

impl From<CertificateArn> for String {
    fn from(arn: CertificateArn) -> Self {
        arn.0
    }
}

impl fmt::Display for CertificateArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_arn_of_a_certificate_is_parsed() {
        assert_eq!(
            CertificateArn::parse("arn:aws:acm:us-east-1:111122223333:certificate/0-1")
                .unwrap()
                .region(),
            "us-east-1"
        );
        for other in [
            "",
            "refused-00000000000000000000000000000000",
            "dev_ZoneCert_1ABC",
            "arn:aws:iam::111122223333:role/x",
            "arn:aws:acm::111122223333:certificate/x",
            "arn:aws:acm:us-east-1:111122223333:certificate/",
            "arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/x",
        ] {
            assert_eq!(CertificateArn::parse(other), None, "{other}");
        }
    }
}
