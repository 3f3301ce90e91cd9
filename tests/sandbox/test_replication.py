"""Replication of the global tables' items over moto, in a time that only moves when told to."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from resilience_cli.model.ledger import Arrived, Ledger, Pending, Suppressed
from resilience_cli.sandbox.behind import Moto
from resilience_cli.sandbox.cloudwatch_metrics import MetricStore, Stat
from resilience_cli.sandbox.orders_resources import CALLER, DYNAMODB
from resilience_cli.sandbox.replication import Replication
from resilience_cli.sandbox.replication_copies import Copies
from resilience_cli.sandbox.replication_ledger import Clock, WriteLedger
from resilience_cli.sandbox.replication_links import Links
from resilience_cli.sandbox.service import AwsError, Call
from resilience_cli.sandbox.tables import GlobalTable, GlobalTables, lag_key

WEST, EAST, OHIO = "us-west-2", "us-east-1", "us-east-2"
NOON = 1_792_238_400.0


@dataclass
class Sky:
    """moto with three Regions' tables, replicated in a time that only moves when told to. Lag is 1 s everywhere."""

    moto: Moto = field(default_factory=Moto)
    metrics: MetricStore = field(default_factory=MetricStore)
    elapsed: float = 0.0
    set_back: float = 0.0

    def __post_init__(self) -> None:
        clock = Clock(lambda: NOON + self.elapsed - self.set_back, lambda: self.elapsed)
        self.tables = GlobalTables(self.metrics, lambda call: self.moto.ask(call, DYNAMODB))
        self.tables.set_lag(1000)
        self.replication = Replication(self.tables, Copies(clock), self.metrics, clock)
        self.replication.background = False
        self.moto.settled = self.replication.collect
        self.make("Orders", {"id": "S"})
        self.make("Visits", {"shop": "S", "visit": "N"})

    def make(self, name: str, keys: dict[str, str], consistency: str = "EVENTUAL") -> None:
        schema = [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)]
        types = [{"AttributeName": key, "AttributeType": type_} for key, type_ in keys.items()]
        for region in (WEST, EAST, OHIO):
            common = {"TableName": name, "KeySchema": schema, "AttributeDefinitions": types}
            self.ask(region, "CreateTable", **common, BillingMode="PAY_PER_REQUEST")
        self.tables.add(GlobalTable(name, (WEST, EAST, OHIO), consistency))
        self.replication.beat()

    def ask(self, region: str, operation: str, **params: Any) -> dict[str, Any]:
        return self.moto.ask(Call("dynamodb", operation, region, CALLER, params), DYNAMODB)

    def put(self, region: str, order: str, amount: int = 1) -> None:
        self.ask(region, "PutItem", TableName="Orders", Item={"id": {"S": order}, "amount": {"N": str(amount)}})

    def update(self, region: str, order: str, amount: int) -> None:
        change = {"UpdateExpression": "SET amount = :n", "ExpressionAttributeValues": {":n": {"N": str(amount)}}}
        self.ask(region, "UpdateItem", TableName="Orders", Key={"id": {"S": order}}, **change)

    def amount(self, region: str, order: str) -> int | None:
        """The order's amount there, None where there is no such order."""
        found = self.ask(region, "GetItem", TableName="Orders", Key={"id": {"S": order}}).get("Item")
        return int(found["amount"]["N"]) if found else None

    def wait(self, seconds: float) -> None:
        self.elapsed += seconds
        self.replication.deliver()

    def ledger(self, table: str = "Orders") -> Ledger:
        return Ledger.model_validate_json(json.dumps(self.replication.extract(table).as_json()))

    def lag(self, source: str, target: str) -> Stat | None:
        found = self.metrics.buckets(lag_key("Orders", source, target), NOON, NOON + 3600, 3600)
        return found.get(int(NOON))


@pytest.fixture
def sky() -> Sky:
    return Sky()


def test_a_write_is_elsewhere_after_the_lag_and_not_before(sky: Sky) -> None:
    sky.put(WEST, "a", 7)
    sky.wait(0.9)
    assert sky.amount(EAST, "a") is None
    sky.wait(0.2)
    assert sky.amount(EAST, "a") == sky.amount(OHIO, "a") == 7
    (write,) = sky.ledger().writes
    assert (write.key, write.region, write.is_new, write.deleted) == (("a",), WEST, True, False)
    assert (write.at.wall, write.at.mono) == (NOON, 0)
    east = write.fates[EAST]
    assert isinstance(east, Arrived)
    assert east.at.mono == pytest.approx(1.1)


