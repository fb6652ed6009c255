"""Route 53 of the emulator behaves as `corrections/route53.py` says."""

import re
import time
import urllib.request

from .emulator import INSYNC_SECONDS, Check, change, new_zone, ns_change, records, running

SERVER = re.compile(r"ns-(\d+)\.awsdns-(\d\d)\.(com|net|org|co\.uk)")


class NameServers(Check):
    def test_every_zone_has_four_of_its_own_in_the_form_of_aws(self):
        route53 = self.client("route53")
        seen = set()
        for i in range(20):
            _, servers = new_zone(route53, f"z{i}.test")
            self.assertEqual(sorted(SERVER.fullmatch(s).group(3) for s in servers), ["co.uk", "com", "net", "org"])
            for server in servers:
                number, eighth, _ = SERVER.fullmatch(server).groups()
                self.assertEqual(int(eighth), int(number) % 512 // 8)
            self.assertFalse(seen & set(servers), "two zones share a name server")
            seen.update(servers)

    def test_the_zone_its_record_set_and_its_soa_agree(self):
        route53 = self.client("route53")
        zone_id, servers = new_zone(route53, "agree.test")
        again = route53.get_hosted_zone(Id=zone_id)["DelegationSet"]["NameServers"]
        self.assertEqual(again, servers)
        by_type = {kind: values for _, kind, _, values in records(route53, zone_id)}
        self.assertEqual(by_type["NS"], [s + "." for s in servers])
        self.assertTrue(by_type["SOA"][0].startswith(servers[0] + ". "))


class CallerReferences(Check):
    def test_a_reference_is_used_once_for_ever(self):
        route53 = self.client("route53")
        zone_id, _ = new_zone(route53, "once.test", "reference-1")
        self.refused("HostedZoneAlreadyExists", new_zone, route53, "once.test", "reference-1")
        self.refused("HostedZoneAlreadyExists", new_zone, route53, "other.test", "reference-1")
        route53.delete_hosted_zone(Id=zone_id)
        self.refused("HostedZoneAlreadyExists", new_zone, route53, "once.test", "reference-1")
        self.assertEqual(route53.list_hosted_zones()["HostedZones"], [])

    def test_two_zones_may_have_the_same_name(self):
        route53 = self.client("route53")
        self.assertNotEqual(new_zone(route53, "twice.test", "a"), new_zone(route53, "twice.test", "b"))


class Changes(Check):
    def setUp(self):
        super().setUp()
        self.route53 = self.client("route53")
        self.zone, self.servers = new_zone(self.route53, "strict.test")

    def test_a_batch_is_atomic_and_can_replace_a_record_set(self):
        change(self.route53, self.zone, ns_change("CREATE", "a.strict.test", ["ns1.x."]))
        self.refused("InvalidChangeBatch", change, self.route53, self.zone,
                     ns_change("CREATE", "b.strict.test", ["ns1.x."]),
                     ns_change("DELETE", "a.strict.test", ["wrong.x."]))
        self.assertEqual([name for name, kind, *_ in records(self.route53, self.zone) if kind == "NS"],
                         ["strict.test.", "a.strict.test."])
        change(self.route53, self.zone, ns_change("DELETE", "a.strict.test", ["ns1.x."]),
               ns_change("CREATE", "a.strict.test", ["ns2.x."]))
        self.assertIn(("a.strict.test.", "NS", 900, ["ns2.x."]), records(self.route53, self.zone))

    def test_invalid_record_sets_are_refused(self):
        for wrong, said in (
                (ns_change("CREATE", "a.other.test", ["ns1.x."]), "not permitted in zone"),
                (ns_change("CREATE", "strict.test", ["x."], kind="CNAME"), "not permitted at apex"),
                (ns_change("CREATE", "l" * 64 + ".strict.test", ["ns1.x."]), "DomainLabelTooLong"),
                (ns_change("DELETE", "strict.test", [s + "." for s in self.servers], 172800), "at least one NS")):
            self.assertIn(said, self.refused("InvalidChangeBatch", change, self.route53, self.zone, wrong))
        change(self.route53, self.zone, ns_change("CREATE", "t.strict.test", ['"x"'], kind="TXT"))
        self.refused("InvalidChangeBatch", change, self.route53, self.zone,
                     ns_change("CREATE", "t.strict.test", ["x."], kind="CNAME"))

    def test_a_zone_that_is_not_empty_cannot_be_deleted(self):
        change(self.route53, self.zone, ns_change("CREATE", "a.strict.test", ["ns1.x."]))
        self.refused("HostedZoneNotEmpty", self.route53.delete_hosted_zone, Id=self.zone)
        change(self.route53, self.zone, ns_change("DELETE", "a.strict.test", ["ns1.x."]))
        self.route53.delete_hosted_zone(Id=self.zone)
        self.refused("NoSuchHostedZone", self.route53.get_hosted_zone, Id=self.zone)
        self.refused("NoSuchHostedZone", self.route53.delete_hosted_zone, Id=self.zone)

    def test_a_change_is_pending_then_in_sync(self):
        made = change(self.route53, self.zone, ns_change("CREATE", "a.strict.test", ["ns1.x."]))["ChangeInfo"]
        self.assertEqual(made["Status"], "PENDING")
        self.assertEqual(self.route53.get_change(Id=made["Id"])["ChangeInfo"]["Status"], "PENDING")
        time.sleep(INSYNC_SECONDS + 0.1)
        self.assertEqual(self.route53.get_change(Id=made["Id"])["ChangeInfo"]["Status"], "INSYNC")
        self.refused("NoSuchChange", self.route53.get_change, Id="C0000000000000")


class Lists(Check):
    def test_names_are_lowercase_with_octal_escapes(self):
        route53 = self.client("route53")
        zone, _ = new_zone(route53, "CaSe.Test")
        change(route53, zone, ns_change("CREATE", "*.Wild.case.test", ["1.2.3.4"], kind="A"))
        self.assertEqual(route53.get_hosted_zone(Id=zone)["HostedZone"]["Name"], "case.test.")
        self.assertEqual(records(route53, zone)[-1][0], r"\052.wild.case.test.")
        self.assertEqual(records(route53, zone, StartRecordName="*.wild.case.test", StartRecordType="A")[0][0],
                         r"\052.wild.case.test.")

    def test_record_sets_are_ordered_by_reversed_labels(self):
        route53 = self.client("route53")
        zone, _ = new_zone(route53, "order.test")
        names = ["b.order.test.", "a.b.order.test.", "b-c.order.test.", "a.order.test.", "z.a.order.test."]
        for name in names:
            change(route53, zone, ns_change("CREATE", name, ['"x"'], kind="TXT"))
        expected = ["a.order.test.", "z.a.order.test.", "b-c.order.test.", "b.order.test.", "a.b.order.test."]
        self.assertEqual([name for name, kind, *_ in records(route53, zone) if kind == "TXT"], expected)
        self.assertEqual([r[0] for r in records(route53, zone, StartRecordName="b.order.test")],
                         ["b.order.test.", "a.b.order.test."])
        page = route53.list_resource_record_sets(HostedZoneId=zone, StartRecordName="a.order.test", MaxItems="2")
        self.assertTrue(page["IsTruncated"])
        self.assertEqual((page["NextRecordName"], page["NextRecordType"]), ("b-c.order.test.", "TXT"))

    def test_zones_by_name_start_at_or_after_and_page_without_repeats(self):
        route53 = self.client("route53")
        for name in ("b.test", "a.test", "a.b.test", "b-x.test", "b.test"):
            new_zone(route53, name)
        listed = [z["Name"] for z in route53.list_hosted_zones_by_name()["HostedZones"]]
        self.assertEqual(listed, ["a.test.", "b-x.test.", "b.test.", "b.test.", "a.b.test."])
        after = route53.list_hosted_zones_by_name(DNSName="b.a.test")["HostedZones"]
        self.assertEqual(after[0]["Name"], "b-x.test.")
        seen, start = [], {}
        while True:
            page = route53.list_hosted_zones_by_name(MaxItems="2", **start)
            seen += [z["Id"] for z in page["HostedZones"]]
            if not page["IsTruncated"]:
                break
            start = {"DNSName": page["NextDNSName"], "HostedZoneId": page["NextHostedZoneId"]}
        self.assertEqual(len(seen), 5)
        self.assertEqual(len(set(seen)), 5)


class Marks(Check):
    def test_tags_of_a_zone_are_added_removed_and_listed(self):
        route53 = self.client("route53")
        zone, _ = new_zone(route53, "tags.test")
        route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone, AddTags=[
            {"Key": "zone-delegation:stack-id", "Value": "s"}, {"Key": "other", "Value": "o"}])
        route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone, RemoveTagKeys=["other"])
        tags = route53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone)["ResourceTagSet"]["Tags"]
        self.assertEqual(tags, [{"Key": "zone-delegation:stack-id", "Value": "s"}])
        listed = route53.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=[zone])
        self.assertEqual(listed["ResourceTagSets"][0]["Tags"], tags)
        self.refused("NoSuchHostedZone", route53.list_tags_for_resource, ResourceType="hostedzone", ResourceId="Z0")

    def test_signing_and_protections_block_the_deletion(self):
        route53 = self.client("route53")
        zone, _ = new_zone(route53, "held.test")
        self.assertEqual(route53.get_dnssec(HostedZoneId=zone)["Status"]["ServeSignature"], "NOT_SIGNING")
        route53.enable_hosted_zone_dnssec(HostedZoneId=zone)
        signed = route53.get_dnssec(HostedZoneId=zone)
        self.assertEqual(signed["Status"]["ServeSignature"], "SIGNING")
        self.assertRegex(signed["KeySigningKeys"][0]["DSRecord"], r"^\d+ 13 2 [0-9A-F]{64}$")
        self.refused("HostedZoneNotEmpty", route53.delete_hosted_zone, Id=zone)
        route53.disable_hosted_zone_dnssec(HostedZoneId=zone)
        self._protect(zone, "")
        self.assertIn("protected", self.refused(
            "InvalidChangeBatch", change, route53, zone, ns_change("CREATE", "a.held.test", ["ns1.x."])))
        self.refused("HostedZoneNotEmpty", route53.delete_hosted_zone, Id=zone)
        self._protect(zone, "/delete")
        change(route53, zone, ns_change("CREATE", "a.held.test", ["ns1.x."]))

    def _protect(self, zone, verb):
        """Raw, because the pinned botocore's model has no protections yet."""
        body = (b"<R><Protections><P><RecordName>a.held.test</RecordName>"
                b"<RecordType>NS</RecordType></P></Protections></R>")
        request = urllib.request.Request(
            f"{running().endpoint}/2013-04-01/hostedzone/{zone}/rrsetprotection{verb}", body, method="POST",
            headers={"Authorization": f"AWS4-HMAC-SHA256 Credential={self.account}/20260101/us-east-1/route53/"
                                      "aws4_request, SignedHeaders=host, Signature=0"})
        urllib.request.urlopen(request, timeout=10).read()

    def test_a_private_zone_is_marked_as_private(self):
        route53 = self.client("route53")
        made = route53.create_hosted_zone(Name="private.test", CallerReference="p", VPC={
            "VPCRegion": "us-east-1", "VPCId": "vpc-1"})
        self.assertTrue(made["HostedZone"]["Config"]["PrivateZone"])
        self.assertNotIn("DelegationSet", route53.get_hosted_zone(Id=made["HostedZone"]["Id"]))
