"""What ``resil status`` shows in one screen: where traffic goes and why, the verdicts, and the next command."""

from datetime import datetime

from .base import Region, Value
from .facts import Answer, Caller, EndpointOverride, Unread
from .readings import Judged, Reading, Verdict


class RegionStatus(Value):
    """One Region. ``share`` is 0-1 of the public name's traffic; None where it was not measured."""

    name: Region
    role: str
    verdict: Judged
    share: float | None
    why: str


class RouteStatus(Value):
    """One routed name: each Region's share, why it is so, whether that is home, and how it would be moved.

    ``levers_home``: every lever is as at home; ``at_home``: so, and traffic goes there. None where it is not known.
    """

    name: str
    type: str
    policy: str
    shares: dict[Region, float | None]
    why: str
    levers_home: bool | None = None
    at_home: bool | None
    lever: str
    lever_why: str


class Status(Value):
    """The whole screen. ``at_home`` is None where that could not be read; ``account_problem`` says where the account
    these facts are of is not known to be the one that resil.yaml pins ("" where it is)."""

    app: str
    observed_at: datetime
    caller: Caller | None
    account_problem: str = ""
    regions: tuple[RegionStatus, ...]
    routes: tuple[RouteStatus, ...]
    verdicts: tuple[Verdict, ...]
    readings: tuple[Reading, ...]
    answers: tuple[Answer, ...]
    unread: tuple[Unread, ...]
    overrides: tuple[EndpointOverride, ...]
    data_at_risk: str
    at_home: bool | None
    recommendation: str
    unfinished_run: str = ""
