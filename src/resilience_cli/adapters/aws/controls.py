"""ARC routing controls by the cluster's data plane: five Regional endpoints with one shared state.

Source: ARC developer guide, "Best practices for routing control" and "Viewing and updating routing control states":
endpoints leave and come back for maintenance, so keep all five, choose one at random and go on to the next; routing
control API reference for the errors. A refusal (AccessDenied, Validation, a safety rule) is the same at every
endpoint and ends the search; no connection, a timeout, a 5xx, EndpointTemporarilyUnavailable and Throttling do not.

``UpdateRoutingControlStates`` sets up to ten controls at once, all or none. The state is set to a value, not toggled,
so asking twice is the same as asking once; but within a rule's ``WaitPeriodMs`` the second request is refused. Whatever
is told after an attempt of unknown end (a refusal, expired credentials) is therefore settled by reading, and where
that cannot be done the whole is of unknown end.
"""

import random
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from queue import Empty, SimpleQueue

from ...errors import (
    AwsTrouble,
    Conflicting,
    Denied,
    Malformed,
    ResilError,
    SafetyRule,
    Throttled,
    Uncertain,
    Unreachable,
)
from ...model.app import Arc, ClusterEndpoint
from ...model.effects import ControlsEffect, ControlState, Receipt
from ...model.facts import RoutingControl
from .reading import legible
from .session import Api, Sessions

CLUSTER = "route53-recovery-cluster"
HEDGE_S = 0.5  # a sound endpoint has answered by then; the next one is asked beside the one that has not
MOST_CONTROLS = 10  # routing control quotas: routing controls per UpdateRoutingControlStates call
NEXT_ENDPOINT = (Uncertain, Unreachable, Throttled)
_RULE = re.compile(r"arn:aws[a-z-]*:route53-recovery-control::\d{12}:controlpanel/[^/\s]+/safetyrule/[0-9A-Za-z]+")
_WAITING = re.compile(r"wait(ing)?[ -]?period", re.IGNORECASE)
_AGAIN = re.compile(r"\b(try|trying|retry|wait)\b.*\b(again|later|until|before)\b|\bplease retry\b", re.IGNORECASE)
"""AWS documents the wait period (``AssertionRule.WaitPeriodMs``) but not the words of its refusal: a rule that asks
to come back is taken to be waiting, for asking again within the step's time does no harm."""

States = dict[str, RoutingControl]


