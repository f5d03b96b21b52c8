"""The rules of the Resource Groups Tagging API, over a catalog."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ingle.catalog import Catalog
from ingle.catalog.tags import TagIndex
from ingle.domain.arn import FunctionArn
from ingle.domain.caller import Caller
from ingle.domain.errors import NotImplementedByIngle, ResourceNotFound
from ingle.domain.function import LATEST, Configuration, Function, FunctionKey, Package, State, Version
from ingle.storage.errors import StorageFull
from ingle.supporting.tagging import TEXTS_PER_PAGE, Tagging
from ingle.supporting.tagging_errors import TaggingInvalidParameter, TaggingTokenExpired


class Clock:
    seconds = 1_700_000_000.0

    def now(self) -> float:
        return self.seconds


class LambdaTags:
    """What Lambda's own operations would be asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def tag_resource(self, caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
        return self._asked(params)

    async def untag_resource(self, caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
        return self._asked(params)

    def _asked(self, params: dict[str, Any]) -> dict[str, Any]:
        if params["Resource"].endswith("missing"):
            raise ResourceNotFound(f"Function not found: {params['Resource']}")
        if params["Resource"].endswith("full"):
            raise StorageFull("no space")
        self.asked.append(params)
        return {}


class World:
    def __init__(self) -> None:
        self.catalog = Catalog()
        self.clock = Clock()
        self.lambda_tags = LambdaTags()
        self.tagging = Tagging(TagIndex(self.catalog), {"lambda": self.lambda_tags}, self.clock)

    async def call(self, operation: str, caller: Caller | None = None, **params: Any) -> dict[str, Any]:
        return await self.tagging.handlers()[operation](caller or Caller(), params)

    def put(self, name: str, tags: dict[str, str] | None, *, region: str = "us-east-1") -> str:
        function = make(name, tags, region)
        self.catalog.put(function)
        return str(FunctionArn.of(function.key))

    async def found(self, **params: Any) -> list[str]:
        """The names that GetResources answers, of all pages."""
        names: list[str] = []
        token = ""
        while True:
            answer = await self.call("GetResources", PaginationToken=token, **params)
            names += [item["ResourceARN"].rpartition(":")[2] for item in answer["ResourceTagMappingList"]]
            token = answer["PaginationToken"]
            if not token:
                return names


def make(name: str, tags: dict[str, str] | None, region: str = "us-east-1") -> Function:
    key = FunctionKey(account="000000000000", region=region, name=name)
    configuration = Configuration(runtime="r", handler="h", role="r", package=Package(digest="d", size=1))
    latest = Version(
        key=key, version=LATEST, configuration=configuration, revision_id="r", serial=1, last_modified=1,
        state=State.ACTIVE,
    )  # fmt: skip
    return Function(key=key, latest=latest, tags=tags)


@pytest.fixture
def world() -> World:
    return World()


def key(name: str, *values: str) -> dict[str, Any]:
    return {"Key": name, "Values": list(values)} if values else {"Key": name}


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([], ["a", "b", "c", "once"]),
        ([key("team", "x")], ["a", "b"]),
        ([key("team", "x", "y")], ["a", "b", "c"]),
        ([key("team")], ["a", "b", "c"]),
        ([{"Key": "team", "Values": []}], ["a", "b", "c"]),
        ([key("team", "x"), key("stage", "live", "test")], ["a", "b"]),
        ([key("team", "x", "y"), key("stage", "live")], ["b", "c"]),
        ([key("team", "x"), key("extra")], ["b"]),
        ([key("Team")], []),
        ([key("team", "X")], []),
        ([key("extra", "")], ["b"]),
        ([key("team", "x"), key("nobody")], []),
        ([key("team", "x"), key("team", "y")], []),
    ],
)
async def test_values_are_alternatives_and_filters_are_all_to_pass(world, filters, names):
    world.put("never", None)
    world.put("once", {})
    world.put("c", {"team": "y", "stage": "live"})
    world.put("b", {"team": "x", "stage": "live", "extra": ""})
    world.put("a", {"team": "x", "stage": "test"})
    assert await world.found(TagFilters=filters) == names


