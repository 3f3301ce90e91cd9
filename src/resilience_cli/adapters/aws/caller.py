"""Who resil acts as: STS GetCallerIdentity, at the Regional endpoints in turn.

Source: IAM user guide, "AWS STS Regions and endpoints": the Regional endpoints are independent of one another, and
GetCallerIdentity needs no permission. A serving Region that is failing must not hide who is calling.
"""

from collections.abc import Callable, Sequence

from ...errors import Denied, Uncertain, UsageError
from ...model.app import App
from ...model.facts import Caller
from .bounded import NobodyAnswered, Place, first_answer
from .session import Sessions


def sts_order(app: App, prefer: Sequence[str] = ()) -> tuple[str, ...]:
    """The Regions whose STS is asked, in order: those preferred, the standbys, the primary, the observer."""
    regions = app.regions
    known = [region for region in prefer if region in regions.all]
    observer = (regions.observer,) if regions.observer else ()
    return tuple(dict.fromkeys((*known, *regions.standby, regions.primary, *observer)))


def caller(app: App, sessions: Sessions) -> Caller:
    """The caller, as the first Region that answers tells. UsageError if the credentials themselves are refused."""

    def asks(region: str) -> Callable[[], Caller]:
        api = sessions.reader("sts", region, elsewhere=True)

        def ask() -> Caller:
            answer = api.ask("GetCallerIdentity")
            expires_at = sessions.credentials_expire()
            return Caller(account=answer["Account"], arn=answer["Arn"], expires_at=expires_at)

        return ask

    places = [Place(region, asks(region)) for region in sessions.sts_regions or sts_order(app)]
    try:
        return first_answer(places, sessions.patience, lambda error: isinstance(error, UsageError))
    except NobodyAnswered as nobody:
        raise _told(nobody) from nobody


def _told(nobody: NobodyAnswered) -> Exception:
    """Credentials that are refused are the operator's to mend; no answer anywhere is no answer."""
    for error in nobody.errors:
        if isinstance(error, Denied):
            hint = "check AWS_PROFILE or the keys in the environment"
            return UsageError(f"AWS refuses these credentials: {error.message}", hint=hint)
        if isinstance(error, UsageError):
            return error
    return Uncertain(f"sts GetCallerIdentity: no Region answers: {nobody}")
