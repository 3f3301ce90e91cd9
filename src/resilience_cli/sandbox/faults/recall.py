"""What was answered before: the answers a stale read gives again."""

import json
import threading
from collections import defaultdict, deque
from datetime import datetime
from typing import Any

from ..listener import Response
from .asked import Asked

_KEPT = 1000  # answers of one question
Key = str


class Recall:
    """The answers of each question with their times. Moments in a question do not count: metrics are asked for anew
    with every minute, and it is the same question."""

    def __init__(self, age: float) -> None:
        self._age = age
        self._answers: dict[Key, deque[tuple[float, Response]]] = defaultdict(lambda: deque(maxlen=_KEPT))
        self._guard = threading.Lock()

    def remember(self, asked: Asked, now: float, response: Response) -> None:
        with self._guard:
            answers = self._answers[_key(asked)]
            answers.append((now, response))
            while len(answers) > 1 and answers[1][0] <= now - self._age:
                answers.popleft()

    def older(self, asked: Asked, now: float) -> Response | None:
        """The last answer at least ``age`` old, else the oldest there is; None where the question is a first one."""
        with self._guard:
            answers = list(self._answers.get(_key(asked), ()))
        old_enough = [response for at, response in answers if at <= now - self._age]
        if old_enough:
            return old_enough[-1]
        return answers[0][1] if answers else None


def _key(asked: Asked) -> Key:
    call, request, params = asked.call, asked.request, asked.params()
    what: Any = _timeless(params) if params else (request.method, request.path, request.query, request.body.hex())
    return json.dumps([call.service, call.operation, call.region, call.endpoint, what], sort_keys=True, default=str)


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(item) for name, item in value.items() if not isinstance(item, datetime)}
    return [_timeless(item) for item in value] if isinstance(value, list) else value