async def test_an_answer_has_the_tags_of_what_it_finds(world):
    arn = world.put("f", {"a": "1", "b": ""})
    once = world.put("g", {})
    assert await world.call("GetResources") == {
        "ResourceTagMappingList": [
            {"ResourceARN": arn, "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]},
            {"ResourceARN": once, "Tags": []},
        ],
        "PaginationToken": "",
    }


async def test_searches_see_every_change(world):
    world.put("f", {"a": "1"})
    world.put("f", {"a": "2", "b": "1"})
    assert await world.found(TagFilters=[key("a", "1")]) == []
    assert await world.found(TagFilters=[key("a", "2")]) == ["f"]
    world.put("f", {"b": "1"})
    assert (await world.call("GetTagKeys"))["TagKeys"] == ["b"]
    world.catalog.remove(make("f", None).key)
    assert await world.found() == []
    assert (await world.call("GetTagKeys"))["TagKeys"] == []
    world.put("f", None)
    assert await world.found() == []


async def test_an_index_that_starts_later_has_it_all(world):
    world.put("f", {"a": "1"})
    function = world.catalog.get(make("f", None).key)
    world.catalog.put(replace(function, tags={"a": "2"}))
    later = TagIndex(world.catalog)
    assert [tags for _, tags in later.find("000000000000", "us-east-1")] == [{"a": "2"}]


async def test_accounts_and_regions_are_apart(world):
    world.put("f", {"a": "1"})
    world.put("g", {"b": "1"}, region="eu-west-1")
    assert (await world.call("GetTagKeys"))["TagKeys"] == ["a"]
    assert (await world.call("GetTagKeys", Caller(region="eu-west-1")))["TagKeys"] == ["b"]
    assert (await world.call("GetTagKeys", Caller(account="1" * 12)))["TagKeys"] == []


@pytest.mark.parametrize(
    ("types", "names"),
    [
        (["lambda:function"], ["f"]),
        (["lambda"], ["f"]),
        (["s3", "lambda:function"], ["f"]),
        (["lambda:layer"], []),
        (["ec2:instance"], []),
        ([], ["f"]),
    ],
)
async def test_types_of_resources(world, types, names):
    world.put("f", {"a": "1"})
    assert await world.found(ResourceTypeFilters=types) == names


async def test_resources_by_arn(world):
    first, second = world.put("f", {"a": "1"}), world.put("never", None)
    once = world.put("once", {})
    elsewhere = world.put("g", {"a": "1"}, region="eu-west-1")
    absent = "arn:aws:s3:::bucket"
    answer = await world.call("GetResources", ResourceARNList=[once, first, second, elsewhere, absent, first])
    assert [item["ResourceARN"] for item in answer["ResourceTagMappingList"]] == [once, first]
    assert answer["PaginationToken"] == ""


async def test_pages_of_resources_while_resources_come_and_go(world):
    for number in range(7):
        world.put(f"f{number}", {"a": "1"})
    first = await world.call("GetResources", ResourcesPerPage=3, TagFilters=[key("a")])
    assert len(first["ResourceTagMappingList"]) == 3
    world.catalog.remove(make("f2", None).key)
    world.put("f00", {"a": "1"})
    world.put("f33", {"a": "1"})
    rest = await world.call(
        "GetResources", ResourcesPerPage=100, TagFilters=[key("a")], PaginationToken=first["PaginationToken"]
    )
    names = [item["ResourceARN"].rpartition(":")[2] for item in rest["ResourceTagMappingList"]]
    assert names == ["f3", "f33", "f4", "f5", "f6"]
    assert rest["PaginationToken"] == ""


@pytest.mark.parametrize("count", [6, 7, 100, 101])
async def test_every_page_but_the_last_is_full(world, count):
    for number in range(count):
        world.put(f"f{number:03}", {"a": "1"})
    for size in (1, 3, 100):
        pages, token = [], ""
        while not pages or token:
            answer = await world.call("GetResources", ResourcesPerPage=size, PaginationToken=token)
            pages.append(len(answer["ResourceTagMappingList"]))
            token = answer["PaginationToken"]
        assert pages == [size] * (count // size) + ([count % size] if count % size else [])


async def test_pages_by_tags_never_split_a_resource(world):
    """The example of the service's documentation, and resources without tags, which count as one."""
    for number in range(22):
        world.put(f"f{number:02}", {f"k{tag}": "v" for tag in range(10)})
    sizes, token = [], ""
    while not sizes or token:
        answer = await world.call("GetResources", TagsPerPage=100, PaginationToken=token)
        sizes.append(len(answer["ResourceTagMappingList"]))
        token = answer["PaginationToken"]
    assert sizes == [10, 10, 2]
    other = World()
    for number in range(101):
        other.put(f"f{number:03}", {})
    answer = await other.call("GetResources", TagsPerPage=100)
    assert len(answer["ResourceTagMappingList"]) == 100
    assert answer["PaginationToken"]


async def test_keys_and_values_are_each_told_once_in_pages(world):
    for number in range(TEXTS_PER_PAGE + 5):
        world.put(f"f{number}", {f"k{number:05}": "v", "one": f"v{number:05}"})
    for operation, member, more in (("GetTagKeys", "TagKeys", {}), ("GetTagValues", "TagValues", {"Key": "one"})):
        first = await world.call(operation, **more)
        second = await world.call(operation, PaginationToken=first["PaginationToken"], **more)
        assert len(first[member]) == TEXTS_PER_PAGE
        assert second["PaginationToken"] == ""
        found = first[member] + second[member]
        assert found == sorted(set(found))
        assert len(found) == TEXTS_PER_PAGE + (6 if operation == "GetTagKeys" else 5)
    assert await world.call("GetTagValues", Key="nobody") == {"TagValues": [], "PaginationToken": ""}


ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"ResourceARNList": [ARN], "TagFilters": [{"Key": "a"}]}, "TagFilters cannot be specified together"),
        ({"ResourceARNList": [ARN], "ResourceTypeFilters": ["lambda"]}, "ResourceTypeFilters cannot"),
        ({"ResourceARNList": [ARN], "ResourcesPerPage": 5}, "ResourcesPerPage cannot"),
        ({"ResourceARNList": [ARN], "TagsPerPage": 100}, "TagsPerPage cannot"),
        ({"ResourceARNList": [ARN], "PaginationToken": "x"}, "PaginationToken cannot"),
        ({"ResourceARNList": ["f"]}, "f is not a valid ARN"),
        ({"ResourcesPerPage": 0}, "Value '0' at 'resourcesPerPage' failed to satisfy constraint: Member must have v"),
        ({"ResourcesPerPage": 101}, "less than or equal to 100"),
        ({"TagsPerPage": 99}, "greater than or equal to 100"),
        ({"TagsPerPage": 501}, "less than or equal to 500"),
        ({"TagFilters": [{"Values": ["a"]}]}, "must contain a key"),
        ({"ResourceTypeFilters": ["lambda"] * 101}, "at most 100"),
        ({"ExcludeCompliantResources": True}, "IncludeComplianceDetails"),
        ({"PaginationToken": "nonsense"}, "PaginationToken is invalid"),
    ],
)
async def test_what_a_search_cannot_ask(world, params, text):
    with pytest.raises(TaggingInvalidParameter, match=text):
        await world.call("GetResources", **params)


