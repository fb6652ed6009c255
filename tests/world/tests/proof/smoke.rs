//! The operations without faults.

use serde_json::json;
use world::cloudformation::{Stack, Status, Template};

use crate::cast::{BUILD, CONSUMER, Cast, REGION, certificate, settings, subdomain, with};
use crate::invariants;

#[tokio::test(start_paused = true)]
async fn a_subdomain_and_its_certificate_are_created_updated_and_deleted() {
    let (cast, mut network) = Cast::published(settings(1)).await;
    let mut stack = Stack::new(CONSUMER, REGION, "dev");
    let mut template = Template::from([
        ("Zone".to_owned(), subdomain(CONSUMER, "dev")),
        (
            "Certificate".to_owned(),
            certificate("Zone", &format!("app.dev.{BUILD}")),
        ),
    ]);
    let status = cast.engine.create(&mut stack, &template).await;
    assert_eq!(status, Status::Complete, "{}", cast.history());
    assert_eq!(
        invariants::check(&cast, &stack),
        [""; 0],
        "{}",
        cast.history()
    );
    let zone = with(
        subdomain(CONSUMER, "dev"),
        json!({"Ttl": "60", "Comment": "hello"}),
    );
    template.insert("Zone".to_owned(), zone);
    let status = cast.engine.update(&mut stack, &template).await;
    assert_eq!(status, Status::Complete, "{}", cast.history());
    assert_eq!(
        invariants::check(&cast, &stack),
        [""; 0],
        "{}",
        cast.history()
    );
    let status = cast.engine.delete(&mut stack).await;
    assert_eq!(status, Status::Deleted, "{}", cast.history());
    assert_eq!(
        invariants::check(&cast, &stack),
        [""; 0],
        "{}",
        cast.history()
    );
    let status = cast.engine.delete(&mut network).await;
    assert_eq!(status, Status::Deleted, "{}", cast.history());
    assert_eq!(
        invariants::check(&cast, &network),
        [""; 0],
        "{}",
        cast.history()
    );
    cast.check();
    println!("{}", cast.history());
}
