"""The report of a run: what it tells, what it says is missing, and that nothing in it can become markup."""

import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_cli.model.app import Objectives
from resilience_cli.model.drill import CommandRun, DrillResult, FaultTold, Orders, Seen
from resilience_cli.model.ledger import DataLoss
from resilience_cli.model.report import BannerKind, Kept, Report
from resilience_cli.model.run import Closed, Confirmed, Declined, Entry, Failed, Outcome, Resumed
from resilience_cli.model.traffic import Floor, Outage, TrafficSecond
from resilience_cli.render.report import build, clients_of, page, prose, report_json

from . import sample_journal as sample
from .sample import AT, EAST, WEST

WHOLE = sample.journal()


def report_of(entries: Sequence[Entry], **more: object) -> Report:
    return build(sample.source(entries, **more))


class TestWhatAReportTells:
    def test_the_time_from_typing_to_verified_is_set_against_the_objective(self) -> None:
        rto = report_of(WHOLE).rto
        assert (rto.measured_s, rto.objective_s, rto.kept) == (28.9, 300.0, Kept.YES)
        assert "caches may hold the old answer 1 min 0 s longer" in rto.how

    def test_an_objective_that_was_not_kept_is_missed(self) -> None:
        report = report_of(WHOLE, objectives=Objectives(rto=20.0, rpo=1.0))
        assert (report.rto.kept, report.rpo.kept) == (Kept.NO, Kept.NO)

    def test_without_an_objective_nothing_is_kept_or_missed(self) -> None:
        assert report_of(WHOLE, objectives=Objectives()).rto.kept is Kept.UNSET

    def test_the_data_at_risk_is_the_longest_lag_seen_at_the_decision(self) -> None:
        assert report_of(WHOLE).rpo.measured_s == 1.2

    def test_one_table_of_unknown_lag_makes_the_recovery_point_unknown(self) -> None:
        lag, *_ = [r for r in sample.readings() if r.lag_s is not None]
        dark = lag.model_copy(update={"lag_s": None, "subject": "Products"})
        rpo = report_of(sample.journal(readings=(lag, dark))).rpo
        assert (rpo.measured_s, rpo.kept, rpo.how) == (None, Kept.UNKNOWN, "unknown for Products")

    def test_a_step_has_its_before_and_after_its_time_and_its_notes(self) -> None:
        step = report_of(WHOLE).steps[1]
        assert [(c.what, c.before, c.after) for c in step.effects[0].changes] == [
            ("api.example.com A us-west-2", "weight 100", "weight 50"),
            ("api.example.com A us-east-1", "weight 0", "weight 50"),
        ]
        assert (step.from_s, step.took_s) == (10.1, 8.1)
        assert step.notes == ("PENDING after 6 s; Route 53 answers INSYNC within 60 s as a rule",)

    def test_shares_follow_each_confirmed_write(self) -> None:
        series = report_of(WHOLE).configured
        assert series is not None
        assert [(m.second, m.shares) for m in series.moments] == [
            (0.0, {WEST: 1.0, EAST: 0.0}),
            (17.8, {WEST: 0.5, EAST: 0.5}),
            (26.1, {WEST: 0.0, EAST: 1.0}),
        ]

    def test_the_worst_evidence_and_the_loudest_guard_come_first(self) -> None:
        report = report_of(WHOLE)
        assert [r.level for r in report.readings] == ["bad", "bad", "unknown", "unknown", "ok", "ok", "ok"]
        assert [g.says for g in report.guards] == ["overridden", "warns", "yes"]

    def test_who_approved_and_how_and_the_ids_aws_knows_the_writes_by(self) -> None:
        report = report_of(WHOLE)
        assert [(a.by, a.what, a.how) for a in report.approvals] == [
            ("kim on ops-7", "the whole plan", "typed on the terminal")
        ]
        assert [r.request_id[:8] for r in report.requests] == ["1d0e3a52", "5b6f0c11"]

    def test_whoever_resumed_a_run_approves_from_there_on(self) -> None:
        resumed = Resumed(seq=3, at=AT, caller="lee", host="ops-8")
        again = WHOLE[1].model_copy(update={"seq": 4})
        assert [a.by for a in report_of([*WHOLE[:2], resumed, again]).approvals] == ["kim on ops-7", "lee on ops-8"]

    def test_every_entry_is_told(self) -> None:
        assert [told.seq for told in report_of(WHOLE).journal] == [entry.seq for entry in WHOLE]

    def test_an_exercise_an_endpoint_and_a_rehearsal_are_announced(self) -> None:
        report = report_of(sample.journal(endpoints=("route53 http://127.0.0.1:4566",)))
        assert [banner.kind for banner in report.banners] == [BannerKind.NOT_AWS, BannerKind.EXERCISE]
        report = report_of(sample.journal(caller="rehearsal", run="20260730T030003Z-rehearsal"))
        assert BannerKind.REHEARSAL in [banner.kind for banner in report.banners]