async def test_compliance_is_refused_by_name(world):
    with pytest.raises(NotImplementedByIngle, match="IncludeComplianceDetails"):
        await world.call("GetResources", IncludeComplianceDetails=True)


async def test_tokens_are_for_one_kind_of_list_and_a_quarter_of_an_hour(world):
    for number in range(2):
        world.put(f"f{number}", {"a": "1"})
    token = (await world.call("GetResources", ResourcesPerPage=1))["PaginationToken"]
    with pytest.raises(TaggingInvalidParameter, match="PaginationToken"):
        await world.call("GetTagKeys", PaginationToken=token)
    world.clock.seconds += 15 * 60
    assert await world.call("GetResources", PaginationToken=token)
    world.clock.seconds += 1
    with pytest.raises(TaggingTokenExpired):
        await world.call("GetResources", PaginationToken=token)


async def test_what_fails_for_one_resource_is_told_and_stops_nothing(world):
    arns = [ARN, "arn:aws:lambda:us-east-1:000000000000:function:missing", "arn:aws:s3:::b", "nonsense",
            "arn:aws:lambda:us-east-1:000000000000:function:full"]  # fmt: skip
    answer = await world.call("TagResources", ResourceARNList=arns, Tags={"a": "1"})
    assert world.lambda_tags.asked == [{"Resource": ARN, "Tags": {"a": "1"}}]
    failed = answer["FailedResourcesMap"]
    assert [(failed[arn]["StatusCode"], failed[arn]["ErrorCode"]) for arn in arns[1:]] == [
        (404, "ResourceNotFoundException"),
        (400, "InvalidParameterException"),
        (400, "InvalidParameterException"),
        (500, "InternalServiceException"),
    ]
    assert "no resources of the service s3" in failed["arn:aws:s3:::b"]["ErrorMessage"]
    assert await world.call("UntagResources", ResourceARNList=[ARN], TagKeys=["a"]) == {"FailedResourcesMap": {}}
    assert world.lambda_tags.asked[1:] == [{"Resource": ARN, "TagKeys": ["a"]}]


@pytest.mark.parametrize("tags", [{"aws:a": "b"}, {"a": "AWS:b"}, {"a;b": "c"}, {"a": "b\n"}, {"a": "<"}])
async def test_tags_that_no_resource_can_have(world, tags):
    with pytest.raises(TaggingInvalidParameter):
        await world.call("TagResources", ResourceARNList=[ARN], Tags=tags)
    assert world.lambda_tags.asked == []


async def test_tags_of_any_script(world):
    tags = {"städte größe": "日本 1", "a_.:/=+-@": ""}
    assert await world.call("TagResources", ResourceARNList=[ARN], Tags=tags) == {"FailedResourcesMap": {}}


async def test_ten_thousand_resources_are_all_found(world):
    for number in range(10_000):
        world.put(f"f{number:05}", {"all": "yes", "half": str(number % 2), "own": str(number)})
    assert len(await world.found()) == 10_000
    assert len(await world.found(TagFilters=[key("half", "0"), key("all")], ResourcesPerPage=100)) == 5_000
    assert await world.found(TagFilters=[key("all", "yes"), key("own", "7", "9", "none")]) == ["f00007", "f00009"]
