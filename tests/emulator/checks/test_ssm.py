"""Parameter Store of the emulator behaves as `corrections/ssm.py` says."""

from .emulator import Check

TAGS = [{"Key": "zone-delegation:stack-id", "Value": "s"}]


class Parameters(Check):
    def setUp(self):
        super().setUp()
        self.ssm = self.client("ssm")

    def put(self, name="/zone-delegation/dev/name-servers", value="a,b", **more):
        return self.ssm.put_parameter(Name=name, Value=value, Type="StringList", **more)

    def tags(self, name="/zone-delegation/dev/name-servers"):
        return self.ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]

    def test_tags_are_set_by_the_first_write_and_kept_by_an_overwrite(self):
        self.put(Tags=TAGS)
        self.assertEqual(self.tags(), TAGS)
        self.refused("ParameterAlreadyExists", self.put, Tags=[])
        self.refused("ValidationException", self.put, Overwrite=True, Tags=TAGS)
        self.assertEqual(self.put(value="c,d", Overwrite=True)["Version"], 2)
        self.assertEqual(self.tags(), TAGS)
        self.assertEqual(self.ssm.get_parameters(Names=["/zone-delegation/dev/name-servers"])["Parameters"][0]["Type"],
                         "StringList")

    def test_tags_of_a_missing_parameter_are_refused_and_not_kept(self):
        self.refused("InvalidResourceId", self.ssm.add_tags_to_resource, ResourceType="Parameter",
                     ResourceId="/zone-delegation/dev/name-servers", Tags=TAGS)
        self.refused("InvalidResourceId", self.tags)
        self.put()
        self.assertEqual(self.tags(), [])
        self.ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId="/zone-delegation/dev/name-servers",
                                      Tags=TAGS)
        self.ssm.remove_tags_from_resource(ResourceType="Parameter", ResourceId="/zone-delegation/dev/name-servers",
                                           TagKeys=["zone-delegation:stack-id"])
        self.assertEqual(self.tags(), [])

    def test_the_tags_of_a_parameter_are_deleted_with_it(self):
        self.put(Tags=TAGS)
        deleted = self.ssm.delete_parameters(Names=["/zone-delegation/dev/name-servers", "/none"])
        self.assertEqual((deleted["DeletedParameters"], deleted["InvalidParameters"]),
                         (["/zone-delegation/dev/name-servers"], ["/none"]))
        self.put()
        self.assertEqual(self.tags(), [])

    def test_missing_names_are_listed_and_ten_are_the_most(self):
        self.put()
        found = self.ssm.get_parameters(Names=["/zone-delegation/dev/name-servers", "/none"])
        self.assertEqual(([p["Value"] for p in found["Parameters"]], found["InvalidParameters"]), (["a,b"], ["/none"]))
        self.refused("ValidationException", self.ssm.get_parameters, Names=[f"/p{i}" for i in range(11)])

    def test_the_length_of_a_value_is_limited(self):
        self.refused("ValidationException", self.ssm.put_parameter, Name="/long", Value="x" * 4097, Type="String")
        self.refused("ValidationException", self.ssm.put_parameter, Name="/none", Value="", Type="String")

    def test_regions_are_separate(self):
        self.put()
        there = self.client("ssm", "eu-west-1").get_parameters(Names=["/zone-delegation/dev/name-servers"])
        self.assertEqual(there["InvalidParameters"], ["/zone-delegation/dev/name-servers"])