def test_what_was_replicated_is_not_replicated_again(sky: Sky) -> None:
    sky.put(WEST, "a")
    sky.wait(2)
    sky.wait(2)
    assert len(sky.ledger().writes) == 1
    assert sky.replication.waiting == 0


def test_updates_removals_batches_and_statements_are_replicated_too(sky: Sky) -> None:
    sky.put(WEST, "gone")
    sky.put(WEST, "kept", 1)
    sky.wait(2)
    sky.update(WEST, "kept", 5)
    sky.ask(WEST, "DeleteItem", TableName="Orders", Key={"id": {"S": "gone"}})
    requests = [{"PutRequest": {"Item": {"id": {"S": order}, "amount": {"N": "3"}}}} for order in ("b1", "b2")]
    sky.ask(WEST, "BatchWriteItem", RequestItems={"Orders": requests})
    sky.ask(WEST, "ExecuteStatement", Statement="INSERT INTO Orders VALUE {'id': 'said', 'amount': 9}")
    sky.wait(2)
    assert [sky.amount(EAST, order) for order in ("kept", "gone", "b1", "b2", "said")] == [5, None, 3, 3, 9]
    assert [write.deleted for write in sky.ledger().writes] == [False, False, False, True, False, False, False]


def test_an_update_that_makes_an_item_is_one_new_write(sky: Sky) -> None:
    sky.update(WEST, "a", 4)
    sky.wait(2)
    (write,) = sky.ledger().writes
    assert write.is_new
    assert sky.amount(EAST, "a") == 4


def test_a_write_that_was_refused_is_not_replicated(sky: Sky) -> None:
    sky.put(WEST, "a")
    with pytest.raises(AwsError, match="conditional request failed"):
        sky.ask(
            WEST,
            "PutItem",
            TableName="Orders",
            Item={"id": {"S": "a"}, "amount": {"N": "2"}},
            ConditionExpression="attribute_not_exists(id)",
        )
    assert len(sky.ledger().writes) == 1


def transaction(*orders: str, failing: bool = False) -> list[dict[str, Any]]:
    puts = [{"Put": {"TableName": "Orders", "Item": {"id": {"S": o}, "amount": {"N": "1"}}}} for o in orders]
    check = {"TableName": "Orders", "Key": {"id": {"S": "none"}}, "ConditionExpression": "attribute_exists(id)"}
    return [*puts, {"ConditionCheck": check}] if failing else puts


def test_a_transaction_is_replicated_item_by_item(sky: Sky) -> None:
    sky.ask(WEST, "TransactWriteItems", TransactItems=transaction("a", "b"))
    sky.wait(2)
    assert sky.amount(EAST, "a") == sky.amount(EAST, "b") == 1


def test_a_transaction_that_was_cancelled_leaves_no_write_and_the_next_write_is_seen(sky: Sky) -> None:
    with pytest.raises(AwsError, match="ConditionalCheckFailed"):
        sky.ask(WEST, "TransactWriteItems", TransactItems=transaction("a", "b", failing=True))
    assert sky.ledger().writes == ()
    sky.put(WEST, "c")
    sky.wait(2)
    assert [write.key for write in sky.ledger().writes] == [("c",)]
    assert sky.amount(EAST, "c") == 1


def test_items_under_way_are_as_they_were_written_whatever_is_written_after(sky: Sky) -> None:
    sky.put(WEST, "a", 1)
    sky.wait(0.5)
    sky.update(WEST, "a", 2)
    sky.wait(0.6)
    assert sky.amount(EAST, "a") == 1
    sky.wait(0.6)
    assert sky.amount(EAST, "a") == 2


def test_a_sort_key_is_part_of_the_key(sky: Sky) -> None:
    for visit in ("1", "2"):
        sky.ask(WEST, "PutItem", TableName="Visits", Item={"shop": {"S": "s"}, "visit": {"N": visit}})
    sky.ask(WEST, "DeleteItem", TableName="Visits", Key={"shop": {"S": "s"}, "visit": {"N": "1"}})
    sky.wait(2)
    (left,) = sky.ask(EAST, "Scan", TableName="Visits")["Items"]
    assert left == {"shop": {"S": "s"}, "visit": {"N": "2"}}
    assert [write.key for write in sky.ledger("Visits").writes] == [("s", "1"), ("s", "2"), ("s", "1")]


