"""Who was to get which share of a name's traffic, second by second: read off the writes that were confirmed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ...model.effects import WeightsEffect
from ...model.plan import Plan
from ...model.records import RecordSet
from ...model.report import Moment, Series
from ...model.run import Confirmed, Declined, Entry, Performing, Planned
from ..words import host

Group = tuple[str, str]


def configured(entries: Sequence[Entry], regions: Mapping[str, str]) -> Series | None:
    """The first weighted group's shares, from its weights as they were confirmed. None where no weights were to move.

    It ends where a write was asked for and neither confirmed nor declined: from there on it is not known.
    """
    first = entries[0]
    assert isinstance(first, Planned), "a report begins with its plan"
    group = _group(first.plan)
    if group is None:
        return None
    moments, open_since = list(_moments(entries, first, group, regions)), _open_since(entries, first.plan, group)
    until = _at(first, open_since or entries[-1].at)
    return Series(
        title=f"{host(group[0])} {group[1]}",
        measured=False,
        moments=tuple(moment for moment in moments if moment.second <= until),
        until_s=until,
        ends="a change was asked for here and never confirmed" if open_since else "",
    )


def _at(first: Planned, at: datetime) -> float:
    return max(round((at - first.typed_at).total_seconds(), 3), 0.0)


def _group(plan: Plan) -> Group | None:
    for effect in plan.effects:
        if isinstance(effect, WeightsEffect) and effect.before:
            return effect.before[0].name, effect.before[0].type
    return None


def _effect(plan: Plan, step: str, number: int, group: Group) -> WeightsEffect | None:
    """The step's effect, where it moves this group's weights."""
    effect = next((s.effects[number] for s in plan.steps if s.id == step), None)
    moves = isinstance(effect, WeightsEffect) and any((r.name, r.type) == group for r in effect.before)
    return effect if isinstance(effect, WeightsEffect) and moves else None


def _moments(entries: Sequence[Entry], first: Planned, group: Group, regions: Mapping[str, str]) -> Iterator[Moment]:
    start = next(e for e in first.plan.effects if isinstance(e, WeightsEffect) and e.before)
    yield Moment(second=0.0, shares=_shares(start.before, group, regions))
    for entry in entries:
        if isinstance(entry, Confirmed):
            effect = _effect(first.plan, entry.step, entry.effect, group)
            if effect is not None:
                yield Moment(second=_at(first, entry.at), shares=_shares(effect.after, group, regions))


def _shares(records: Sequence[RecordSet], group: Group, regions: Mapping[str, str]) -> dict[str, float]:
    """Route 53 gives each record its weight over the sum of the weights, and all of them the same where every weight
    is 0 (developer guide, "Weighted routing")."""
    members = [record for record in records if (record.name, record.type) == group]
    total = sum(record.weight or 0 for record in members)
    shares: dict[str, float] = {}
    for record in members:
        identifier = record.set_identifier or record.name
        name = regions.get(identifier, identifier)
        shares[name] = shares.get(name, 0.0) + ((record.weight or 0) / total if total else 1 / len(members))
    return shares


def _open_since(entries: Sequence[Entry], plan: Plan, group: Group) -> datetime | None:
    asked: dict[tuple[str, int], datetime] = {}
    for entry in entries:
        match entry:
            case Performing() if _effect(plan, entry.step, entry.effect, group) is not None:
                asked.setdefault((entry.step, entry.effect), entry.at)
            case Confirmed() | Declined():
                asked.pop((entry.step, entry.effect), None)
            case _:
                pass
    return min(asked.values(), default=None)
