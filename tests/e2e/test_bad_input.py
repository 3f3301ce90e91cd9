"""Everything a user can get wrong: one clear message, exit 2 (or the guard's 3), nothing changed, never a traceback."""

from collections.abc import Callable

from .scene import EAST, LATENCY, WEIGHTED, Ended, Scene, Settings, bare_environment, ended

FAILOVER = ("failover", "--to", EAST, "--yes")


def told_plainly(done: Ended, code: int, *words: str) -> None:
    assert done.code == code, done.said
    assert "Traceback" not in done.err + done.out
    for word in words:
        assert word in done.said, (word, done.said)


def nothing_happened(scene: Scene) -> None:
    assert scene.writes() == []
    assert scene.journals() == []


def route(settings: Settings) -> Settings:
    found: Settings = settings["routing"][0]
    return found


def no_such_record(settings: Settings) -> None:
    route(settings)["record"]["name"] = "apo.example.com"


def no_such_zone(settings: Settings) -> None:
    route(settings)["zone"] = "Z0000000000000000000X"


def another_policy(settings: Settings) -> None:
    route(settings).update(policy="latency", levers=["health-check"], home="latency")


def a_region_without_its_record(settings: Settings) -> None:
    route(settings)["endpoints"][EAST] = {"set_identifier": "orders-mars"}


MISFITS: dict[Callable[[Settings], None], tuple[str, ...]] = {
    no_such_record: ("apo.example.com", "no such record"),
    no_such_zone: ("Z0000000000000000000X", "check routing.zone"),
    another_policy: ("the policy is weighted", "resil.yaml says latency"),
    a_region_without_its_record: ("no record stands for us-east-1", "set_identifier"),
}


def test_a_config_that_does_not_fit_the_world_is_told_in_awss_names(scene: Scene) -> None:
    processes = []
    for edit in MISFITS:
        misfit = scene.beside(edit.__name__)
        misfit.uses(edit=edit)
        processes.append(misfit.begins(*FAILOVER))
    for process, words in zip(processes, MISFITS.values(), strict=True):
        told_plainly(ended(process), 2, *words)
    nothing_happened(scene)


def test_two_records_for_one_region_are_both_named(scene: Scene) -> None:
    check = scene.world.routing.endpoint_checks[EAST]

    def by_check(settings: Settings) -> None:
        for region, endpoint in route(settings)["endpoints"].items():
            endpoint.pop("set_identifier")
            endpoint["health_check"] = scene.world.routing.endpoint_checks[region]

    record = next(each for each in scene.records() if each["HealthCheckId"] == check)
    scene.change(("CREATE", record | {"SetIdentifier": "orders-second"}))
    scene.world.sandbox.calls.clear()
    scene.uses(edit=by_check)
    done = scene.resil(*FAILOVER)
    told_plainly(done, 2, "records stand for us-east-1", "orders-second", f"orders-{EAST}")
    nothing_happened(scene)


def test_another_account_is_refused_and_can_not_be_overridden(scene: Scene) -> None:
    scene.uses(edit=lambda settings: settings.update(account="999999999999"))
    refused, overridden = scene.at_once(FAILOVER, (*FAILOVER, "--override", "account", "--reason", "in a hurry"))
    told_plainly(refused, 3, "account", "999999999999", "123456789012")
    told_plainly(overridden, 2, "can't be overridden")
    nothing_happened(scene)


def test_words_that_do_not_serve_are_answered_with_those_that_do(scene: Scene) -> None:
    commands = {
        ("failover", "--to", "us-est-1", "--yes"): ("us-est-1", "did you mean us-east-1"),
        ("failover", "--to", "eu-west-1", "--yes"): ("eu-west-1", "us-west-2"),
        ("failover", "--yes"): ("--to REGION",),
        ("failover", "--to", EAST): ("no terminal", "--yes"),
        (*FAILOVER, "--override", "everything", "--reason", "x"): ("everything is not a guard",),
        (*FAILOVER, "--override", "drift"): ("--reason",),
        (*FAILOVER, "--mode", "panic"): ("panic",),
        ("plan",): ("which plan?",),
        ("apply", "nowhere.json", "--yes"): ("nowhere.json", "resil plan --out"),
        ("runs", "show", "yesterday"): ("there is no run yesterday",),
        ("runs", "resume", "--yes"): ("no runs yet",),
        ("drill", "plannd"): ("plannd", "planned"),
        ("failoover",): ("No such command",),
    }
    for number in range(0, len(commands), 5):
        some = list(commands)[number : number + 5]
        for command, done in zip(some, scene.at_once(*some), strict=True):
            told_plainly(done, 2, *commands[command])
    nothing_happened(scene)


def test_a_config_that_is_not_there_or_wrong_is_told_by_file_and_line(scene: Scene) -> None:
    lines = (scene.folder / WEIGHTED).read_text().splitlines()
    wrong = [line.replace("standby:", "stanby:").replace("account: '123456789012'", "account: 12") for line in lines]
    (scene.folder / "wrong.yaml").write_text("\n".join(wrong))
    (scene.folder / "torn.yaml").write_text("version: 1\napp: [orders\n")
    (scene.folder / "book.yaml").write_text("version: 1\nname: x\nsteps:\n  - {id: a, step: shft-traffic}\n")
    missing, invalid, torn, book = scene.at_once(
        ("status", "--config", "nowhere.yaml"),
        ("status", "--config", "wrong.yaml"),
        ("validate", "--config", "torn.yaml"),
        (*FAILOVER, "--runbook", "book.yaml"),
    )
    told_plainly(missing, 2, "nowhere.yaml")
    account, standby = (next(n for n, line in enumerate(wrong, 1) if word in line) for word in ("account", "stanby"))
    told_plainly(invalid, 2, f"wrong.yaml:{account}", f"wrong.yaml:{standby}", "stanby", "standby")
    told_plainly(torn, 2, "torn.yaml:")
    told_plainly(book, 2, "book.yaml:4", "shift-traffic")
    nothing_happened(scene)


def test_a_state_folder_that_cannot_be_used_is_told_before_anything_is_changed(scene: Scene) -> None:
    (scene.folder / "occupied").write_text("a file, not a folder\n")
    scene.uses(edit=lambda settings: settings.update(state={"path": "occupied"}))
    status, over = scene.at_once(("status",), FAILOVER)
    told_plainly(over, 2, "occupied")
    told_plainly(status, status.code)
    nothing_happened(scene)


def test_without_credentials_there_is_one_clear_line(scene: Scene) -> None:
    env = {**bare_environment(scene.folder), "RESIL_CONFIG": str(scene.folder / LATENCY)}
    scene.uses(LATENCY)
    done = scene.resil(*FAILOVER, env=env)
    told_plainly(done, 2, "AWS credentials", "set AWS_PROFILE")
    assert len(done.err.strip().splitlines()) <= 2
    told_plainly(scene.resil("status", env={**env, "AWS_PROFILE": "nobody"}), 2, "nobody")
    nothing_happened(scene)


def test_a_sandbox_that_is_gone_is_told_and_not_taken_for_a_dead_region(scene: Scene) -> None:
    gone = {**scene.environment(), "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    status = scene.resil("status", "--check", env=gone)
    told_plainly(status, 11, "NOT AWS", "http://127.0.0.1:9")
    over = scene.resil(*FAILOVER, "--mode", "emergency", env=gone)
    told_plainly(over, 3, "account")
    nothing_happened(scene)