def test_of_two_writes_to_one_key_the_later_one_wins_in_every_region(sky: Sky) -> None:
    sky.put(WEST, "a", 1)
    sky.wait(0.1)
    sky.put(EAST, "a", 2)
    sky.wait(2)
    assert [sky.amount(region, "a") for region in (WEST, EAST, OHIO)] == [2, 2, 2]
    first, second = sky.ledger().writes
    assert isinstance(first.fates[EAST], Suppressed)
    assert isinstance(second.fates[WEST], Arrived)
    assert first.is_new
    assert second.is_new


def test_a_later_removal_wins_over_an_earlier_write(sky: Sky) -> None:
    sky.put(WEST, "a", 1)
    sky.wait(2)
    sky.replication.isolate(WEST)
    sky.put(WEST, "a", 5)
    sky.wait(1)
    sky.ask(EAST, "DeleteItem", TableName="Orders", Key={"id": {"S": "a"}})
    sky.replication.rejoin(WEST)
    sky.wait(2)
    assert [sky.amount(region, "a") for region in (WEST, EAST, OHIO)] == [None, None, None]


def test_a_clock_set_back_does_not_let_an_older_write_win(sky: Sky) -> None:
    sky.put(WEST, "a", 1)
    sky.set_back = 60
    sky.put(WEST, "a", 2)
    sky.wait(2)
    assert sky.amount(EAST, "a") == 2


def test_a_stalled_link_holds_writes_one_way_until_it_is_resumed(sky: Sky) -> None:
    sky.replication.stall((WEST, EAST))
    sky.put(WEST, "a")
    sky.put(EAST, "b")
    sky.wait(60)
    assert sky.amount(EAST, "a") is None
    assert sky.amount(OHIO, "a") == sky.amount(WEST, "b") == 1
    assert isinstance(sky.ledger().writes[0].fates[EAST], Pending)
    sky.replication.resume((WEST, EAST))
    sky.wait(0.5)
    assert sky.amount(EAST, "a") is None
    sky.wait(0.6)
    assert sky.amount(EAST, "a") == 1
    assert sky.replication.waiting == 0


def test_an_isolated_region_neither_sends_nor_receives_and_a_newer_write_elsewhere_outlives_its_return(
    sky: Sky,
) -> None:
    sky.put(WEST, "on its way")
    sky.wait(0.5)
    sky.replication.isolate(WEST)
    sky.put(WEST, "held", 1)
    sky.put(WEST, "twice", 1)
    sky.wait(5)
    sky.put(EAST, "twice", 2)
    sky.wait(5)
    assert [sky.amount(EAST, order) for order in ("on its way", "held", "twice")] == [None, None, 2]
    assert sky.amount(WEST, "twice") == 1
    assert sky.amount(OHIO, "twice") == 2
    sky.replication.rejoin(WEST)
    sky.wait(1.1)
    assert [sky.amount(EAST, order) for order in ("on its way", "held", "twice")] == [1, 1, 2]
    assert sky.amount(WEST, "twice") == 2
    fates = {write.key[0]: write.fates for write in sky.ledger().writes if write.region == WEST}
    assert isinstance(fates["held"][EAST], Arrived)
    assert isinstance(fates["twice"][EAST], Suppressed)


def test_a_link_stays_held_while_either_reason_holds_it(sky: Sky) -> None:
    sky.replication.stall((WEST, EAST))
    sky.replication.isolate(WEST)
    sky.put(WEST, "a")
    sky.wait(5)
    sky.replication.rejoin(WEST)
    sky.wait(5)
    assert sky.amount(EAST, "a") is None
    assert sky.amount(OHIO, "a") == 1


def test_latency_is_published_in_the_source_region_as_long_as_it_really_took(sky: Sky) -> None:
    sky.put(WEST, "a")
    sky.wait(1.25)
    sky.put(WEST, "b")
    sky.wait(1.0)
    assert sky.lag(WEST, EAST) == Stat(2.0, 2250.0, 1000.0, 1250.0)
    assert sky.lag(EAST, WEST) is None
    assert lag_key("Orders", WEST, EAST).region == WEST


