"""The World port against AWS: what to read for an app, how to perform an effect, and whether it is in sync."""

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import assert_never

from ...errors import Malformed
from ...model.app import Alarms, App, Canaries, Endpoints, HealthEvents, Metric, Replication
from ...model.effects import CheckEffect, ControlsEffect, Effect, Receipt, WeightsEffect
from ...model.facts import EndpointOverride, Knowledge, Seen, Topic, ZoneRecords
from ...model.records import Zone
from ...ports import Read
from .caller import caller
from .check_uses import CheckUses
from .checks import Checks
from .controls import Cluster
from .overrides import overrides
from .reading import Now, legible
from .route53 import Records
from .routed import Routed
from .session import Sessions
from .signals import alarms, canaries, endpoints, health_events, metrics, replication
from .zones import CONTROL_PLANE, Zones

RESOLVER = "RESIL_DNS"


class AwsWorld:
    """AWS, as one app is seen in it. Nothing is asked before a read's ``ask`` or ``perform`` is called."""

    def __init__(
        self,
        sessions: Sessions,
        app: App,
        *,
        now: Now,
        resolver: str | None = None,
        chance: random.Random | None = None,
    ) -> None:
        """``resolver``: the name server to ask; default RESIL_DNS, else the config's, else the zone's own."""
        self._sessions = sessions
        self._now = now
        self._resolver = resolver or os.environ.get(RESOLVER) or None
        self._records = Records(sessions)
        self._checks = Checks(sessions)
        zones = Zones(sessions)
        uses = CheckUses(zones, self._records)
        self._routed = Routed(zones, self._records, self._checks, uses, self._resolver)
        self._cluster = Cluster(app.arc, sessions, chance or random.Random()) if app.arc else None

    def reads(self, app: App, topics: frozenset[Topic]) -> Sequence[Read]:
        return [_legible(read) for read in self._reads(app, topics)]

    def _reads(self, app: App, topics: frozenset[Topic]) -> Iterator[Read]:
        if Topic.CALLER in topics:
            home = app.regions.standby[0]
            yield Read(Topic.CALLER, "caller", home, lambda: self._caller(app))
        yield from self._routed.reads(app, topics)
        if Topic.CONTROLS in topics:
            yield from self._controls(configured_controls(app), None)
        if Topic.SIGNALS in topics:
            yield from self._signals(app)

    def _caller(self, app: App) -> Seen:
        return Seen(caller=caller(app, self._sessions))

    def _controls(self, arns: tuple[str, ...], avoid: str | None) -> Iterator[Read]:
        cluster = self._cluster
        if cluster is None or not arns:
            return

        def ask() -> Seen:
            return Seen(controls=cluster.read(arns, avoid=avoid))

        yield Read(Topic.CONTROLS, f"{len(arns)} routing controls", "ARC cluster", ask)

    def _signals(self, app: App) -> Iterator[Read]:
        yield from metrics.reads(tuple(app.signals_of(Metric)), app, self._sessions, self._now)
        for spec in app.signals:
            match spec:
                case HealthEvents():
                    yield from health_events.reads(spec, app, self._sessions, self._now)
                case Alarms():
                    yield from alarms.reads(spec, app, self._sessions, self._now)
                case Canaries():
                    yield from canaries.reads(spec, app, self._sessions, self._now)
                case Endpoints():
                    yield from endpoints.reads(spec, app, self._sessions, self._now)
                case Replication():
                    yield from replication.reads(spec, app, self._sessions, self._now)
                case Metric():
                    pass  # all of them above, together
                case _:
                    assert_never(spec)

    def reads_for(self, app: App, effect: Effect) -> Sequence[Read]:
        return [_legible(read) for read in self._reads_for(effect)]

    def _reads_for(self, effect: Effect) -> Iterator[Read]:
        match effect:
            case WeightsEffect():
                yield self._group_read(effect)
            case CheckEffect():
                yield self._check_read(effect)
            case ControlsEffect():
                yield from self._controls(tuple(control.arn for control in effect.controls), effect.avoid)
            case _:
                assert_never(effect)

    def _group_read(self, effect: WeightsEffect) -> Read:
        """The records of the names the effect rewrites, by the zone's id: nothing has to be looked up."""
        zone = Zone(id=effect.zone_id, name=effect.zone_name)
        names = list(dict.fromkeys(record.name for record in (*effect.before, *effect.after)))

        def ask() -> Seen:
            return Seen(zone=ZoneRecords(zone=zone, records=self._records.of_names(zone, names)))

        return Read(Topic.RECORDS, f"records of {', '.join(names)}", CONTROL_PLANE, ask)

    def _check_read(self, effect: CheckEffect) -> Read:
        id_ = effect.check.id

        def ask() -> Seen:
            return Seen(checks=(self._checks.configuration(id_),))

        return Read(Topic.CHECKS, f"health check {id_}", CONTROL_PLANE, ask)

    def perform(self, effect: Effect) -> Receipt:
        match effect:
            case WeightsEffect():
                return self._records.swap(effect)
            case CheckEffect():
                return self._checks.switch(effect)
            case ControlsEffect():
                if self._cluster is None:
                    raise Malformed("no ARC cluster is configured (arc.cluster in resil.yaml)")
                return self._cluster.set(effect)
            case _:
                assert_never(effect)

    def in_sync(self, receipt: Receipt) -> Knowledge:
        return "yes" if receipt.change_id is None else self._records.in_sync(receipt.change_id)

    def overrides(self) -> Sequence[EndpointOverride]:
        found = list(overrides(self._sessions))
        return [*found, EndpointOverride(service="dns", url=self._resolver)] if self._resolver else found


def _legible(read: Read) -> Read:
    """Whatever shape an answer has, a look goes on: what cannot be read is unread."""
    return replace(read, ask=legible(read.subject, read.ask))


def configured_controls(app: App) -> tuple[str, ...]:
    """The routing controls that resil.yaml names."""
    named = (endpoint.routing_control for route in app.routing for endpoint in route.endpoints.values())
    return tuple(dict.fromkeys(arn for arn in named if arn is not None))
