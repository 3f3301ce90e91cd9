"""Hosted zones: which one a route means. Looked up once a process, for neither ids nor name servers move.

Source: Route 53 API reference, ``ListHostedZonesByName`` (in order of the reversed name, starting at ``DNSName``),
``HostedZoneConfig.PrivateZone``, ``DelegationSet.NameServers`` (public zones only).
"""

import re
import threading
from collections.abc import Iterator

from ...errors import NotFound, UsageError
from ...model.app import Route
from ...model.records import Zone, fqdn
from .session import Answer, Api, Sessions

CONTROL_PLANE = "us-east-1"  # Route 53's control plane (developer guide, "Route 53 control and data planes")
_ID = re.compile(r"Z[A-Z0-9]{1,31}")
Key = tuple[str, bool]


class Zones:
    """Hosted zones by how the config names them. A zone is looked up by one thread, the others wait for its answer."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._lock = threading.Lock()
        self._locks: dict[Key, threading.Lock] = {}
        self._found: dict[Key, Zone] = {}
        self._servers: dict[str, tuple[str, ...]] = {}

    @property
    def api(self) -> Api:
        return self._sessions.reader("route53", CONTROL_PLANE)

    def of(self, route: Route) -> Zone:
        """The route's zone. NotFound if there is none; UsageError if its name and kind fit several."""
        key = (route.zone, route.private)
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._found:
                self._found[key] = self._look_up(route)
            return self._found[key]

    def name_servers(self, route: Route) -> tuple[str, ...]:
        """The zone's own name servers. Private zones have none that can be asked."""
        zone = self.of(route)
        if not zone.name_servers and not zone.private and zone.id not in self._servers:
            self._servers[zone.id] = self._get(zone.id).name_servers
        return zone.name_servers or self._servers.get(zone.id, ())

    def known(self, route: Route) -> Zone | None:
        """The zone if it was looked up before: no call is made."""
        return self._found.get((route.zone, route.private))

    def every(self) -> Iterator[Zone]:
        """Every hosted zone of the account, as its pages come."""
        start: Answer = {}
        while True:
            page = self.api.patiently("ListHostedZones", MaxItems="100", **start)
            yield from (_zone(found) for found in page["HostedZones"])
            if not page.get("IsTruncated"):
                return
            start = {"Marker": page["NextMarker"]}

    def _look_up(self, route: Route) -> Zone:
        if _ID.fullmatch(route.zone):
            return self._get(route.zone)
        kind = "private" if route.private else "public"
        found = [zone for zone in self._named(fqdn(route.zone)) if zone.private == route.private]
        if not found:
            raise NotFound(f"route53: no {kind} hosted zone named {fqdn(route.zone)}")
        if len(found) > 1:
            ids = ", ".join(zone.id for zone in found)
            raise UsageError(
                f"{len(found)} {kind} hosted zones are named {fqdn(route.zone)}: {ids}",
                hint="give the zone's id as routing.zone",
            )
        return found[0]

    def _get(self, zone_id: str) -> Zone:
        answer = self.api.patiently("GetHostedZone", Id=zone_id)
        servers = answer.get("DelegationSet", {}).get("NameServers", ())
        return _zone(answer["HostedZone"]).model_copy(update={"name_servers": tuple(servers)})

    def _named(self, name: str) -> Iterator[Zone]:
        """Every zone of this name. They come together, so that the first other name ends the search."""
        start: Answer = {"DNSName": name}
        while True:
            page = self.api.patiently("ListHostedZonesByName", MaxItems="100", **start)
            for found in page["HostedZones"]:
                if fqdn(found["Name"]) != name:
                    return
                yield _zone(found)
            if not page.get("IsTruncated"):
                return
            start = {"DNSName": page["NextDNSName"], "HostedZoneId": page["NextHostedZoneId"]}


def bare(id_: str) -> str:
    """``/hostedzone/Z1`` -> ``Z1``: the API gives ids with a path and takes them without."""
    return id_.rpartition("/")[2]


def _zone(found: Answer) -> Zone:
    private = bool(found.get("Config", {}).get("PrivateZone", False))
    return Zone(id=bare(found["Id"]), name=fqdn(found["Name"]), private=private)
