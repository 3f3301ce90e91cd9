"""``python -m resilience_cli`` is ``resil``."""

from resilience_cli.cli import main

main()
