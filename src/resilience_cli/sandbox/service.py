"""What a service of the sandbox is: a name and one method from a parsed call to the fields of its answer."""

from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Call:
    """One AWS request, parsed by its service model.

    ``service`` is botocore's name (``route53``, ``cloudwatch``, ``route53-recovery-cluster`` ...), ``region`` the
    Region it counts as, ``caller`` the access key id, ``params`` the input shape's members by their model names,
    ``endpoint`` the Region of the ARC endpoint it came in by (None on the common port).
    """

    service: str
    operation: str
    region: str
    caller: str
    params: dict[str, Any] = field(default_factory=dict)
    endpoint: str | None = None


class AwsError(Exception):
    """A refusal as the real service words it; ``code`` is the error's shape name, ``fields`` its further members."""

    def __init__(self, code: str, message: str, status: int = 400, **fields: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.fields = code, message, status, fields


class Service(Protocol):
    """A strict, small store for one AWS service. Called under one lock: no locking of its own."""

    name: str

    def handle(self, call: Call) -> dict[str, Any]:
        """The output shape's members. Raises AwsError for what the real service refuses."""
        ...
