"""The composition root: the only place that knows core and adapters, and puts them together for each command.

Inside: ``setup`` (config, state, World), ``moves`` (look, decide, run, rehearse, resume), ``journals`` (past runs),
``kept_plans`` (plan files), ``reports`` (a run's page), ``sandboxes`` (the local AWS and its drills).
"""

from .journals import damaged_runs, explain_exit, list_runs, newest_run, show_run
from .kept_plans import KeptPlan, load_plan, save_plan
from .moves import Decided, decide, recheck, rehearse, resume, run, status
from .reports import Page, drill_report, keep_page, report
from .sandboxes import Exports, Files, drill, sandbox_calls, sandbox_down, sandbox_up, scenarios
from .setup import Access, Setup, open_app, shipped_runbooks, state_directory, validate

__all__ = [
    "Access",
    "Decided",
    "Exports",
    "Files",
    "KeptPlan",
    "Page",
    "Setup",
    "damaged_runs",
    "decide",
    "drill",
    "drill_report",
    "explain_exit",
    "keep_page",
    "list_runs",
    "load_plan",
    "newest_run",
    "open_app",
    "recheck",
    "rehearse",
    "report",
    "resume",
    "run",
    "sandbox_calls",
    "sandbox_down",
    "sandbox_up",
    "save_plan",
    "scenarios",
    "shipped_runbooks",
    "show_run",
    "state_directory",
    "status",
    "validate",
]
