"""Facts -> a verdict per serving Region, with the arithmetic shown. Pure.

The rules (design: "Verdict"): a Region is impaired when at least ``judgement.kinds`` kinds of signal are bad, one of
them seen from outside the Region. Readings that share a source count once. A vantage that sees every Region bad says
more about itself than about them: its readings become unknown. Replication never makes a Region impaired, and
AWS Health supports but does not decide. A Region without traffic is judged by canaries and endpoint probes alone.
Everything between healthy and impaired is unknown.
"""

from collections.abc import Collection, Iterable, Sequence

from . import simulate
from .model.app import App
from .model.facts import Facts, Topic
from .model.readings import PENDING, Judged, Level, Reading, SignalKind, Verdict

DECIDING = (SignalKind.ALARM, SignalKind.CANARY, SignalKind.METRIC, SignalKind.ENDPOINT)
WITHOUT_TRAFFIC = (SignalKind.CANARY, SignalKind.ENDPOINT)


def assess(app: App, facts: Facts) -> tuple[Verdict, ...]:
    """One verdict per serving Region, in the config's order."""
    readings = _distinct(_sober(app, facts.readings))
    idle = _without_traffic(app, facts)
    return tuple(_verdict(app, region, readings, idle) for region in app.regions.serving)


def is_enough(app: App, facts: Facts, regions: Collection[str], without: Collection[Topic] = ()) -> bool:
    """Whether no answer still missing could change these Regions' verdicts, and all but signals and answers is in.

    What is missing is taken as good, as bad and as unknown in turn: a verdict that stays the same is settled.
    ``without``: further topics that need not be in.
    """
    spared = (Topic.SIGNALS, Topic.ANSWERS, *without)
    if any(unread.hanging and unread.topic not in spared for unread in facts.unread):
        return False
    outcomes = {
        tuple(v.verdict for v in assess(app, _supposed(facts, level)) if v.region in regions) for level in Level
    }
    return len(outcomes) == 1


def _supposed(facts: Facts, level: Level) -> Facts:
    supposed = tuple(r.model_copy(update={"level": level}) if r.flag == PENDING else r for r in facts.readings)
    return facts.model_copy(update={"readings": supposed})


def verdict_on(verdicts: Iterable[Verdict], region: str) -> Judged:
    return next((found.verdict for found in verdicts if found.region == region), Judged.UNKNOWN)


def _sober(app: App, readings: Sequence[Reading]) -> list[Reading]:
    """The readings, those of a vantage that sees every serving Region bad turned to unknown."""
    blind = {
        vantage for vantage in {reading.seen_from for reading in readings} if _sees_all_bad(app, vantage, readings)
    }
    return [
        reading.model_copy(update={"level": Level.UNKNOWN, "flag": f"{reading.seen_from} sees every Region bad"})
        if reading.seen_from in blind and reading.level is Level.BAD
        else reading
        for reading in readings
    ]


def _sees_all_bad(app: App, vantage: str, readings: Sequence[Reading]) -> bool:
    levels: dict[str, set[Level]] = {}
    for reading in readings:
        if reading.seen_from == vantage and reading.kind in DECIDING and reading.counts:
            levels.setdefault(reading.region, set()).add(reading.level)
    sees_all = set(levels) >= set(app.regions.serving)
    return sees_all and all(Level.BAD in found and Level.OK not in found for found in levels.values())


def _distinct(readings: Sequence[Reading]) -> list[Reading]:
    """One reading per source: what is known before what is not, what was measured itself before an alarm on it, what
    was seen from outside before what was not, and bad before ok. Never which came first."""

    def rank(reading: Reading) -> tuple[bool, bool, bool, bool]:
        inside = reading.seen_from == reading.region
        return reading.level is Level.UNKNOWN, reading.kind is SignalKind.ALARM, inside, reading.level is Level.OK

    best: dict[tuple[str, str], Reading] = {}
    for number, reading in enumerate(readings):
        key = (reading.region, reading.source or f"#{number}")
        if key not in best or rank(reading) < rank(best[key]):
            best[key] = reading
    return list(best.values())


