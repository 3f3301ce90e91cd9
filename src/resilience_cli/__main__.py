"""``python -m resilience_cli`` is ``resil``."""

import os

from resilience_cli.loopback import LOOPBACK_ONLY, refuse_the_rest

if os.environ.get(LOOPBACK_ONLY):
    refuse_the_rest()  # before anything else is imported

from resilience_cli.cli import main

main()
