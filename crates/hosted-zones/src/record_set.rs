use crate::{DomainName, NameServers};
use aws_sdk_route53::types::{ResourceRecord, ResourceRecordSet, RrType};
use std::fmt;

/// A resource record set exactly as it is in a zone, so that it can be deleted by its exact value.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordSet(Box<ResourceRecordSet>);

impl From<ResourceRecordSet> for RecordSet {
    fn from(set: ResourceRecordSet) -> Self {
        Self(Box::new(set))
    }
}

impl From<RecordSet> for ResourceRecordSet {
    fn from(set: RecordSet) -> Self {
        *set.0
    }
}

impl RecordSet {
    /// Creates an NS record set.
    #[must_use]
    pub fn ns(name: &DomainName, ttl: u32, name_servers: &NameServers) -> Self {
        let values = name_servers
            .iter()
            .map(|server| format!("{}.", server.as_str()));
        Self::new(name, RrType::Ns, ttl, values)
    }

    /// Creates a CNAME record set.
    #[must_use]
    pub fn cname(name: &DomainName, ttl: u32, target: &str) -> Self {
        Self::new(name, RrType::Cname, ttl, [target.to_owned()])
    }

    fn new(
        name: &DomainName,
        kind: RrType,
        ttl: u32,
        values: impl IntoIterator<Item = String>,
    ) -> Self {
        let record = |value: String| {
            ResourceRecord::builder()
                .value(value)
                .build()
                .expect("value is set")
        };
        let set = ResourceRecordSet::builder()
            .name(format!("{}.", name.as_str()))
            .r#type(kind);
        let set = set.ttl(i64::from(ttl));
        let set = set.set_resource_records(Some(values.into_iter().map(record).collect()));
        set.build().expect("name and type are set").into()
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> DomainName {
        DomainName::from_service(self.0.name())
    }

    /// Returns its type, e.g. `NS`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.r#type().as_str()
    }

    /// Returns its TTL in seconds, or none for an alias.
    #[must_use]
    pub fn ttl(&self) -> Option<i64> {
        self.0.ttl()
    }

    /// Returns its values in the service's text form, or none for an alias.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.0.resource_records().iter().map(ResourceRecord::value)
    }

    /// Returns its values as name servers. Meaningful for an NS record set only.
    #[must_use]
    pub fn name_servers(&self) -> NameServers {
        NameServers::new(self.values())
    }

    /// Returns whether it is a CNAME with which ACM validates a name, for any certificate.
    #[must_use]
    pub fn is_acm_validation(&self) -> bool {
        let acm = DomainName::from_service("acm-validations.aws");
        let mut values = self.values().map(DomainName::from_service);
        // An alias has no values.
        self.kind() == "CNAME" && values.next().is_some_and(|value| value.is_below(&acm))
    }
}

/// Writes `NS dev.example.com (ns-1.example.net, ns-2.example.net)`.
impl fmt::Display for RecordSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.name())?;
        match self.0.alias_target() {
            Some(alias) => write!(
                f,
                " (alias of {})",
                DomainName::from_service(alias.dns_name())
            ),
            None => write!(f, " ({})", self.values().collect::<Vec<_>>().join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_route53::types::AliasTarget;

    #[test]
    fn a_record_set_is_written_with_type_name_and_values() {
        let name = DomainName::parse("dev.example.com").unwrap();
        let set = RecordSet::ns(
            &name,
            900,
            &NameServers::new(["b.example.net", "a.example.net."]),
        );
        assert_eq!(
            set.to_string(),
            "NS dev.example.com (a.example.net., b.example.net.)"
        );
        assert_eq!(
            set.name_servers(),
            NameServers::new(["a.example.net", "b.example.net"])
        );
        assert!(!set.is_acm_validation());
        assert!(RecordSet::cname(&name, 300, "_a.b.acm-validations.aws.").is_acm_validation());
        assert!(!RecordSet::cname(&name, 300, "evil-acm-validations.aws.").is_acm_validation());
        let alias = AliasTarget::builder()
            .hosted_zone_id("Z1")
            .dns_name("_a.b.acm-validations.aws.")
            .evaluate_target_health(false);
        let alias = ResourceRecordSet::builder()
            .name(name.as_str())
            .r#type(RrType::Cname)
            .alias_target(alias.build().unwrap());
        assert!(!RecordSet::from(alias.build().unwrap()).is_acm_validation());
    }
}
