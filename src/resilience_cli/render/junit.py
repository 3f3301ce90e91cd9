"""JUnit XML for CI: a guard or a step is a test case; a guard that says no, or a step that did not end well, fails.

The shape most CI systems read: testsuites > testsuite (name, tests, failures, skipped) > testcase (classname, name).
"""

from collections.abc import Iterable, Sequence
from typing import assert_never
from xml.etree import ElementTree as Xml

from ..model.facts import EndpointOverride
from ..model.plan import Decision, Finding, NothingToDo, Plan, Refusal, Says
from ..model.run import StepRun, StepState
from .plain import clean
from .text_plan import asked_words
from .text_run import OUTCOME_WORD, Ending


def junit(decision: Decision | None, ending: Ending | None, overrides: Sequence[EndpointOverride] = ()) -> str:
    """One suite for the guards, one for the steps; either may be absent."""
    root = Xml.Element("testsuites", name="resil")
    if decision is not None:
        root.append(_guards(decision, overrides))
    if ending is not None:
        root.append(_steps(ending, overrides))
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _guards(decision: Decision, overrides: Sequence[EndpointOverride]) -> Xml.Element:
    name = f"{asked_words(decision.intent, decision.app)}: guards"
    match decision:
        case Plan() | Refusal():
            return _suite(name, [_guard(guard) for guard in decision.guards], overrides)
        case NothingToDo():
            case = _case("plan", "nothing to do")
            Xml.SubElement(case, "skipped", message=clean(decision.why))
            return _suite(name, [case], overrides)
        case _:
            assert_never(decision)


def _guard(guard: Finding) -> Xml.Element:
    case = _case("guard", guard.name)
    if guard.says is Says.NO:
        Xml.SubElement(case, "failure", message=clean(guard.why)).text = clean(guard.cure)
    elif guard.says is not Says.YES:
        Xml.SubElement(case, "system-out").text = clean(f"{guard.says}: {guard.why}")
    return case


def _steps(ending: Ending, overrides: Sequence[EndpointOverride]) -> Xml.Element:
    run = ending.run
    cases = [_step(step) for step in run.steps]
    last = _case("run", "outcome")
    if ending.exit_code:
        failure = Xml.SubElement(last, "failure", message=clean(f"{OUTCOME_WORD[run.outcome]}: {run.why}"))
        failure.text = clean(ending.next_command)
    return _suite(f"{asked_words(run.plan.intent, run.plan.app)}: run {run.run}", [*cases, last], overrides)


def _step(step: StepRun) -> Xml.Element:
    case = _case("step", step.id)
    if step.started_at and step.finished_at:
        case.set("time", f"{(step.finished_at - step.started_at).total_seconds():.3f}")
    match step.state:
        case StepState.FINISHED:
            pass
        case StepState.FAILED | StepState.STARTED:
            Xml.SubElement(case, "failure", message=clean(step.evidence or step.state))
        case StepState.SKIPPED | StepState.PENDING:
            Xml.SubElement(case, "skipped", message=clean(step.evidence or step.state))
        case _:
            assert_never(step.state)
    return case


def _case(kind: str, name: str) -> Xml.Element:
    return Xml.Element("testcase", classname=f"resil.{kind}", name=clean(name))


def _suite(name: str, cases: Sequence[Xml.Element], overrides: Iterable[EndpointOverride]) -> Xml.Element:
    def count(tag: str) -> str:
        return str(sum(case.find(tag) is not None for case in cases))

    suite = Xml.Element(
        "testsuite",
        name=clean(name),
        tests=str(len(cases)),
        failures=count("failure"),
        errors="0",
        skipped=count("skipped"),
    )
    properties = [
        Xml.Element("property", name=f"endpoint override: {clean(o.service)}", value=clean(o.url)) for o in overrides
    ]
    if properties:
        Xml.SubElement(suite, "properties").extend(properties)
    suite.extend(cases)
    return suite
