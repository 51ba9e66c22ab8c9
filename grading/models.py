"""Runs and what is remembered of cells: counts and sealed texts, never a student in clear."""

from __future__ import annotations

from django.db import models

from alignments.models import Target
from lti_tool.models import Context


class RunState(models.TextChoices):
    READING = "reading"
    READY = "ready"
    APPROVED = "approved"
    SENDING = "sending"
    FINISHED = "finished"


OPEN_STATES = [RunState.READING, RunState.READY, RunState.APPROVED, RunState.SENDING]


class Run(models.Model):
    """One sync of a course: read, planned, approved as a whole, sent, read back.

    `plan` is sealed and lives only while the run is open. `outcome` is interface 4's `status`
    (done, partial, stopped, changed) or `discarded` for a preview that was never sent.
    """

    context = models.ForeignKey(Context, on_delete=models.CASCADE, related_name="runs")
    number = models.PositiveIntegerField(help_text="Counts within the course.")
    state = models.CharField(max_length=10, choices=RunState, default=RunState.READING)
    outcome = models.CharField(max_length=10, blank=True)
    dry_run = models.BooleanField(default=False)
    started_by = models.CharField(
        max_length=80, help_text="Role and Canvas user id of a teacher, or `command`."
    )
    account = models.ForeignKey("canvas.CanvasAccount", null=True, blank=True, on_delete=models.SET_NULL)
    started_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.CharField(max_length=80, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    sealed_plan = models.TextField(blank=True)
    digest = models.CharField(max_length=64, blank=True)
    counts = models.JSONField(default=dict)
    reasons = models.JSONField(default=dict)
    problems = models.JSONField(default=list)
    requests = models.JSONField(default=dict)
    error = models.JSONField(null=True, blank=True)
    progress = models.JSONField(default=dict, help_text="phase, done, total, column: for the progress bar.")
    lease = models.CharField(
        max_length=32, blank=True, help_text="Whoever holds this may write: grading.runs."
    )
    undo_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="undone_by"
    )
    stop_requested = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0, help_text="How many workers have taken it to send it.")

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["context", "number"], name="run_number_once_per_context"),
            models.UniqueConstraint(
                fields=["context"],
                condition=models.Q(state__in=["reading", "ready", "approved", "sending"]),
                name="run_one_open_per_context",
            ),
            models.CheckConstraint(condition=models.Q(state__in=RunState.values), name="run_state_is_known"),
        ]

    def __str__(self) -> str:
        return f"run {self.number} of {self.context}"


class Fingerprint(models.Model):
    """HMAC-SHA-256 tags: a cell we wrote (`cell_tag`), the state we read back after writing (`state_tag`,
    empty until a write was read back), and, from before a write until it is read back, the grade we were
    about to leave (`intended_tag`), so that a crash in between never turns our own grade into a person's."""

    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="fingerprints")
    cell_tag = models.BinaryField(max_length=32)
    state_tag = models.BinaryField(max_length=32, default=b"")
    intended_tag = models.BinaryField(max_length=32, default=b"")
    written_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["target", "cell_tag"], name="fingerprint_once_per_cell"),
        ]


class UndoJournal(models.Model):
    """The cells a run sent, with their values before, sealed, for UNDO_DAYS."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="undo_journal")
    sealed_cells = models.TextField()
    expires_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)