def test_without_writes_and_while_stalled_there_is_no_latency_and_after_it_the_whole_of_it(sky: Sky) -> None:
    sky.wait(60)
    assert sky.lag(WEST, EAST) is None
    sky.replication.stall((WEST, EAST))
    sky.put(WEST, "a")
    sky.wait(60)
    assert sky.lag(WEST, EAST) is None
    sky.replication.resume((WEST, EAST))
    sky.wait(1)
    told = sky.lag(WEST, EAST)
    assert told is not None
    assert told.high == 61_000


def test_the_worlds_own_writes_give_an_idle_table_a_latency(sky: Sky) -> None:
    sky.replication.background = True
    sky.replication.beat()
    sky.wait(1)
    told = sky.lag(EAST, WEST)
    assert told is not None
    assert told.high == 1000


def test_a_strongly_consistent_table_is_the_same_everywhere_at_once_and_publishes_nothing(sky: Sky) -> None:
    sky.make("Ledger", {"id": "S"}, "STRONG")
    sky.ask(WEST, "PutItem", TableName="Ledger", Item={"id": {"S": "a"}})
    assert sky.ask(EAST, "Scan", TableName="Ledger")["Count"] == 1
    assert not sky.metrics.buckets(lag_key("Ledger", WEST, EAST), NOON, NOON + 60, 60)


def test_less_lag_hurries_what_is_under_way(sky: Sky) -> None:
    sky.tables.set_lag(90_000)
    sky.put(WEST, "a")
    sky.wait(2)
    assert sky.amount(EAST, "a") is None
    sky.tables.set_lag(500)
    sky.replication.hurry()
    sky.wait(0.5)
    assert sky.amount(EAST, "a") == 1


def test_a_table_made_anew_is_watched_again_after_a_beat(sky: Sky) -> None:
    sky.ask(WEST, "DeleteTable", TableName="Orders")
    keys: dict[str, Any] = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    }
    sky.put(EAST, "b")
    sky.wait(2)  # what arrives for a table that is gone is dropped
    sky.ask(WEST, "CreateTable", TableName="Orders", BillingMode="PAY_PER_REQUEST", **keys)
    sky.replication.beat()
    sky.put(WEST, "a")
    sky.wait(2)
    assert sky.amount(EAST, "a") == 1


def test_streams_show_own_and_replicated_writes(sky: Sky) -> None:
    sky.put(WEST, "a")
    sky.wait(2)
    for region in (WEST, EAST):
        arn = sky.ask(region, "DescribeTable", TableName="Orders")["Table"]["LatestStreamArn"]
        assert records(sky.moto, region, arn) == ["INSERT"]


def records(moto: Moto, region: str, arn: str) -> list[str]:
    def ask(operation: str, **params: Any) -> dict[str, Any]:
        return moto.ask(Call("dynamodb", operation, region, CALLER, params), "DynamoDBStreams_20120810")

    (shard,) = ask("DescribeStream", StreamArn=arn)["StreamDescription"]["Shards"]
    start = ask("GetShardIterator", StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    return [record["eventName"] for record in ask("GetRecords", ShardIterator=start["ShardIterator"])["Records"]]


def test_delays_are_spread_over_the_range_by_key_and_alike_for_equal_seeds() -> None:
    links = Links(seed=1)
    delays = [links.delay_s((WEST, EAST), "Orders", f"o{number}") for number in range(200)]
    assert 0.6 <= min(delays) < 0.65
    assert 1.15 < max(delays) <= 1.2
    assert delays == [Links(seed=1).delay_s((WEST, EAST), "Orders", f"o{number}") for number in range(200)]
    assert delays != [Links(seed=2).delay_s((WEST, EAST), "Orders", f"o{number}") for number in range(200)]


def test_one_links_lag_can_differ_until_all_are_set() -> None:
    links = Links()
    links.set_lag((5.0, 5.0), (WEST, EAST))
    assert links.lag_ms((WEST, EAST)) == (5.0, 5.0)
    assert links.lag_ms((EAST, WEST)) == (600.0, 1200.0)
    links.set_lag((7.0, 7.0))
    assert links.lag_ms((WEST, EAST)) == (7.0, 7.0)
    with pytest.raises(ValueError, match="low to high"):
        links.set_lag((9.0, 8.0))


def test_the_ledger_says_how_many_writes_it_has_let_go(sky: Sky) -> None:
    sky.replication.ledger = WriteLedger(kept=2)
    for number in range(5):
        sky.put(WEST, f"o{number}")
    ledger = sky.ledger()
    assert [write.key for write in ledger.writes] == [("o3",), ("o4",)]
    assert ledger.dropped == 3