class TestWhatIsMissing:
    def test_a_whole_journal_misses_nothing(self) -> None:
        assert report_of(WHOLE).missing == ()

    @pytest.mark.parametrize("end", range(1, len(WHOLE)))
    def test_a_journal_cut_anywhere_still_makes_every_form_of_report(self, end: int) -> None:
        report = report_of(WHOLE[:end])
        assert any("no end" in text for text in report.missing)
        assert report.rto.kept is Kept.UNKNOWN
        assert BannerKind.UNFINISHED in [banner.kind for banner in report.banners]
        assert report.next[-1].command == f"resil runs resume {sample.RUN}"
        assert "What is missing" in page(report)
        assert "Missing:" in prose(report)
        assert json.loads(report_json(report))["missing"]

    def test_a_journal_without_a_plan_says_so_and_nothing_else(self) -> None:
        report = report_of([], trouble="line 1 is not an entry")
        assert report.outcome is None
        assert report.missing[0] == "line 1 is not an entry"
        assert "does not begin with a plan" in report.missing[1]
        assert "does not begin with a plan" in page(report)
        assert report.rto.objective_s == 300.0

    def test_what_cannot_follow_is_left_off_and_named(self) -> None:
        stray = Confirmed(seq=3, at=AT, step="no-such-step", effect=0, evidence="?")
        report = report_of([*WHOLE[:2], stray])
        assert len(report.journal) == 2
        assert "no-such-step" in report.missing[0]

    def test_a_journal_older_than_the_evidence_says_that_it_has_none(self) -> None:
        report = report_of(sample.journal(readings=(), answers=(), unread=()))
        assert any("evidence is not in the journal" in text for text in report.missing)
        assert report.rpo.measured_s is None

    def test_shares_are_not_drawn_beyond_a_write_that_was_never_confirmed(self) -> None:
        series = report_of(WHOLE[:6]).configured
        assert series is not None
        assert (series.until_s, [m.second for m in series.moments]) == (10.2, [0.0])
        assert "never confirmed" in series.ends

    def test_a_declined_write_leaves_the_shares_known(self) -> None:
        declined = Declined(seq=7, at=WHOLE[6].at, step="shift-half", effect=0, why="changed meanwhile")
        report = report_of([*WHOLE[:6], declined])
        assert report.configured is not None
        assert report.configured.ends == ""
        assert "AWS declined it" in report.steps[1].notes[0]

    def test_a_failed_run_does_not_claim_a_recovery_time(self) -> None:
        failed = Failed(seq=8, at=WHOLE[6].at, step="shift-half", why="not INSYNC in 5 min", uncertain=True)
        closed = Closed(seq=9, at=WHOLE[6].at, outcome=Outcome.UNKNOWN, why=failed.why)
        report = report_of([*WHOLE[:7], failed, closed])
        assert (report.exit_code, report.rto.kept) == (6, Kept.UNKNOWN)
        assert "?" in page(report)


