use crate::{DomainName, HostedZoneId, Route53};
use aws_calls::AwsError;
use aws_sdk_route53::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::BeforeDeserializationInterceptorContextMut,
    },
    error::BoxError,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use aws_smithy_xml::decode::{Document, XmlDecodeError, try_data};
use std::sync::{Arc, Mutex};

const OPERATION: &str = "ListResourceRecordSetProtections";

/// The response of `GetDNSSEC` for a zone that is not signed, which the SDK can parse in place of
/// the actual response.
const NOT_SIGNED: &str = "<GetDNSSECResponse><Status><ServeSignature>NOT_SIGNING</ServeSignature></Status>\
    <KeySigningKeys></KeySigningKeys></GetDNSSECResponse>";

/// A protection of record sets. While it exists, the record sets of its name and type cannot be
/// changed, and its zone cannot be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// The protected name.
    pub name: DomainName,
    /// The protected type, e.g. `NS`.
    pub kind: String,
}

impl Route53 {
    /// Returns the first protections of a zone, up to 300 (botocore 1.44.8,
    /// `ListResourceRecordSetProtections`).
    ///
    /// The Rust SDK does not have this operation yet (1.132). `GetDNSSEC` is the most similar one,
    /// a GET under the same zone: it is sent to the path of this operation, signed as usual, and
    /// the body of a successful response is captured before the SDK would parse it as its own.
    ///
    /// # Errors
    ///
    /// [`AwsError`]. A Route 53 that does not know the operation has no protections: an empty list.
    pub async fn protections(&self, zone: &HostedZoneId) -> Result<Vec<Protection>, AwsError> {
        let aside = Aside::default();
        let send = || {
            let request = self.client.get_dnssec().hosted_zone_id(zone.as_str());
            let request = request.customize().interceptor(aside.clone());
            let request = request.mutate_request(|request| {
                let uri = request.uri().replacen("/dnssec", "/rrsetprotection", 1);
                // The URI stays valid with another last segment.
                let _ = request.set_uri(uri);
            });
            request.send()
        };
        match self.call(OPERATION, zone.as_str(), send).await {
            Ok(_) => {}
            // Route 53 has an error code for everything that does not exist. A 404 without a code
            // is an unknown path.
            Err(error) if error.code.is_none() && error.kind == aws_calls::Kind::Refused => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        }
        let Some(body) = aside.take() else {
            return Ok(Vec::new());
        };
        let malformed = |_| AwsError::malformed(crate::SERVICE, OPERATION, zone.as_str());
        let bytes = ByteStream::new(body)
            .collect()
            .await
            .map_err(malformed)?
            .into_bytes();
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| AwsError::malformed(crate::SERVICE, OPERATION, zone.as_str()))?;
        parse(text).map_err(|_| AwsError::malformed(crate::SERVICE, OPERATION, zone.as_str()))
    }
}

fn parse(text: &str) -> Result<Vec<Protection>, XmlDecodeError> {
    let mut found = Vec::new();
    let mut document = Document::new(text);
    let mut root = document.root_element()?;
    while let Some(mut list) = root.next_tag() {
        if !list.start_el().matches("ResourceRecordSetProtections") {
            continue;
        }
        while let Some(mut protection) = list.next_tag() {
            let (mut name, mut kind) = (None, None);
            while let Some(mut field) = protection.next_tag() {
                match field.start_el().local() {
                    "RecordName" => name = Some(DomainName::from_service(&try_data(&mut field)?)),
                    "RecordType" => kind = Some(try_data(&mut field)?.into_owned()),
                    _ => {}
                }
            }
            found.extend(name.zip(kind).map(|(name, kind)| Protection { name, kind }));
        }
    }
    Ok(found)
}

/// Captures the body of a successful response and replaces it with one that the SDK can parse.
#[derive(Clone, Debug, Default)]
struct Aside(Arc<Mutex<Option<SdkBody>>>);

impl Aside {
    fn take(&self) -> Option<SdkBody> {
        self.0.lock().expect("no panic while held").take()
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Aside {
    fn name(&self) -> &'static str {
        OPERATION
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        if response.status().is_success() {
            let body = std::mem::replace(response.body_mut(), SdkBody::from(NOT_SIGNED));
            *self.0.lock().expect("no panic while held") = Some(body);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protections_are_read_from_the_response() {
        let text = "<?xml version=\"1.0\"?>\n<ListResourceRecordSetProtectionsResponse \
            xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ResourceRecordSetProtections>\
            <ResourceRecordSetProtection><RecordName>\\052.Example.com.</RecordName><RecordType>A</RecordType>\
            <Comment>do not touch</Comment></ResourceRecordSetProtection>\
            <ResourceRecordSetProtection><RecordName>example.com.</RecordName><RecordType>NS</RecordType>\
            </ResourceRecordSetProtection></ResourceRecordSetProtections></ListResourceRecordSetProtectionsResponse>";
        let protection = |name: &str, kind: &str| Protection {
            name: DomainName::from_service(name),
            kind: kind.to_owned(),
        };
        assert_eq!(
            parse(text).unwrap(),
            [
                protection("*.example.com", "A"),
                protection("example.com", "NS")
            ]
        );
        assert!(
            parse("<ListResourceRecordSetProtectionsResponse/>")
                .unwrap()
                .is_empty()
        );
        assert!(parse("not xml").is_err());
    }
}
