//! One case for each operation (create, update, replace, delete) on each resource type.

use serde_json::json;
use world::cloudformation::Template;

use crate::stage::{BUILD, CONSUMER, NETWORK, Stage, certificate, published, subdomain};

/// An operation on a stack of one resource, and the state before it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) account: &'static str,
    /// Creates what people have created.
    pub(crate) setup: fn(&Stage),
    /// The template before the operation, or none for a create.
    pub(crate) before: Option<fn(&Stage) -> Template>,
    /// The template of the operation, or none for a delete.
    pub(crate) after: Option<fn(&Stage) -> Template>,
}

const ZONE: Case = Case {
    name: "",
    account: NETWORK,
    setup: |_| {},
    before: Some(|stage| published(&stage.build_zone, "/zone-delegation/own")),
    after: None,
};

const SUBDOMAIN: Case = Case {
    account: CONSUMER,
    before: Some(|_| subdomain("dev", json!({}))),
    ..ZONE
};

const CERTIFICATE: Case = Case {
    account: CONSUMER,
    setup: |stage| stage.delegated_by_hand(&format!("dev.{BUILD}")),
    before: Some(|stage| certificate_of(stage, "app")),
    ..ZONE
};

/// All cases.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "PublishedZone: create",
        before: None,
        after: ZONE.before,
        ..ZONE
    },
    Case {
        name: "PublishedZone: update, another zone",
        setup: |stage| drop(stage.zone_by_hand(NETWORK, "second.example.com")),
        after: Some(|stage| {
            published(
                &stage.zone_named("second.example.com"),
                "/zone-delegation/own",
            )
        }),
        ..ZONE
    },
    Case {
        name: "PublishedZone: replace, another prefix",
        after: Some(|stage| published(&stage.build_zone, "/zone-delegation/other")),
        ..ZONE
    },
    Case {
        name: "PublishedZone: delete",
        ..ZONE
    },
    Case {
        name: "DelegatedSubdomain: create",
        before: None,
        after: SUBDOMAIN.before,
        ..SUBDOMAIN
    },
    Case {
        name: "DelegatedSubdomain: replace, another name",
        after: Some(|_| subdomain("test", json!({}))),
        ..SUBDOMAIN
    },
    Case {
        name: "DelegatedSubdomain: delete",
        ..SUBDOMAIN
    },
    Case {
        name: "DelegatedSubdomain: update",
        after: Some(|_| {
            subdomain(
                "dev",
                json!({"Ttl": 60, "Comment": "hello", "Tags": {"team": "a"}}),
            )
        }),
        ..SUBDOMAIN
    },
    Case {
        name: "SubdomainCertificate: create",
        before: None,
        after: CERTIFICATE.before,
        ..CERTIFICATE
    },
    Case {
        name: "SubdomainCertificate: update",
        after: Some(|stage| {
            let mut template = certificate_of(stage, "app");
            let resource = template.get_mut("Resource").expect("its one resource");
            resource
                .properties
                .insert("Tags".to_owned(), json!({"team": "a"}));
            template
        }),
        ..CERTIFICATE
    },
    Case {
        name: "SubdomainCertificate: replace, another name",
        after: Some(|stage| certificate_of(stage, "web")),
        ..CERTIFICATE
    },
    Case {
        name: "SubdomainCertificate: delete",
        ..CERTIFICATE
    },
];

fn certificate_of(stage: &Stage, label: &str) -> Template {
    let zone = stage.zone_named(&format!("dev.{BUILD}"));
    certificate(&zone, json!({"DomainName": format!("{label}.dev.{BUILD}")}))
}
