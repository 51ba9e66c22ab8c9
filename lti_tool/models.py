"""The 1EdTech nouns, each "only one" a constraint with a name that reads as a sentence.

Nothing here describes a student: the person of an open session is sealed and goes with the session.
"""

from __future__ import annotations

import secrets

from django.db import models


def new_key() -> str:
    return secrets.token_hex(8)


class Registration(models.Model):
    """One developer key of one Canvas. Self-hosted schools can share issuer and client id, so a
    registration has a key of its own. https://www.imsglobal.org/spec/lti/v1p3/#tool-registration
    """

    key = models.CharField(max_length=32, unique=True, default=new_key)
    issuer = models.CharField(max_length=255)
    client_id = models.CharField(max_length=255)
    canvas_url = models.CharField(
        max_length=255, help_text="The school's Canvas origin, for REST and OAuth2."
    )
    authorize_url = models.CharField(max_length=500)
    token_url = models.CharField(max_length=500)
    jwks_url = models.CharField(max_length=500)
    service_hosts = models.JSONField(
        default=list, help_text="Further host[:port]s Canvas may name in service URLs."
    )
    api_client_id = models.CharField(max_length=255, blank=True)
    sealed_api_client_secret = models.TextField(blank=True)
    sealed_fingerprint_key = models.TextField()
    allow_new_deployments = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "client_id", "canvas_url"],
                name="registration_one_per_issuer_client_and_canvas",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} at {self.canvas_url}"


class RegistrationLink(models.Model):
    """An operator's one-time invitation to register a Canvas; the address holds the key, only its hash is here.

    Whoever sets `used_at` first uses the link up; one that was used never makes a second registration.
    """

    key_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    registration = models.OneToOneField(
        Registration, null=True, blank=True, on_delete=models.SET_NULL, related_name="link"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(registration=None) | models.Q(used_at__isnull=False),
                name="registration_link_used_by_what_it_registered",
            ),
        ]


class Deployment(models.Model):
    """One installation; `deployment_id` is unique only within a registration. In Canvas its first part,
    before the colon, is the external tool's id."""

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="deployments")
    deployment_id = models.CharField(max_length=255)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["registration", "deployment_id"],
                name="deployment_id_once_per_registration",
            ),
        ]

    def __str__(self) -> str:
        return self.deployment_id

    @property
    def external_tool_id(self) -> str:
        return self.deployment_id.split(":", 1)[0]


class Context(models.Model):
    """The course as LTI names it, with what the last launch said of its Canvas course and services."""

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="contexts")
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="contexts")
    context_id = models.CharField(max_length=255)
    canvas_course_id = models.CharField(max_length=32, blank=True)
    title = models.CharField(max_length=255, blank=True)
    label = models.CharField(max_length=255, blank=True)
    line_items_url = models.CharField(max_length=500, blank=True, help_text="AGS; empty when not granted.")
    ags_scopes = models.JSONField(default=list)
    memberships_url = models.CharField(max_length=500, blank=True)
    return_url = models.CharField(max_length=500, blank=True)
    ends_at = models.DateTimeField(
        null=True, blank=True, help_text="When Canvas last said the course or its term ends."
    )
    time_zone = models.CharField(
        max_length=64, blank=True, help_text="The course's, as Canvas last said it (America/Denver)."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    last_launch_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["registration", "context_id"],
                name="context_once_per_registration",
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.context_id


class SigningKey(models.Model):
    """The tool's RSA keys: the newest signs, all not retired are published."""

    kid = models.CharField(max_length=64, unique=True)
    sealed_private_pem = models.TextField()
    public_jwk = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.kid


class UsedNonce(models.Model):
    """A nonce that a good launch has consumed. The login's `state` is a signed text that carries
    registration, nonce and browser binding, so nothing is stored for a launch that may never come.

    No constraint in the database on `registration`: to check it, each launch would lock the one row that the whole
    school launches with, and one that has lost its registration is nobody's and deleted after a day."""

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, db_constraint=False)
    nonce_hash = models.CharField(max_length=64)
    used_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["registration", "nonce_hash"],
                name="nonce_used_once_per_registration",
            ),
        ]
        indexes = [models.Index(fields=["used_at"])]


class LaunchRole(models.TextChoices):
    """What this launch lets a person do here; from membership URIs only."""

    TEACHER = "teacher"
    TEACHING_ASSISTANT = "teaching_assistant"
    DESIGNER = "designer"
    ADMIN = "admin"
    STUDENT = "student"
    OBSERVER = "observer"
    OTHER = "other"


class LaunchSession(models.Model):
    """An open page: found by the hash of the token it sends in a header; 2 h idle, 10 h in all.

    The course is constrained by the database, and with it registration and deployment, which it belongs to: without
    them a session opens nothing, so their rows are not locked at every launch."""

    token_hash = models.CharField(max_length=64, unique=True)
    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, db_constraint=False)
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, db_constraint=False)
    context = models.ForeignKey(Context, null=True, blank=True, on_delete=models.CASCADE)
    role = models.CharField(max_length=20, choices=LaunchRole)
    sealed_person = models.TextField(help_text="sub and canvas_user_id of who launched.")
    locale = models.CharField(max_length=20, blank=True)
    sealed_deep_link = models.TextField(
        blank=True, help_text="Where the platform waits for what this visit picks; empty for other visits."
    )
    names_hidden = models.BooleanField(default=False, help_text='"Student 7" for every name, to project.')
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=LaunchRole.values),
                name="launch_session_role_is_known",
            ),
        ]
        indexes = [models.Index(fields=["last_seen_at"])]


class Ticket(models.Model):
    """A single-use, 60-second pass from a page to a window of its own (consent, new tab, download)."""

    ticket_hash = models.CharField(max_length=64, unique=True)
    session = models.ForeignKey(LaunchSession, on_delete=models.CASCADE)
    purpose = models.CharField(max_length=40)
    expires_at = models.DateTimeField()


class CourseMark(models.Model):
    """Canvas told us that something in a course changed: look again. What changed is not kept, nor whose it is.

    Events come late, twice and in any order, so only the time of the newest of each kind is remembered.
    """

    class Kind(models.TextChoices):
        EVIDENCE = "evidence"
        GRADE = "grade"
        POINTS = "points"
        COPIED = "copied"

    context = models.ForeignKey(Context, on_delete=models.CASCADE, related_name="marks")
    kind = models.CharField(max_length=10, choices=Kind)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["context", "kind"], name="course_mark_once_per_context_and_kind"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["evidence", "grade", "points", "copied"]),
                name="course_mark_kind_is_known",
            ),
        ]
