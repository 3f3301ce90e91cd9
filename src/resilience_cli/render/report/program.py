"""The report for programs: the view as it is, so that nothing on the page is missing here."""

from ...model.report import Report
from ..json_out import dumps


def report_json(report: Report) -> str:
    return dumps(report.model_dump(mode="json", by_alias=True))
