//! `DelegatedNames`: a consumer keeps the permission to delete its zone as long as it has the zone.

use serde_json::json;
use world::Edit;

use super::{PREFIX, published};
use crate::stage::{BUILD, Stage, one};

#[tokio::test(start_paused = true)]
async fn a_name_can_be_removed_only_after_its_delegation() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let [app, web] = ["app", "web"].map(|label| format!("{label}.dev.{BUILD}"));
    let names = |names: &[&str]| published(&zone, json!({ "DelegatedNames": names }));
    let both = names(&[&format!("{}.", app.to_uppercase()), &web]);
    let mut stack = stage.created(both.clone()).await;
    let delegation = Edit::create(&app, "NS", 300, &["ns.example.net"]);
    stage.world.edit_records(&zone, &[delegation]).unwrap();
    let before = stage.parameters();
    let moved = json!({ "DelegatedNames": [web], "ParameterPrefix": "/zone-delegation/test" });
    for without in [names(&[&web]), names(&[]), published(&zone, moved)] {
        let reason = stage.rolled_back(&mut stack, &one(without.clone())).await;
        let prefix = without.properties["ParameterPrefix"].as_str().unwrap();
        assert_eq!(
            reason,
            format!(
                "{prefix} was not changed: DelegatedNames no longer has {app}, and the zone dev.{BUILD} ({zone}) still has NS record \
                 sets for that, which their consumers could not delete any more; delete these subdomains first, then remove their \
                 names."
            )
        );
        assert_eq!(stage.parameters(), before);
    }
    // The other name can be removed, and another type of record set at the first one does not prevent its
    // removal.
    stage.updated(&mut stack, names(&[&app])).await;
    stage
        .world
        .edit_records(
            &zone,
            &[
                Edit::delete(&app, "NS"),
                Edit::create(&app, "TXT", 300, &["\"x\""]),
            ],
        )
        .unwrap();
    stage.updated(&mut stack, names(&[])).await;
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
    assert!(before.contains_key(&format!("{PREFIX}/hosted-zone-id")));
}
