"""One-time links for dynamic registration, and the pass that opens the install page after it.

A link's key is shown once and rests as a hash. Of several registrations with the same link at the same time
exactly one gets it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.core import signing
from django.urls import reverse

from lti_tool.addresses import absolute
from lti_tool.models import Registration, RegistrationLink
from lti_tool.states import hash_of, new_secret

KEEP_LINKS = timedelta(days=30)
"""How long a link that is over is remembered, so that its page can say so."""
PASS_SECONDS = 3_600
PASS_SALT = "lti_tool.install"


def make_link(now: datetime, life: timedelta) -> str:
    """The address an administrator pastes into Canvas; its key is nowhere else."""
    RegistrationLink.objects.filter(registration=None, expires_at__lt=now - KEEP_LINKS).delete()
    key = new_secret()
    RegistrationLink.objects.create(key_hash=hash_of(key), expires_at=now + life)
    return f"{absolute(reverse('lti:register'))}?{urlencode({'key': key})}"


def find_link(key: str) -> RegistrationLink | None:
    """The link with this key, whatever has become of it."""
    return RegistrationLink.objects.select_related("registration").filter(key_hash=hash_of(key)).first()


def take_link(link: RegistrationLink, now: datetime) -> bool:
    """Use the link up; whether it was still to be had."""
    return (
        RegistrationLink.objects.filter(pk=link.pk, used_at=None, expires_at__gt=now).update(used_at=now) == 1
    )


def give_back(link: RegistrationLink) -> None:
    """The platform refused without effect: the same link may be tried again."""
    RegistrationLink.objects.filter(pk=link.pk, registration=None).update(used_at=None)


def issue_install_pass(registration: Registration) -> str:
    """What lets the page of whoever registered, or of an account admin who launched, set the API key. One hour."""
    return signing.dumps(registration.key, salt=PASS_SALT)


def read_install_pass(text: str) -> Registration | None:
    """The registration a pass is for, while it is fresh and the registration is switched on."""
    try:
        key = signing.loads(text, salt=PASS_SALT, max_age=PASS_SECONDS)
    except signing.BadSignature:
        return None
    return Registration.objects.filter(key=key, is_active=True).first()
