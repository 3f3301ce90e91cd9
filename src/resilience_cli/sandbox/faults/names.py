"""Whether what a fault names exists: a fault that can never strike would let a drill pass that proves nothing."""

from collections.abc import Iterator, Sequence
from fnmatch import filter as matching
from functools import cache

from botocore.loaders import Loader

from ...model.fault import ANY, ArcEndpointsDown, ControlPlaneDown, Fault, Globs, unknown
from ..arc import ENDPOINT_REGIONS
from . import queries
from .queries import DNS

# Whose operations are searched where a service is left open; any of botocore's may be named.
USUAL = (
    "route53",
    "cloudwatch",
    "health",
    "synthetics",
    "route53-recovery-cluster",
    "route53-recovery-control-config",
    "dynamodb",
    "sts",
    "iam",
    "ssm",
    "s3",
    "sns",
    "lambda",
    "apigateway",
)


def check(fault: Fault) -> None:
    """Raises UnknownName, with the near names, for a service, operation, Region or endpoint there is not."""
    if isinstance(fault, ControlPlaneDown):
        return
    if isinstance(fault, ArcEndpointsDown):
        listed = fault.endpoints if isinstance(fault.endpoints, tuple) else ()
        _each("ARC endpoint", listed, ENDPOINT_REGIONS)
        return
    queries.check(fault)
    services = tuple(_services(fault.service))
    if fault.operation != ANY:
        _each("operation", fault.operation, [name for service in services for name in operations(service)])
    _each("Region", fault.region, regions())
    _each("ARC endpoint", fault.endpoint, ("", *ENDPOINT_REGIONS))


def operations(service: str) -> Sequence[str]:
    return queries.TYPES if service == DNS else tuple(_model_operations(service))


@cache
def _model_operations(service: str) -> tuple[str, ...]:
    return tuple(Loader().load_service_model(service, "service-2")["operations"])


@cache
def regions() -> tuple[str, ...]:
    """Every Region of every partition that botocore knows."""
    partitions = Loader().load_data("partitions")["partitions"]
    return tuple(region for partition in partitions for region in partition["regions"])


@cache
def _known_services() -> tuple[str, ...]:
    return (*Loader().list_available_services("service-2"), DNS)


def _services(globs: Globs) -> Iterator[str]:
    known = _known_services()
    _each("service", globs, known)
    for glob in globs:
        yield from (glob,) if glob in known else matching(USUAL, glob)


def _each(what: str, globs: Sequence[str], known: Sequence[str]) -> None:
    for glob in globs:
        if glob not in ANY and not matching(known, glob):
            raise unknown(what, glob, known)
