//! Sabotages: single edits, each of which takes one promise out of the functions. The proofs must fail on every one.

/// One edit.
pub(super) struct Sabotage {
    /// What a person calls it.
    pub(super) name: &'static str,
    /// Which promise it breaks.
    pub(super) about: &'static str,
    /// The file, from the root of the checkout.
    pub(super) file: &'static str,
    /// What stands there, exactly once.
    pub(super) from: &'static str,
    /// What stands there instead.
    pub(super) to: &'static str,
}

/// All of them.
pub(super) const SABOTAGES: [Sabotage; 18] = [
    Sabotage {
        name: "upsert",
        about: "a record set is written whatever stands there",
        file: "functions/dns-zones/src/change.rs",
        from: "Change::Create(set) => (ChangeAction::Create, set.0)",
        to: "Change::Create(set) => (ChangeAction::Upsert, set.0)",
    },
    Sabotage {
        name: "no-insync",
        about: "a change counts as done at the first look, PENDING or not",
        file: "functions/dns-zones/src/change.rs",
        from: ".is_some_and(|info| *info.status() == ChangeStatus::Insync)",
        to: ".is_some_and(|info| !info.id().is_empty() || *info.status() == ChangeStatus::Insync)",
    },
    Sabotage {
        name: "zone-first",
        about: "a Delete deletes the zone before the delegation to it",
        file: "functions/delegate-subdomain/src/subdomain/remove.rs",
        from: "        let ours =\n            |servers: &NameServers| *servers == zone.name_servers || delegation.is_to(servers);\n",
        to: "        if made {\n            self.delete_zone(delegation, how.records_on_delete, Vec::new()).await?;\n        }\n        let ours =\n            |servers: &NameServers| *servers == zone.name_servers || delegation.is_to(servers);\n",
    },
    Sabotage {
        name: "no-rights-no-question",
        about: "a zone goes without rights in its parent, also while the parent's name servers lead to it",
        file: "functions/delegate-subdomain/src/subdomain/remove.rs",
        from: "Standing::Stands(said) | Standing::Unknown(said) => said,",
        to: "Standing::Stands(_) | Standing::Unknown(_) => return Ok(()),",
    },
    Sabotage {
        name: "any-delegation-goes",
        about: "a Delete takes out whatever NS record set stands at the name",
        file: "functions/delegate-subdomain/src/subdomain/remove.rs",
        from: "set.filter(|set| ours(&set.name_servers()))",
        to: "set.filter(|set| ours(&set.name_servers()) || !set.kind().is_empty())",
    },
    Sabotage {
        name: "nothing-is-put-back",
        about: "a Create that fails takes the NS record set out that it found",
        file: "functions/delegate-subdomain/src/subdomain/create.rs",
        from: "            Hold::Nobody => TakesUp::Yes,\n",
        to: "            Hold::Nobody => TakesUp::No,\n",
    },
    Sabotage {
        name: "any-delegation-is-ours",
        about: "a Create replaces whatever NS record set stands at the name",
        file: "functions/delegate-subdomain/src/subdomain/create.rs",
        from: "let is_known = |servers: &NameServers| replaced.is_some_and(|old| old.is_to(servers));",
        to: "let is_known = |servers: &NameServers| replaced.is_none_or(|old| old.is_to(servers));",
    },
    Sabotage {
        name: "one-sweep",
        about: "a Delete that was never told an id does not look again for what a late Create makes",
        file: "functions/delegate-subdomain/src/subdomain/delete.rs",
        from: "if !is_refused_id(request.physical_id()) {",
        to: "if !is_refused_id(request.physical_id()) && request.physical_id().is_empty() {",
    },
    Sabotage {
        name: "half-made-stays",
        about: "a rollback leaves what the failed update has made",
        file: "functions/delegate-subdomain/src/subdomain/half_made.rs",
        from: "        for half_made in swept {\n",
        to: "        for half_made in swept.into_iter().take(0) {\n",
    },
    Sabotage {
        name: "no-owner",
        about: "another stack's marks count as this one's",
        file: "functions/custom-resource/src/claim.rs",
        from: "if *stack_id != self.stack_id {",
        to: "if *stack_id != self.stack_id && stack_id.is_empty() {",
    },
    Sabotage {
        name: "renaming-forgets",
        about: "a renaming that is rolled back deletes what the old logical id had",
        file: "functions/custom-resource/src/claim.rs",
        from: "taken_from: previous.filter(|id| **id != self.logical_id).cloned(),",
        to: "taken_from: previous.filter(|id| id.is_empty()).cloned(),",
    },
    Sabotage {
        name: "any-parameter-is-ours",
        about: "a parameter that someone else wrote is overwritten",
        file: "functions/publish-zone/src/plan.rs",
        from: "Claim::Nobody => Err(Refusal::WithoutOwner { name }),",
        to: "Claim::Nobody => Ok(drop(name)),",
    },
    Sabotage {
        name: "pending-is-issued",
        about: "SUCCESS is answered before ACM has issued the certificate",
        file: "functions/delegate-subdomain/src/certificate/issue.rs",
        from: "            Status::Pending => {}\n",
        to: "            Status::Pending => return Ok(Look::Issued(arn)),\n",
    },
    Sabotage {
        name: "shared-records-go",
        about: "a certificate's Delete takes CNAMEs that another certificate needs for its renewal",
        file: "functions/delegate-subdomain/src/certificate/validation_records.rs",
        from: ".is_none_or(|name| !needed.contains(&name))",
        to: ".is_none_or(|name| !needed.contains(&name) || !name.as_str().is_empty())",
    },
    Sabotage {
        name: "certificate-of-anyone",
        about: "a certificate of another stack for the same name is taken",
        file: "functions/delegate-subdomain/src/certificate/ownership.rs",
        from: "let is_own = matches!(owner.claim(&tags), Claim::Own { .. });",
        to: "let is_own = !matches!(owner.claim(&tags), Claim::Nobody);",
    },
    Sabotage {
        name: "answer-once",
        about: "an answer that is not taken at the first try is not sent again",
        file: "functions/custom-resource/src/deliver.rs",
        from: "            Ok(Ok(reply)) if reply.passes() => reply.to_string(),\n",
        to: "            Ok(Ok(reply)) if reply.passes() => return Delivery::Accepted,\n",
    },
    Sabotage {
        name: "repeat-is-first",
        about: "a repeat of a request is taken for its first delivery, also when its Delete has come",
        file: "functions/custom-resource/src/work.rs",
        from: "clock.since(turn.request.requested_at) > FIRST_DELIVERY,",
        to: "clock.since(turn.request.requested_at) > FIRST_DELIVERY * 10_000,",
    },
    Sabotage {
        name: "any-name-of-the-zone",
        about: "a consumer's role changes the names of all consumers",
        file: "cdk/lib/delegation-role.ts",
        from: "createOrDelete({ names: recordNames, types: ['NS'] })",
        to: "createOrDelete({ types: ['NS'] })",
    },
];
