"""The second half of an installation: the Canvas API key, which no registration can make.

Its id and secret are taken once, from whoever registered this Canvas or from an account admin who launched the
tool, and only while there is none; later changes are the operator's (`register_platform`).
"""

from __future__ import annotations

from canvas import oauth
from canvas.consent import redirect_uri
from lti_tool import registering
from lti_tool.commands import BadUsage
from lti_tool.errors import AccessLost, PlatformError
from lti_tool.http import Http, Policy, rest_hosts
from lti_tool.models import Registration
from lti_tool.sealing import API_SECRET_PURPOSE, seal

LONGEST_SECRET = 255
CHECK_SECONDS = 10.0


class KeyRefused(ValueError):
    """The key is not taken. `field` is the form's field, the message says what to do."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def set_api_key(registration: Registration, client_id: str, secret: str, http: Http) -> None:
    """Store the key, sealed, unless there is one. Raises KeyRefused."""
    client_id, secret = client_id.strip(), secret.strip()
    try:
        registering.checked_id("id", client_id)
    except BadUsage:
        raise KeyRefused("api_client_id", "Type the number Canvas shows in the column Details.") from None
    if not secret or len(secret) > LONGEST_SECRET or not secret.isascii() or not secret.isprintable():
        raise KeyRefused("api_client_secret", "Copy the whole key that Show Key gives.")
    if client_id == registration.client_id:
        raise KeyRefused("api_client_id", "This is the number of the LTI key. Type the API key's.")
    if is_refused(registration, client_id, secret, http):
        raise KeyRefused(
            "api_client_secret",
            "Canvas does not accept this id and key together. Check both, and that the API key is switched on.",
        )
    sealed = seal(secret, purpose=API_SECRET_PURPOSE)
    free = Registration.objects.filter(pk=registration.pk, api_client_id="")
    if free.update(api_client_id=client_id, sealed_api_client_secret=sealed) == 0:
        raise KeyRefused(
            "api_client_id", "An API key is in place already; the tool's operator can change it."
        )


def is_refused(registration: Registration, client_id: str, secret: str, http: Http) -> bool:
    """Whether Canvas says no to the key itself: asked with a code nobody has, a good key is told so.

    Any other answer, or none, leaves the question open: the first teacher's connection will tell.
    """
    form = {
        "grant_type": "authorization_code",
        "code": "is-this-key-known",
        "redirect_uri": redirect_uri(),
        "client_id": client_id,
        "client_secret": secret,
    }
    try:
        http.request(
            "POST",
            oauth.token_url(registration),
            allow_hosts=rest_hosts(registration),
            headers={"Accept": "application/json"},
            data=form,
            deadline=CHECK_SECONDS,
            where="POST /login/oauth2/token",
            policy=Policy(refusal_of=oauth.token_refusal, attempts=1),
        )
    except AccessLost as error:
        return error.code == "api_key_refused"
    except PlatformError:
        return False
    return False