class Tags(HTMLParser):
    """Every tag and attribute name of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


class TestThePage:
    def test_a_script_in_a_reason_stays_text(self) -> None:
        html = page(report_of(sample.journal(sample.HOSTILE)))
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
        assert "script" not in Tags(html).tags
        assert "\u202e" not in html, "nothing reverses the reading order"

    @settings(max_examples=15, deadline=None)
    @given(st.text(alphabet=st.sampled_from("<>&\"'{}%/=` \n\u202eax")))
    def test_no_text_of_others_can_add_a_tag_or_an_attribute(self, text: str) -> None:
        plain, hostile = (Tags(page(report_of(sample.journal(reason)))) for reason in ("x", text))
        assert hostile.tags == plain.tags
        assert [name for name, _ in hostile.attributes] == [name for name, _ in plain.attributes]

    def test_nothing_is_fetched_and_no_script_may_run(self) -> None:
        html = page(report_of(WHOLE, clients=sample.clients()))
        tags = Tags(html)
        assert {"script", "img", "iframe", "object", "video"}.isdisjoint(tags.tags)
        assert [value for name, value in tags.attributes if name in ("src", "href")] == ["data:,"]
        assert not re.search(r"url\(|@import|\son\w+=", html)
        assert "default-src &#39;none&#39;" in html or "default-src 'none'" in html

    def test_every_id_is_given_once_and_every_table_has_headers(self) -> None:
        tags = Tags(page(report_of(WHOLE, clients=sample.clients())))
        ids = [value for name, value in tags.attributes if name == "id"]
        assert len(ids) == len(set(ids))
        assert tags.tags.count("table") == tags.tags.count("thead")
        assert ("lang", "en") in tags.attributes

    def test_a_drill_shows_what_its_clients_saw(self) -> None:
        html = page(report_of(WHOLE, clients=sample.clients()))
        for words in ("region-black-holed", "1.08", "10.4 s", "us-west-2: every service black-holed", "did not end"):
            assert words in html
        assert "resil drill region-black-holed --repeat 5" in html


class TestTheOtherForms:
    def test_markdown_has_the_page_s_sections(self) -> None:
        told = prose(report_of(WHOLE, clients=sample.clients()))
        assert [line for line in told.splitlines() if line.startswith("#")] == [
            "# Failover of orders: us-west-2 -> us-east-1",
            "## Where the time went",
            "## Share of traffic, measured at the clients",
            "## Share of traffic, as configured and read back, not measured",
            "## Drill region-black-holed: passed",
            "## What was done",
            "## The evidence, as it stood at the decision",
            "## Guards",
            "## Who approved it",
            "## AWS request ids",
        ]

    def test_markdown_of_others_cannot_become_markup(self) -> None:
        told = prose(report_of(sample.journal(sample.HOSTILE)))
        assert "\\<script>" in told
        assert not re.search(r"(?<!\\)<script>", told)

    def test_json_keeps_the_keys_of_a_run(self) -> None:
        told = json.loads(report_json(report_of(WHOLE)))
        for key in ("schema", "run", "plan_digest", "outcome", "exit_code", "steps", "timings"):
            assert told[key] is not None, key
        assert Report.model_validate(told) == report_of(WHOLE)


class TestADrillsFigures:
    RESULT = DrillResult(
        scenario="region-black-holed",
        passed=False,
        rto_s=11.2,
        floor_s=10.4,
        ratio=1.08,
        orders=Orders(acknowledged=40, lost=1),
        failures=("1 orders lost, at most 0 may be",),
        seen=Seen(
            traffic=(
                TrafficSecond(second=0, requests=10, failed=0, shares={WEST: 1.0}),
                TrafficSecond(second=20, requests=10, failed=5, shares={EAST: 1.0}),
                TrafficSecond(second=21, requests=0, failed=0, shares={}),
            ),
            outages=(Outage(place="home", began=1000.0, steady=1018.5, failed=7),),
            faults=(FaultTold(what="us-west-2 cut off", from_s=5.0),),
            floor=Floor(propagation_s=5.0, ttl_left_s=5.4, drain_s=0.0),
            loss=DataLoss(
                acknowledged=40, missing_at_takeover=("a", "b", "c"), lost=("b", "c"), pending=("c",), rpo_s=0.9
            ),
            takeover_s=16.0,
        ),
        events=(
            CommandRun(argv=("resil", "status"), exit_code=0, stdout="", stderr="", seconds=1.0, writes=()),
            CommandRun(
                argv=("resil", "failover", "--yes"),
                exit_code=0,
                stdout="",
                stderr="",
                seconds=9.0,
                writes=("route53 ChangeResourceRecordSets",),
                typed_s=10.0,
            ),
        ),
    )

    def test_seconds_count_from_the_typing_of_the_command_that_moved_traffic(self) -> None:
        told = clients_of(self.RESULT)
        assert [moment.second for moment in told.traffic] == [-10.0, 10.0, 11.0]
        assert (told.faults[0].from_s, told.takeover_s) == (-5.0, 6.0)

    def test_a_second_without_requests_has_no_failed_share(self) -> None:
        assert [moment.failed for moment in clients_of(self.RESULT).traffic] == [0.0, 0.5, None]

    def test_the_floor_and_the_loss_are_told_part_by_part(self) -> None:
        told = clients_of(self.RESULT)
        assert told.floor_why == "5.0 s until the answer could change, 5.4 s left in the caches then"
        assert told.rpo == "Of 40 acknowledged orders: 3 missing at takeover, 1 held back or under way still, 1 lost."
        assert told.outages[0].lasted_s == 18.5

    def test_a_drill_without_a_run_still_has_its_page(self) -> None:
        report = report_of([], run="", clients=clients_of(self.RESULT))
        assert report.title == "Drill region-black-holed"
        assert (report.rto.measured_s, report.rpo.measured_s) == (11.2, 0.9)
        assert "not passed" in page(report)
        assert "1 orders lost, at most 0 may be" in page(report)

    def test_a_drill_that_measured_nothing_says_so(self) -> None:
        bare = DrillResult(scenario="weighted", passed=True, rto_s=None, floor_s=None, ratio=None)
        report = report_of(WHOLE, clients=clients_of(bare))
        assert report.rto.kept is Kept.UNKNOWN
        assert "Where clients" not in page(report)
