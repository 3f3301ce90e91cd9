"""One SDK session for the whole command: clients made once, calls bounded, errors in our words.

What startup costs, measured: importing botocore 0.19 s; the first client 0.06 s more (partitions and endpoints are
read once); the first client of a further service 0.01 to 0.03 s (its model); the same service in a further Region
0.003 s. boto3 itself is not imported: its sessions and resources add start-up time and nothing that is used here.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from botocore import xform_name
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, stop_after_delay, wait_random_exponential

from ... import __version__
from ...errors import AwsTrouble, ResilError, Throttled
from .bounded import PATIENCE, Patience, within
from .credentials import SdkSession, frozen
from .reading import Once
from .trouble import trouble

T = TypeVar("T")
Answer = dict[str, Any]  # a response as the SDK parsed it; it goes no further than the adapters

CONNECT_TIMEOUT_S = 3
WRITE_TIMEOUT_S = 10
READ_TIMEOUT_S = 6  # twice and a pause between: a hanging Region is told within a look's 15 s
SHORT_READ_TIMEOUT_S = 4
POOL = 50
Key = tuple[str, str, str | None, int, int]  # service, Region, endpoint, attempts, read timeout


@dataclass(frozen=True)
class Api:
    """One client, asked by operation name. Raises AwsTrouble, or UsageError for unusable credentials."""

    client: Any
    where: str
    budget_s: float
    patient: bool = True

    def ask(self, operation: str, **params: Any) -> Answer:
        """One call, as it is: no retries beyond those the client was made with, and no longer than its budget."""
        what = f"{self.service} {operation} in {self.where}"

        def call() -> Answer:
            answer: Answer = getattr(self.client, xform_name(operation))(**params)
            return answer

        try:
            return within(self.budget_s, what, call)
        except (AwsTrouble, ResilError):
            raise  # the budget is spent; or from inside the SDK, the write guard's refusal, or no credentials
        except Exception as error:
            raise trouble(error, what) from error

    def by(self, end: float) -> "Api":
        """The same, its calls over by ``end`` (of the monotonic clock) if that is sooner."""
        return replace(self, budget_s=min(self.budget_s, end - time.monotonic()))

    def patiently(self, operation: str, **params: Any) -> Answer:
        """A read that waits a little when throttled, unless there is another endpoint to turn to. Not for writes."""
        return _patience(self.ask, operation, **params) if self.patient else self.ask(operation, **params)

    def pages(self, operation: str, *, token: str = "NextToken", **params: Any) -> Iterator[Answer]:
        """Every page of a read whose token is called the same in the question and in the answer."""
        while True:
            page = self.patiently(operation, **params)
            yield page
            if not page.get(token):
                return
            params[token] = page[token]

    @property
    def service(self) -> str:
        name: str = self.client.meta.service_model.service_name
        return name

    @property
    def url(self) -> str:
        """The endpoint this client talks to."""
        url: str = self.client.meta.endpoint_url
        return url


_patience = Retrying(
    retry=retry_if_exception_type(Throttled),
    wait=wait_random_exponential(multiplier=0.2, max=1.5),
    stop=stop_after_attempt(3) | stop_after_delay(4),
    reraise=True,
)


@dataclass(frozen=True)
class Budgets:
    """How long one call may take as a whole, in seconds, whatever its connection does (see ``bounded``).

    ``short_s``: where the caller has another endpoint to turn to.
    """

    read_s: float = 13.0
    short_s: float = 8.0
    write_s: float = 30.0
    short_write_s: float = 13.0


BUDGETS = Budgets()


class Sessions:
    """The process's one session and its clients, by service, Region and endpoint.

    Making a client is not thread-safe, using one is (boto3 guide, "Multithreading and multiprocessing"): clients are
    made under a lock. Readers may be retried by the SDK once; writers never are, for a second attempt after an
    uncertain first one would meet its own effect and take it for someone else's.
    Before the first client there are credentials: they are asked for once, and if they fail, that is what is told.
    """

    def __init__(
        self,
        *,
        profile: str | None = None,
        sts_regions: Sequence[str] = (),
        budgets: Budgets = BUDGETS,
        patience: Patience = PATIENCE,
    ) -> None:
        """``sts_regions``: where roles are assumed, in order, so that credentials do not hang on one Region."""
        self._lock = threading.RLock()
        self._clients: dict[Key, Any] = {}
        self._budgets = budgets
        self.patience = patience
        self.sts_regions = tuple(sts_regions)
        self._session = SdkSession(profile=profile, sts_regions=sts_regions, patience=patience)
        self._first = Once(lambda: frozen(self._session))

    def reader(self, service: str, region: str, *, endpoint: str | None = None, elsewhere: bool = False) -> Api:
        """A client for reads. ``elsewhere``: the caller has another endpoint to turn to, and is soon told to."""
        attempts, limit_s = (1, SHORT_READ_TIMEOUT_S) if elsewhere else (2, READ_TIMEOUT_S)
        client = self._client((service, region, endpoint, attempts, limit_s))
        budget_s = self._budgets.short_s if elsewhere else self._budgets.read_s
        return Api(client, where=region, budget_s=budget_s, patient=not elsewhere)

    def writer(self, service: str, region: str, *, endpoint: str | None = None, elsewhere: bool = False) -> Api:
        """A client whose calls are sent once."""
        client = self._client((service, region, endpoint, 1, WRITE_TIMEOUT_S))
        budget_s = self._budgets.short_write_s if elsewhere else self._budgets.write_s
        return Api(client, where=region, budget_s=budget_s, patient=False)

    def credentials(self) -> ReadOnlyCredentials:
        """The caller's credentials now, renewed if need be. UsageError if there are none."""
        self._first()
        return frozen(self._session)

    def credentials_expire(self) -> datetime | None:
        """When the credentials in use end; None where they don't, or their source does not say. Asks nothing."""
        return self._session.expiry()

    def ca_bundle(self) -> str | None:
        """The CA bundle the operator configured for AWS (AWS_CA_BUNDLE or the profile's ca_bundle)."""
        bundle: str | None = self._session.get_config_variable("ca_bundle")
        return bundle

    def scoped_config(self) -> Answer:
        """The profile's own section of the config file."""
        return self._asked("profile", lambda: dict(self._session.get_scoped_config()))

    def full_config(self) -> Answer:
        """The config file, whole."""
        return self._asked("profile", lambda: dict(self._session.full_config))

    def _client(self, key: Key) -> Any:
        self._first()
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._asked(f"{key[0]} in {key[1]}", lambda: self._make(key))
            return self._clients[key]

    def _make(self, key: Key) -> Any:
        service, region, endpoint, attempts, limit_s = key
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=limit_s,
            retries={"total_max_attempts": attempts, "mode": "standard"},
            max_pool_connections=POOL,
            user_agent_extra=f"resil/{__version__}",
        )
        return self._session.make(service, region, endpoint, config)

    @staticmethod
    def _asked(what: str, do: Callable[[], T]) -> T:
        try:
            return do()
        except (AwsTrouble, ResilError):
            raise
        except Exception as error:
            raise trouble(error, what) from error