class Cluster:
    """The app's ARC cluster, by the endpoints in its config: nothing is looked up on the day."""

    def __init__(self, arc: Arc, sessions: Sessions, chance: random.Random) -> None:
        self._arc = arc
        self._sessions = sessions
        self._chance = chance
        self._heard: dict[str, bool] = {}

    def read(self, arns: Sequence[str], *, avoid: str | None = None) -> tuple[RoutingControl, ...]:
        """The states of these controls, from the first endpoint that answers. NotFound if one does not exist."""
        states = self._anywhere(arns, self._order(avoid))
        return tuple(states[arn] for arn in arns if arn in states)

    def set(self, effect: ControlsEffect) -> Receipt:
        """Set the controls, if none of them stands otherwise than before or after. Conflicting if one does.

        After one attempt of unknown end nothing but Uncertain is raised: only then does every other error say that
        nothing was changed.
        """
        if len(effect.controls) > MOST_CONTROLS:
            raise Malformed(f"{len(effect.controls)} routing controls in one change; ARC takes {MOST_CONTROLS}")
        endpoints = self._order(effect.avoid)
        uncertain: AwsTrouble | None = None
        last: AwsTrouble = Unreachable("the ARC cluster has no endpoint")
        for number, endpoint in enumerate(endpoints):
            others = [*endpoints[number + 1 :], *endpoints[:number]]
            try:
                return self._set_at(endpoint, effect)
            except Uncertain as trouble:
                last = uncertain = trouble
                if self._holds(effect, others):
                    return Receipt(endpoint=endpoint.endpoint)
            except NEXT_ENDPOINT as trouble:
                last = trouble
            except (AwsTrouble, ResilError) as refusal:
                if uncertain is None:
                    raise
                if self._holds(effect, others):
                    return Receipt(endpoint=endpoint.endpoint)
                raise Uncertain(f"{uncertain.message}; asked again: {refusal}") from refusal
        raise uncertain or last

    def _order(self, avoid: str | None) -> list[ClusterEndpoint]:
        """At random, so that five operators do not all meet the one that is away; then those first that have answered
        this command, and those last that have not, or are in the Region being left."""
        endpoints = list(self._arc.cluster)
        self._chance.shuffle(endpoints)
        silent = [endpoint.endpoint for endpoint in endpoints if self._heard.get(endpoint.endpoint) is False]
        heard = [endpoint.endpoint for endpoint in endpoints if self._heard.get(endpoint.endpoint)]
        return sorted(endpoints, key=lambda e: (e.region == avoid, e.endpoint in silent, e.endpoint not in heard))

    def _set_at(self, endpoint: ClusterEndpoint, effect: ControlsEffect) -> Receipt:
        """One endpoint: look, then set. The look is the compare of a compare-and-swap that the API does not have."""
        self._compare(endpoint, effect)
        entries = [{"RoutingControlArn": c.arn, "RoutingControlState": c.after} for c in effect.controls]
        overridden = {"SafetyRulesToOverride": list(effect.override_rules)} if effect.override_rules else {}
        api = self._sessions.writer(CLUSTER, endpoint.region, endpoint=endpoint.endpoint, elsewhere=True)
        try:
            answer = api.ask("UpdateRoutingControlStates", UpdateRoutingControlStateEntries=entries, **overridden)
        except Conflicting as refusal:
            raise _refused(refusal) from refusal
        request_id = str(answer.get("ResponseMetadata", {}).get("RequestId", ""))
        if not request_id:
            # ARC's answer has no members; the id that every AWS service gives is all that tells it from a proxy's page.
            raise Uncertain(f"{endpoint.endpoint}: an answer without a request id, which is not ARC's")
        return Receipt(request_id=request_id, endpoint=endpoint.endpoint)

    def _compare(self, endpoint: ClusterEndpoint, effect: ControlsEffect) -> None:
        """Conflicting where a control stands as neither before nor after. An endpoint that cannot be read is not
        written to: Unreachable or Throttled, for no change was asked for."""
        try:
            states = self._at(endpoint, [control.arn for control in effect.controls])
        except Denied:
            return  # allowed to set and not to look: the safety rules still stand
        except Uncertain as trouble:
            raise Unreachable(f"{trouble.message} (looked before setting; nothing was changed)") from trouble
        for control in effect.controls:
            found = states[control.arn].state if control.arn in states else None
            if found not in (control.before, control.after):
                raise Conflicting(f"routing control {control.arn} is {found or 'gone'}, {control.before} expected")

    def _holds(self, effect: ControlsEffect, endpoints: Iterable[ClusterEndpoint]) -> bool:
        """Whether all controls are seen as after. Not seen is no."""
        try:
            states = self._anywhere([control.arn for control in effect.controls], endpoints)
        except (AwsTrouble, ResilError):
            return False
        return all(c.arn in states and states[c.arn].state == c.after for c in effect.controls)

    def _anywhere(self, arns: Sequence[str], endpoints: Iterable[ClusterEndpoint]) -> States:
        """From the first that answers: one after the other, the next as soon as one fails or has taken ``HEDGE_S``."""
        answers: SimpleQueue[States | Exception] = SimpleQueue()
        waiting = list(endpoints)
        asked = 0
        last: Exception = Unreachable("the ARC cluster has no endpoint")
        while waiting or asked:
            if waiting:
                self._ask_beside(waiting.pop(0), arns, answers)
                asked += 1
            try:
                answer = answers.get(timeout=HEDGE_S if waiting else None)
            except Empty:
                continue
            asked -= 1
            if not isinstance(answer, Exception):
                return answer
            if not isinstance(answer, NEXT_ENDPOINT):
                raise answer
            last = answer
        raise last

    def _ask_beside(
        self, endpoint: ClusterEndpoint, arns: Sequence[str], answers: SimpleQueue[States | Exception]
    ) -> None:
        def ask() -> None:
            try:
                answers.put(self._at(endpoint, arns))
            except Exception as trouble:  # handed to the caller's thread, which raises what it does not know
                answers.put(trouble)

        threading.Thread(target=ask, daemon=True, name=f"ARC {endpoint.region}").start()

    def _at(self, endpoint: ClusterEndpoint, arns: Sequence[str]) -> States:
        self._heard.setdefault(endpoint.endpoint, False)
        api = self._sessions.reader(CLUSTER, endpoint.region, endpoint=endpoint.endpoint, elsewhere=True)
        states = legible(endpoint.endpoint, lambda: {c.arn: c for c in _states(api, endpoint, arns)})()
        self._heard[endpoint.endpoint] = True
        return states


def _states(api: Api, endpoint: ClusterEndpoint, arns: Sequence[str]) -> Iterator[RoutingControl]:
    """By one list a control panel; one by one where listing is not allowed (both are the cluster's data plane)."""
    try:
        found = {c.arn: c for panel in dict.fromkeys(map(_panel, arns)) for c in _listed(api, endpoint, panel)}
    except Denied:
        found = {}
    for arn in arns:
        yield found[arn] if arn in found else _one(api, endpoint, arn)


def _listed(api: Api, endpoint: ClusterEndpoint, panel: str) -> Iterator[RoutingControl]:
    for page in api.pages("ListRoutingControls", ControlPanelArn=panel):
        for each in page["RoutingControls"]:
            state: ControlState = each["RoutingControlState"]
            yield RoutingControl(
                arn=each["RoutingControlArn"],
                name=each.get("RoutingControlName", ""),
                state=state,
                read_at=endpoint.endpoint,
            )


def _one(api: Api, endpoint: ClusterEndpoint, arn: str) -> RoutingControl:
    answer = api.patiently("GetRoutingControlState", RoutingControlArn=arn)
    state: ControlState = answer["RoutingControlState"]
    return RoutingControl(arn=arn, name=answer.get("RoutingControlName", ""), state=state, read_at=endpoint.endpoint)


def _panel(control: str) -> str:
    """A routing control's ARN begins with its control panel's (ARC developer guide, "Actions, resources")."""
    return control.partition("/routingcontrol/")[0]


def _refused(refusal: Conflicting) -> AwsTrouble:
    """ConflictException is how a safety rule refuses; the message names the rule's ARN ("Overriding safety rules")."""
    rules = tuple(dict.fromkeys(_RULE.findall(refusal.message)))
    waiting = bool(_WAITING.search(refusal.message) or (rules and _AGAIN.search(refusal.message)))
    return SafetyRule(refusal.message, rules=rules, waiting=waiting) if rules or waiting else refusal
