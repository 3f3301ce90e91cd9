"""A small asynchronous caller of the sandbox's AWS: JSON-protocol requests over a pool of kept connections.

boto3 costs more per call than an order service may spend here. The signature is only shaped as one: the sandbox reads
the credential scope, which says who asks which service in which Region, and verifies nothing.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .http_async import Answer, Connection, Gone

_AT_ONCE = 64


class Unanswered(Exception):
    """No answer: whether the call took effect is not known."""


@dataclass(frozen=True)
class Api:
    """One service: its signing name, the prefix of its X-Amz-Target, and its JSON protocol's version."""

    signing_name: str
    target: str
    version: str = "1.0"


DYNAMODB = Api("dynamodb", "DynamoDB_20120810")
CLOUDWATCH = Api("monitoring", "GraniteServiceVersion20100801")


@dataclass
class Aws:
    """AWS as one caller in one Region sees it. ``timeout`` bounds each call with its wait for a connection."""

    address: str
    port: int
    caller: str
    region: str
    timeout: float = 2.0
    _idle: list[Connection] = field(default_factory=list)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def ask(self, api: Api, operation: str, params: Mapping[str, Any]) -> Answer:
        """One call, tried once. Raises Unanswered."""
        try:
            async with asyncio.timeout(self.timeout), self._room:
                return await self._exchange(api, operation, json.dumps(params).encode())
        except TimeoutError as problem:
            raise Unanswered(f"{operation}: no answer in {self.timeout:g} s") from problem
        except (OSError, Gone) as problem:
            raise Unanswered(f"{operation}: {problem}") from problem

    async def _exchange(self, api: Api, operation: str, body: bytes) -> Answer:
        connection = self._kept() or await Connection.open(self.address, self.port)
        done = False
        try:
            answer = await connection.ask("POST", "/", body, self._headers(api, operation))
            done = connection.is_reusable
            return answer
        finally:
            if done:
                self._idle.append(connection)
            else:
                connection.close()

    def _kept(self) -> Connection | None:
        while self._idle:
            if (connection := self._idle.pop()).is_reusable:
                return connection
            connection.close()
        return None

    def _headers(self, api: Api, operation: str) -> dict[str, str]:
        scope = f"{self.caller}/20260101/{self.region}/{api.signing_name}/aws4_request"
        return {
            "Content-Type": f"application/x-amz-json-{api.version}",
            "X-Amz-Target": f"{api.target}.{operation}",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        }

    def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()


def code_of(answer: Answer) -> str:
    """The error code of a refusal in AWS's JSON protocol."""
    return str(answer.json().get("__type", "")).rpartition("#")[2] or str(answer.status)
