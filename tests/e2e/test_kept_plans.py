"""What was reviewed is what runs: kept plans, and what somebody else does meanwhile."""

import json

from .scene import ALL_EAST, ALL_WEST, EAST, WEST, Scene, meanwhile


def kept(scene: Scene) -> str:
    done = scene.resil("plan", "--to", EAST, "--out", "plan.json")
    assert done.code == 0, done.said
    assert scene.writes() == []
    return "plan.json"


def test_a_kept_plan_is_applied_once(scene: Scene) -> None:
    file = kept(scene)
    applied = scene.resil("apply", file, "--yes")
    assert applied.code == 0, applied.said
    assert scene.answers() == ALL_EAST
    again = scene.resil("apply", file, "--yes")
    assert again.code == 8, again.said
    assert "nothing to do any more" in again.said
    assert scene.writes() == ["ChangeResourceRecordSets"]


def test_a_digest_approves_exactly_its_plan(scene: Scene) -> None:
    file = kept(scene)
    digest = json.loads((scene.folder / file).read_text())["digest"]
    wrong = scene.resil("failover", "--to", EAST, "--approve", "0" * 64)
    assert (wrong.code, scene.writes()) == (8, [])
    right = scene.resil("failover", "--to", EAST, "--approve", digest[:12])
    assert right.code == 0, right.said


def test_an_edit_by_somebody_else_makes_the_plan_stale_and_stays(scene: Scene) -> None:
    file = kept(scene)
    theirs = scene.foreign_edit()
    stale = scene.resil("apply", file, "--yes")
    assert stale.code == 8, stale.said
    assert "stale" in stale.said
    assert "nothing was changed" in stale.said
    assert scene.records() == theirs
    assert scene.writes() == ["ChangeResourceRecordSets"]  # their own


def test_a_plan_edited_by_hand_is_refused(scene: Scene) -> None:
    saved = json.loads((scene.folder / kept(scene)).read_text())
    (scene.folder / "digest.json").write_text(json.dumps(saved | {"digest": "0" * 64}))
    shift = next(step for step in saved["plan"]["steps"] if step["effects"])
    shift["effects"][0]["after"][0]["weight"] = 50
    (scene.folder / "weight.json").write_text(json.dumps(saved))
    for refused in scene.at_once(("apply", "digest.json", "--yes"), ("apply", "weight.json", "--yes")):
        assert refused.code == 8, refused.said
        assert "it was edited" in refused.said
    assert scene.writes() == []


def test_an_edit_between_look_and_write_is_left_alone_and_nothing_was_changed(scene: Scene) -> None:
    theirs = []
    with meanwhile(scene.world, "ChangeResourceRecordSets", lambda: theirs.extend(scene.foreign_edit())):
        stale = scene.resil("failover", "--to", EAST, "--yes")
    assert stale.code == 8, stale.said
    assert "someone else changed" in stale.said
    assert scene.records() == theirs
    assert scene.answers() == ALL_WEST


def test_an_edit_in_the_middle_of_a_ramp_stops_it_there(scene: Scene) -> None:
    scene.resil("failover", "--to", EAST, "--yes")
    theirs = []
    with meanwhile(scene.world, "ChangeResourceRecordSets", lambda: theirs.extend(scene.foreign_edit()), number=2):
        stopped = scene.resil("failback", "--yes")
    assert stopped.code == 5, stopped.said
    assert "someone else changed" in stopped.said
    assert "NEXT resil status" in stopped.said  # this plan has no way on; a new one is made from what is there now
    assert scene.records() == theirs
    assert scene.weights() == {WEST: 10, EAST: 90}

    resumed, status = scene.at_once(("runs", "resume", "--yes"), ("status",))
    assert resumed.code == 2, resumed.said
    assert "NEXT resil failback" in status.said
    assert scene.records() == theirs
    anew = scene.resil("failback", "--yes")
    assert anew.code == 0, anew.said
    assert scene.weights() == {WEST: 100, EAST: 0}
    assert {record["TTL"] for record in scene.records()} == {30}
