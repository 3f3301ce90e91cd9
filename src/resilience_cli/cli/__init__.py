"""The command line: parse -> call wiring -> render -> exit code. No logic, and the only layer that prints.

``resil --help`` must be instant, so nothing heavy (pydantic, boto3, rich, yaml) is imported before a command runs.
"""

from typing import NoReturn


def main() -> NoReturn:
    """The ``resil`` command. Exits with a code from the table in README."""
    import gc
    import sys

    gc.set_threshold(50_000)  # a command lives for seconds: looking for cycles while modules load took a tenth of it

    from .entry import run_main

    sys.exit(run_main())
