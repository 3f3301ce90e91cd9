"""Who resil acts as: STS GetCallerIdentity, at the Regional endpoints in turn.

Source: IAM user guide, "AWS STS Regions and endpoints": the Regional endpoints are independent of one another, and
GetCallerIdentity needs no permission. A serving Region that is failing must not hide who is calling.
"""

from ...errors import AwsTrouble, Denied, Malformed, UsageError
from ...model.app import App
from ...model.facts import Caller
from .session import Sessions


def caller(app: App, sessions: Sessions) -> Caller:
    """The caller, as the first Region that answers tells. UsageError if the credentials themselves are refused."""
    refusal: AwsTrouble = Malformed("sts GetCallerIdentity: no Region to ask")
    regions = (*app.regions.standby, app.regions.primary)
    for region in regions:
        try:
            answer = sessions.reader("sts", region, elsewhere=True).ask("GetCallerIdentity")
            return Caller(account=answer["Account"], arn=answer["Arn"])
        except AwsTrouble as trouble:
            refusal = trouble
    if isinstance(refusal, Denied):
        raise UsageError(
            f"AWS refuses these credentials: {refusal.message}", hint="check AWS_PROFILE or the keys in the environment"
        ) from refusal
    raise refusal
