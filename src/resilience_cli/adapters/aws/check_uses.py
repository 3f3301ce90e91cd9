"""What else in the account uses the app's health checks: forcing one moves whoever answers by it.

Records of any hosted zone may name a health check of the account (Route 53 API reference, ``HealthCheckId`` of a
``ResourceRecordSet``), and no call lists them by check. So every zone is listed, within bounds: Route 53 takes few
requests a second from an account, and a look must end. What was not looked at is said, never taken for unused.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from ...errors import AwsTrouble, Denied, NotFound
from ...model.app import App
from ...model.facts import CheckUse
from ...model.records import Zone
from ...simulate import names_zone
from .route53 import Records
from .zones import Zones


class Bounds(NamedTuple):
    """How much is looked at, and for how many seconds what was found whole is not asked for again."""

    zones: int = 50
    records: int = 5000
    look_s: float = 10.0
    good_for_s: float = 120.0


BOUNDS = Bounds()


class Elsewhere(NamedTuple):
    """Uses of the app's checks outside its zones; ``missed`` says what was not looked at ("" for nothing)."""

    uses: tuple[CheckUse, ...]
    missed: str


class CheckUses:
    """The account's other zones, looked at for the app's health checks."""

    def __init__(self, zones: Zones, records: Records, bounds: Bounds = BOUNDS) -> None:
        self._zones = zones
        self._records = records
        self._bounds = bounds
        self._lock = threading.Lock()
        self._known: tuple[float, frozenset[str], Elsewhere] | None = None

    def elsewhere(self, app: App, ids: Collection[str]) -> Elsewhere:
        """Raises AwsTrouble where not even the zones could be listed."""
        wanted = frozenset(ids)
        with self._lock:
            known = self._known
        if known is not None and wanted <= known[1] and time.monotonic() - known[0] < self._bounds.good_for_s:
            return known[2]
        found = self._look(app, wanted)
        if not found.missed:
            with self._lock:
                self._known = (time.monotonic(), wanted, found)
        return found

    def _look(self, app: App, wanted: frozenset[str]) -> Elsewhere:
        uses: list[CheckUse] = []
        missed: list[str] = []
        more = self._allowance()
        for number, zone in enumerate(self._others(app)):
            if number >= self._bounds.zones:
                missed.append(f"more than {self._bounds.zones} other hosted zones")
                break
            try:
                uses += self._uses(zone, wanted, more)
            except NotFound:
                continue  # deleted since it was listed
            except Denied as denied:
                missed.append(f"zone {zone.name} {zone.id}: {denied.message}")
            except (AwsTrouble, _Enough) as trouble:
                missed.append(f"zone {zone.name} {zone.id} and those after it: {trouble}")
                break
        return Elsewhere(tuple(uses), "; ".join(missed))

    def _others(self, app: App) -> Iterator[Zone]:
        zones = self._zones.every()
        return (zone for zone in zones if not any(names_zone(route, zone) for route in app.routing))

    def _uses(self, zone: Zone, wanted: frozenset[str], more: Callable[[], None]) -> Iterator[CheckUse]:
        for record in self._records.each(zone):
            more()
            if record.health_check_id in wanted and record.health_check_id is not None:
                yield CheckUse(
                    check_id=record.health_check_id, zone_id=zone.id, zone=zone.name, name=record.name, type=record.type
                )

    def _allowance(self) -> Callable[[], None]:
        """To be called for each record: raises _Enough when there were too many, or they took too long."""
        end, left = time.monotonic() + self._bounds.look_s, self._bounds.records

        def more() -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise _Enough(f"more than {self._bounds.records} records")
            if time.monotonic() > end:
                raise _Enough(f"not within {self._bounds.look_s:g} s")

        return more


class _Enough(Exception):
    """The bounds are reached."""
