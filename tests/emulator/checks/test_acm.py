"""ACM of the emulator behaves as `corrections/acm.py` says."""

import time

from .emulator import BASE_ACCOUNT, BASE_DOMAIN, INSYNC_SECONDS, Check, change, client, new_account, new_zone, ns_change


def base_zone():
    """The id of the base domain's zone, to which the registry delegates."""
    route53 = client("route53", BASE_ACCOUNT)
    zones = route53.list_hosted_zones_by_name(DNSName=BASE_DOMAIN)["HostedZones"]
    for zone in zones:
        if zone["Name"] == BASE_DOMAIN + ".":
            return zone["Id"].removeprefix("/hostedzone/")
    return new_zone(route53, BASE_DOMAIN)[0]


def delegate(account, name, parent_account, parent_zone):
    """A zone in `account` and the NS record set in its parent; the zone's id."""
    zone, servers = new_zone(client("route53", account), name)
    change(client("route53", parent_account), parent_zone,
           ns_change("CREATE", name, [s + "." for s in servers]))
    return zone


class Certificates(Check):
    def described(self, arn, acm=None):
        return (acm or self.client("acm")).describe_certificate(CertificateArn=arn)["Certificate"]

    def with_records(self, arn, acm=None):
        time.sleep(INSYNC_SECONDS + 0.1)
        return self.described(arn, acm)["DomainValidationOptions"]

    def put(self, account, zone, options):
        records = {(o["ResourceRecord"]["Name"], o["ResourceRecord"]["Value"]) for o in options}
        change(client("route53", account), zone,
               *(ns_change("CREATE", name, [value], 300, "CNAME") for name, value in sorted(records)))

    def test_a_new_certificate_is_pending_and_gets_its_records_later(self):
        acm = self.client("acm")
        arn = acm.request_certificate(DomainName="late.example.com", ValidationMethod="DNS")["CertificateArn"]
        first = self.described(arn)
        self.assertEqual(first["Status"], "PENDING_VALIDATION")
        self.assertNotIn("ResourceRecord", first["DomainValidationOptions"][0])
        self.assertNotIn("IssuedAt", first)
        record = self.with_records(arn)[0]["ResourceRecord"]
        self.assertRegex(record["Name"], r"^_[0-9a-f]{32}\.late\.example\.com\.$")
        self.assertRegex(record["Value"], r"^_[0-9a-f]{32}\.[a-z2-7]{10}\.acm-validations\.aws\.$")
        self.assertEqual(record["Type"], "CNAME")

    def test_one_record_for_a_name_and_its_wildcard_in_every_region(self):
        seen = set()
        for region in ("us-east-1", "eu-west-1"):
            acm = self.client("acm", region)
            arn = acm.request_certificate(DomainName="app.example.com", ValidationMethod="DNS",
                                          SubjectAlternativeNames=["*.app.example.com"])["CertificateArn"]
            self.assertIn(f":{region}:", arn)
            options = self.with_records(arn, acm)
            self.assertEqual(len(options), 2)
            seen |= {tuple(sorted(o["ResourceRecord"].items())) for o in options}
        self.assertEqual(len(seen), 1)
        other = client("acm", new_account())
        arn = other.request_certificate(DomainName="app.example.com", ValidationMethod="DNS")["CertificateArn"]
        self.assertNotIn(tuple(sorted(self.with_records(arn, other)[0]["ResourceRecord"].items())), seen)

    def test_issued_only_when_reachable_from_the_base_domain_down(self):
        acm, other = self.client("acm"), new_account()
        name = f"net{self.account[-4:]}.example.com"
        arn = acm.request_certificate(DomainName=f"app.dev.{name}", ValidationMethod="DNS",
                                      SubjectAlternativeNames=[f"*.app.dev.{name}"])["CertificateArn"]
        options = self.with_records(arn)
        # The record is in a zone without a delegation.
        loose, _ = new_zone(self.client("route53"), f"app.dev.{name}")
        self.put(self.account, loose, options)
        self.assertEqual(self.described(arn)["Status"], "PENDING_VALIDATION")
        # A chain of delegations over accounts to another zone of the same name, without the record.
        net = delegate(BASE_ACCOUNT, name, BASE_ACCOUNT, base_zone())
        dev = delegate(other, f"dev.{name}", BASE_ACCOUNT, net)
        app = delegate(self.account, f"app.dev.{name}", other, dev)
        self.assertEqual(self.described(arn)["Status"], "PENDING_VALIDATION")
        # A record above the delegation is occluded.
        self.put(other, dev, options)
        self.assertEqual(self.described(arn)["Status"], "PENDING_VALIDATION")
        self.put(self.account, app, options)
        issued = self.described(arn)
        self.assertEqual(issued["Status"], "ISSUED")
        self.assertEqual({o["ValidationStatus"] for o in issued["DomainValidationOptions"]}, {"SUCCESS"})
        self.assertIn("NotAfter", issued)

    def test_a_delegation_to_other_name_servers_does_not_validate(self):
        acm = self.client("acm")
        name = f"wrong{self.account[-4:]}.example.com"
        arn = acm.request_certificate(DomainName=name, ValidationMethod="DNS")["CertificateArn"]
        options = self.with_records(arn)
        zone, servers = new_zone(self.client("route53"), name)
        self.put(self.account, zone, options)
        base, route53 = base_zone(), client("route53", BASE_ACCOUNT)
        change(route53, base, ns_change("CREATE", name, [s + "." for s in servers[:3]]))
        self.assertEqual(self.described(arn)["Status"], "PENDING_VALIDATION")
        change(route53, base, ns_change("DELETE", name, [s + "." for s in servers[:3]]),
               ns_change("CREATE", name, [s.upper() + "." for s in reversed(servers)]))
        self.assertEqual(self.described(arn)["Status"], "ISSUED")

    def test_not_issued_below_a_ds_record_set_without_its_key(self):
        acm, route53, base = self.client("acm"), client("route53", BASE_ACCOUNT), base_zone()
        name = f"signed{self.account[-4:]}.example.com"
        zone = delegate(self.account, name, BASE_ACCOUNT, base)
        stale, own = f"1 13 2 {'0' * 64}", self.client("route53")
        own.enable_hosted_zone_dnssec(HostedZoneId=zone)
        ds = own.get_dnssec(HostedZoneId=zone)["KeySigningKeys"][0]["DSRecord"]

        arn = acm.request_certificate(DomainName=name, ValidationMethod="DNS")["CertificateArn"]
        options = self.with_records(arn)

        def ends(*values):
            change(route53, base, ns_change("CREATE", name, values, 300, "DS"))
            try:
                arn = acm.request_certificate(DomainName=name, ValidationMethod="DNS")["CertificateArn"]
                return self.described(arn)["Status"]
            finally:
                change(route53, base, ns_change("DELETE", name, values, 300, "DS"))

        self.put(self.account, zone, options)
        # The base domain is not signed: nobody takes the DS record set into account.
        self.assertEqual(ends(stale), "ISSUED")
        route53.enable_hosted_zone_dnssec(HostedZoneId=base)
        try:
            self.assertEqual(ends(stale), "PENDING_VALIDATION")
            self.assertEqual(ends(stale, ds.lower()), "ISSUED")
            own.disable_hosted_zone_dnssec(HostedZoneId=zone)
            self.assertEqual(ends(ds), "PENDING_VALIDATION")
        finally:
            route53.disable_hosted_zone_dnssec(HostedZoneId=base)

    def test_caa_may_forbid_it(self):
        acm, route53 = self.client("acm"), self.client("route53")
        for kind, records, ends in (("no", ['0 issue "letsencrypt.org"'], "FAILED"),
                                    ("yes", ['0 issue "letsencrypt.org"', '0 issue "amazon.com"'], "ISSUED"),
                                    ("wild", ['0 issue "amazon.com"', '0 issuewild ";"'], "FAILED")):
            name = f"caa-{kind}{self.account[-4:]}.example.com"
            zone = delegate(self.account, name, BASE_ACCOUNT, base_zone())
            change(route53, zone, ns_change("CREATE", name, records, 300, "CAA"))
            arn = acm.request_certificate(DomainName=f"a.{name}", ValidationMethod="DNS",
                                          SubjectAlternativeNames=[f"*.a.{name}"])["CertificateArn"]
            self.put(self.account, zone, self.with_records(arn))
            described = self.described(arn)
            self.assertEqual(described["Status"], ends, name)
            self.assertEqual(described.get("FailureReason"), "CAA_ERROR" if ends == "FAILED" else None)

    def test_the_same_token_is_the_same_certificate(self):
        acm = self.client("acm")
        ask = dict(DomainName="token.example.com", ValidationMethod="DNS", IdempotencyToken="t1",
                   Tags=[{"Key": "zone-delegation:stack-id", "Value": "s"}])
        arn = acm.request_certificate(**ask)["CertificateArn"]
        self.assertEqual(acm.request_certificate(**ask)["CertificateArn"], arn)
        self.assertNotEqual(acm.request_certificate(**{**ask, "IdempotencyToken": "t2"})["CertificateArn"], arn)
        self.assertEqual(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"], ask["Tags"])
        acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "k", "Value": "v"}])
        acm.remove_tags_from_certificate(CertificateArn=arn, Tags=[{"Key": "k", "Value": "v"}])
        self.assertEqual(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"], ask["Tags"])

    def test_lists_answer_rsa_2048_unless_asked(self):
        acm = self.client("acm")
        arns = {kind: acm.request_certificate(DomainName="k.example.com", ValidationMethod="DNS",
                                              KeyAlgorithm=kind)["CertificateArn"]
                for kind in ("RSA_2048", "EC_prime256v1")}
        self.assertEqual(self.described(arns["EC_prime256v1"])["KeyAlgorithm"], "EC_prime256v1")
        listed = acm.list_certificates()["CertificateSummaryList"]
        self.assertEqual([c["CertificateArn"] for c in listed], [arns["RSA_2048"]])
        every = acm.list_certificates(Includes={"keyTypes": ["RSA_2048", "EC_prime256v1"]}, MaxItems=1)
        self.assertIn("NextToken", every)
        rest = acm.list_certificates(Includes={"keyTypes": ["RSA_2048", "EC_prime256v1"]}, MaxItems=1,
                                     NextToken=every["NextToken"])
        self.assertEqual({c["CertificateArn"] for page in (every, rest) for c in page["CertificateSummaryList"]},
                         set(arns.values()))
        pending = acm.list_certificates(CertificateStatuses=["ISSUED"])["CertificateSummaryList"]
        self.assertEqual(pending, [])

    def test_a_deleted_certificate_does_not_exist_and_regions_are_separate(self):
        acm = self.client("acm")
        arn = acm.request_certificate(DomainName="deleted.example.com", ValidationMethod="DNS")["CertificateArn"]
        self.refused("ResourceNotFoundException", self.client("acm", "eu-west-1").describe_certificate,
                     CertificateArn=arn)
        acm.delete_certificate(CertificateArn=arn)
        self.refused("ResourceNotFoundException", acm.describe_certificate, CertificateArn=arn)
        self.refused("ResourceNotFoundException", acm.delete_certificate, CertificateArn=arn)