def _verdict(app: App, region: str, readings: Sequence[Reading], idle: Collection[str]) -> Verdict:
    kinds = WITHOUT_TRAFFIC if region in idle else DECIDING
    counted = [r for r in readings if r.region == region and r.counts and r.kind in kinds]
    bad = [reading for reading in counted if reading.level is Level.BAD]
    ok = [reading for reading in counted if reading.level is Level.OK]
    bad_kinds = tuple(kind for kind in kinds if any(reading.kind is kind for reading in bad))
    judged, why = _judge(app, region, counted, ok, bad)
    if kinds is WITHOUT_TRAFFIC:
        why += "; no traffic: canaries and probes alone decide"
    return Verdict(
        region=region,
        verdict=judged,
        why=why + _support(region, readings),
        bad_kinds=bad_kinds,
        ok=len(ok),
        bad=len(bad),
        unknown=len(counted) - len(ok) - len(bad),
    )


def _without_traffic(app: App, facts: Facts) -> frozenset[str]:
    """Regions that surely get none of any routed name's traffic; unread traffic is not none."""
    shares = [simulate.shares(app, route, facts) for route in app.routing]
    return frozenset(region for region in app.regions.serving if all(share[region] == 0.0 for share in shares))


def _judge(
    app: App, region: str, counted: Sequence[Reading], ok: Sequence[Reading], bad: Sequence[Reading]
) -> tuple[Judged, str]:
    need = app.judgement.kinds
    bad_kinds = {reading.kind for reading in bad}
    outside = [reading for reading in bad if reading.seen_from != region]
    if bad:
        why = f"{_count(bad_kinds, 'kind')} of signal bad ({', '.join(sorted(bad_kinds))}), {need} needed"
        why += f"; {len(outside)} seen from outside" if outside else "; none seen from outside"
        enough = len(bad_kinds) >= need and (bool(outside) or not app.judgement.outside)
        return (Judged.IMPAIRED if enough else Judged.UNKNOWN), why
    ok_kinds = {reading.kind for reading in ok}
    wanted = min(need, len({reading.kind for reading in counted}))
    why = f"{_count(ok_kinds, 'kind')} of signal ok ({', '.join(sorted(ok_kinds)) or 'none'}), 0 bad"
    unread = len(counted) - len(ok)
    if unread:
        why += f", {unread} of {len(counted)} unknown"
    if not ok or len(ok_kinds) < wanted:
        return Judged.UNKNOWN, why + f"; {max(wanted, 1)} needed to call it healthy"
    return Judged.HEALTHY, why


def _support(region: str, readings: Sequence[Reading]) -> str:
    events = [r for r in readings if r.region == region and r.kind is SignalKind.HEALTH_EVENTS and r.level is Level.BAD]
    return "; AWS Health agrees: " + events[0].evidence if events else ""


def _count(things: Iterable[object], noun: str) -> str:
    number = len(list(things))
    return f"{number} {noun}" + ("" if number == 1 else "s")


def data_at_risk(app: App, readings: Sequence[Reading], source: Sequence[str]) -> str:
    """What may not have reached the other Regions yet, in words: writes of the last seconds, or that nobody knows."""
    lags = [r for r in readings if r.kind is SignalKind.REPLICATION and r.region in source and r.counts]
    if not lags:
        return "not measured: no replication signal for " + ", ".join(source) if source else "none"
    known = [reading for reading in lags if reading.lag_s is not None]
    unknown = sorted({reading.subject for reading in lags if reading.lag_s is None})
    said = []
    if known:
        worst = max(known, key=lambda reading: reading.lag_s or 0.0)
        said.append(f"writes of about the last {worst.lag_s:.1f} s in {worst.region} (worst: {worst.subject})")
    if unknown:
        said.append(f"unknown for {', '.join(unknown)}")
    return "; ".join(said)
