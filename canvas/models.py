"""Canvas accounts that teachers connected, and who may use which for a course."""

from __future__ import annotations

from django.db import models

from lti_tool.models import Context, LaunchSession, Registration


class CanvasAccount(models.Model):
    """A teacher's OAuth2 tokens, sealed. One row per Canvas user and registration; a refresh replaces the
    access token in place and is serialised by locking this row (a refresh kills the old token at once)."""

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="accounts")
    canvas_user_id = models.CharField(max_length=32)
    sealed_access_token = models.TextField()
    sealed_refresh_token = models.TextField(blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    scopes = models.JSONField(default=list)
    connected_at = models.DateTimeField()
    lost_at = models.DateTimeField(
        null=True, blank=True, help_text="When Canvas last said it is no longer valid."
    )
    lost_code = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["registration", "canvas_user_id"],
                name="canvas_account_once_per_registration",
            ),
        ]

    def __str__(self) -> str:
        return f"account of {self.registration}"


class CourseGrader(models.Model):
    """A teacher or TA who launched this course: `sync` may use their account for it."""

    context = models.ForeignKey(Context, on_delete=models.CASCADE, related_name="graders")
    canvas_user_id = models.CharField(max_length=32)
    last_launch_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["context", "canvas_user_id"],
                name="course_grader_once_per_context",
            ),
        ]


class ConsentState(models.Model):
    """One OAuth2 consent under way: `state` is single use and bound to session and browser."""

    state_hash = models.CharField(max_length=64, unique=True)
    browser_hash = models.CharField(max_length=64)
    session = models.ForeignKey(LaunchSession, on_delete=models.CASCADE)
    expires_at = models.DateTimeField()


class ServiceToken(models.Model):
    """The AGS access token of a registration, sealed, shared by all workers until shortly before it ends."""

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE)
    scope_hash = models.CharField(max_length=64)
    sealed_token = models.TextField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["registration", "scope_hash"],
                name="service_token_once_per_registration_and_scopes",
            ),
        ]
