//! The parts of a SigV4 signature that identify the caller, the service and the Region.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// The credential scope of a signed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CredentialScope {
    pub(crate) access_key: String,
    pub(crate) region: String,
    pub(crate) service: String,
}

impl CredentialScope {
    /// Reads the scope from the headers of a signed request.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        Self::parse(headers.get(AUTHORIZATION)?.to_str().ok()?)
    }

    /// Reads an `Authorization` header.
    fn parse(authorization: &str) -> Option<Self> {
        let parameters = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let credential = parameters
            .split(',')
            .find_map(|parameter| parameter.trim().strip_prefix("Credential="))?;
        let mut parts = credential.split('/');
        let access_key = parts.next()?.to_owned();
        let _date = parts.next()?;
        let region = parts.next()?.to_owned();
        let service = parts.next()?.to_owned();
        (parts.next() == Some("aws4_request")).then_some(Self {
            access_key,
            region,
            service,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_of_a_signature_is_read() {
        let header = "AWS4-HMAC-SHA256 Credential=AKID/20261120/eu-west-1/ssm/aws4_request, SignedHeaders=host, Signature=00";
        assert_eq!(
            CredentialScope::parse(header),
            Some(CredentialScope {
                access_key: "AKID".into(),
                region: "eu-west-1".into(),
                service: "ssm".into()
            })
        );
        assert_eq!(CredentialScope::parse("Bearer x"), None);
        assert_eq!(
            CredentialScope::parse("AWS4-HMAC-SHA256 Credential=AKID/1/2"),
            None
        );
    }
}
