"""How small things are said: times, shares, ages, and each effect as before -> after."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from ..model.effects import CheckEffect, ControlsEffect, Effect, WeightsEffect
from ..model.records import FORCED_UNHEALTHY, CheckSwitch, RecordSet


@dataclass(frozen=True)
class Change:
    """One line of an effect, in our words."""

    what: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.what}: {self.before} -> {self.after}"


def utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%SZ}"


def clock(at: datetime) -> str:
    return f"{at:%H:%M:%SZ}"


def iso(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def seconds(span: float | None) -> str:
    """``12.3 s``, ``4 min 10 s``; a dash where it was not measured."""
    if span is None:
        return "-"
    if span < 60:
        return f"{span:.1f} s"
    minutes, rest = divmod(round(span), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def about(span: float) -> str:
    """A span that was expected or written down, not measured: ``1 min``, ``30 s``, ``1 min 30 s``."""
    whole = seconds(span if span < 10 else round(span)).replace(".0 s", " s")
    return whole.removesuffix(" 0 s").removesuffix(" 0 min")


def age(span: float | None) -> str:
    """An age in at most four characters, for a column."""
    if span is None:
        return "-"
    for limit, unit, size in ((120, "s", 1), (7200, "m", 60), (172_800, "h", 3600)):
        if span < limit:
            return f"{span / size:.0f}{unit}"
    return f"{min(span / 86_400, 999):.0f}d"


def share(fraction: float | None) -> str:
    """A share of the traffic; what was not measured is never shown as a number."""
    if fraction is None:
        return "not measured"
    percent = fraction * 100
    return f"{percent:.0f}%" if abs(percent - round(percent)) < 0.05 else f"{percent:.1f}%"


def host(name: str) -> str:
    return name.rstrip(".")


def changes(effect: Effect) -> tuple[Change, ...]:
    """What one effect changes, line by line."""
    match effect:
        case WeightsEffect():
            return tuple(_weight_changes(effect))
        case CheckEffect():
            check = effect.check
            return (Change(f"health check {check.id} ({check.region})", switch(check.before), switch(check.after)),)
        case ControlsEffect():
            return tuple(
                Change(f"routing control {_tail(control.arn)} ({control.region})", control.before, control.after)
                for control in effect.controls
            )
        case _:
            assert_never(effect)


def _weight_changes(effect: WeightsEffect) -> Iterator[Change]:
    """Every member of each group is rewritten; those whose weight moves are told."""
    before = {_key(record): record for record in effect.before}
    for record in effect.after:
        was = before.pop(_key(record), None)
        if was != record:
            yield Change(_title(record), _weight(was), _weight(record))
    for gone in before.values():
        yield Change(_title(gone), _weight(gone), "no record")


def _key(record: RecordSet) -> tuple[str, str, str | None]:
    return record.name, record.type, record.set_identifier


def _title(record: RecordSet) -> str:
    return f"{host(record.name)} {record.type} {record.set_identifier or ''}".strip()


def _weight(record: RecordSet | None) -> str:
    return "no record" if record is None else f"weight {record.weight}"


def switch(state: CheckSwitch) -> str:
    """What a health check's switches come to (API: Disabled, Inverted)."""
    if state == FORCED_UNHEALTHY:
        return "forced unhealthy"
    if state.disabled:
        return "disabled (counts as healthy)"
    return "inverted" if state.inverted else "as measured"


def _tail(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def sides(effect: Effect) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The effect's before and after as plain data, for programs."""
    match effect:
        case WeightsEffect():
            return [_record(record) for record in effect.before], [_record(record) for record in effect.after]
        case CheckEffect():
            check = effect.check
            what = {"health_check": check.id, "region": check.region}
            return [what | check.before.model_dump()], [what | check.after.model_dump()]
        case ControlsEffect():
            named = [({"routing_control": c.arn, "region": c.region}, c) for c in effect.controls]
            return [w | {"state": c.before} for w, c in named], [w | {"state": c.after} for w, c in named]
        case _:
            assert_never(effect)


def _record(record: RecordSet) -> dict[str, Any]:
    return {
        "name": record.name,
        "type": record.type,
        "set_identifier": record.set_identifier,
        "weight": record.weight,
    }
