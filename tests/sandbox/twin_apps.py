"""Three apps of users, quite unlike the reference, for the tests of twins."""

from pathlib import Path

from resilience_cli import sandbox
from resilience_cli.adapters.yaml_files import load_app, load_scenario
from resilience_cli.model.app import App
from resilience_cli.model.scenario import Scenario
from resilience_cli.wiring import shipped_runbooks

HERE = Path(__file__).parent / "twins"
SHOP, BANK, MAPS = (HERE / f"{name}.yaml" for name in ("shop", "bank", "maps"))
RUNBOOKS = {verb: shipped_runbooks() / f"{verb}.yaml" for verb in ("failover", "failback")}


def app(path: Path) -> App:
    return load_app(path)


def scenario(name: str) -> Scenario:
    return load_scenario(Path(sandbox.__file__).parent / "scenarios" / f"{name}.yaml")
