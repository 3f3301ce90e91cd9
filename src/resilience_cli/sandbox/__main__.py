"""``python -m resilience_cli.sandbox``: the detached sandbox's process. Started by ``daemon.up``, ended by SIGTERM."""

import argparse
import contextlib
import os
import sys

from ..errors import ResilError
from .daemon import Options, serve, until_signal


def main() -> int:
    """Serves until told to stop. What went wrong is the last line on stderr, which is the log."""
    parser = argparse.ArgumentParser(prog="resilience_cli.sandbox")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--dns-port", type=int, default=0)
    parser.add_argument("--propagation", type=float, default=1.0)
    options = Options(**vars(parser.parse_args()))
    until = until_signal()
    with contextlib.suppress(PermissionError):  # unless leading a process group already
        os.setsid()  # the terminal's Ctrl-C is not meant for us
    try:
        from .orders import build

        serve(options, os.environ, build, lambda _: None, until)
    except ResilError as problem:
        sys.stderr.write(f"{problem.message}\n")
        return problem.exit_code
    except ImportError as problem:
        sys.stderr.write(f"the sandbox did not start: loading its services failed: {problem}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
