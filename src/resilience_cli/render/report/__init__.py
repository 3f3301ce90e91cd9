"""The report of a run: journal entries -> one ``Report`` -> a page, markdown or JSON.

Inside: ``build`` (the whole), ``story`` (steps, approvals, requests), ``measures`` (RTO and RPO), ``shares`` (who was
to get which share, over time), ``clients`` (a drill's figures), ``charts`` (geometry), ``page`` and ``prose``.
"""

from .build import Source, build
from .clients import clients_of
from .page import page
from .program import report_json
from .prose import prose

__all__ = ["Source", "build", "clients_of", "page", "prose", "report_json"]
