"""STS's GetCallerIdentity for the account a world stands for; its other operations are left to moto."""

from .operations import Answer, perform
from .service import Call


class Sts:
    """A Service of one operation."""

    name = "sts"
    operations = frozenset({"GetCallerIdentity"})

    def __init__(self, account: str) -> None:
        self._account = account

    def handle(self, call: Call) -> Answer:
        return perform({"GetCallerIdentity": self._identity}, call)

    def _identity(self, call: Call) -> Answer:
        arn = f"arn:aws:sts::{self._account}:assumed-role/sandbox/operator"
        return {"Account": self._account, "UserId": f"AROAEXAMPLE:{call.caller}", "Arn": arn}
