"""What the teacher wants: which outcomes feed which target, by what rule. Keyed by the course context.

The rule itself is kept as the JSON of interface 5 in `definition`, parsed by `alignments.core`; the columns
here are what the database must answer for or refuse.
"""

from __future__ import annotations

import uuid

from django.db import models

from lti_tool.models import Context, Deployment


def new_resource_id() -> str:
    return f"lmg-{uuid.uuid4().hex}"


class TargetKind(models.TextChoices):
    COLUMN = "column"
    ASSIGNMENT = "assignment"


class Target(models.Model):
    """A place grades go: a column of ours (AGS, found by `resource_id`) or an existing assignment (REST).

    It outlives its alignment, because what we wrote is remembered per target and student.
    """

    context = models.ForeignKey(Context, on_delete=models.CASCADE, related_name="targets")
    kind = models.CharField(max_length=10, choices=TargetKind)
    label = models.CharField(
        max_length=255,
        blank=True,
        help_text="A column's name; its identity in the file.",
    )
    points = models.DecimalField(max_digits=40, decimal_places=10, null=True, blank=True)
    omit_from_final_grade = models.BooleanField(default=False)
    resource_id = models.CharField(max_length=64, unique=True, default=new_resource_id)
    line_item_url = models.CharField(
        max_length=500,
        blank=True,
        help_text="Known once made; empty means look for it.",
    )
    assignment_id = models.CharField(max_length=32, blank=True)
    last_timestamp = models.DateTimeField(null=True, blank=True, help_text="The newest AGS timestamp sent.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["context", "label"],
                condition=models.Q(kind="column"),
                name="column_label_once_per_context",
            ),
            models.UniqueConstraint(
                fields=["context", "assignment_id"],
                condition=models.Q(kind="assignment"),
                name="assignment_once_per_context",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=TargetKind.values),
                name="target_kind_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.label or f"assignment {self.assignment_id}"


class Alignment(models.Model):
    """Outcomes → rule → one target."""

    context = models.ForeignKey(Context, on_delete=models.CASCADE, related_name="alignments")
    target = models.OneToOneField(Target, on_delete=models.PROTECT, related_name="alignment")
    name = models.CharField(
        max_length=255,
        blank=True,
        help_text="Empty until the first sync knows a title.",
    )
    position = models.PositiveIntegerField(default=0)
    definition = models.JSONField(help_text="Interface 5: outcomes, combine, rule, evidence, overwrite, ...")
    expected_points = models.DecimalField(max_digits=40, decimal_places=10, null=True, blank=True)
    scales = models.JSONField(
        default=dict,
        help_text="By outcome: top and mastery level it was made for, as text; null is not known yet.",
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name or f"alignment {self.pk}"


class SealedExceptions(models.Model):
    """The students of one alignment with a rule of their own, or none: who and which, sealed. No row: nobody."""

    alignment = models.OneToOneField(Alignment, on_delete=models.CASCADE, related_name="sealed_exceptions")
    sealed = models.TextField()


class ExcludedOutcome(models.Model):
    """An outcome the teacher does not want in grades (attendance, "Current Score")."""

    context = models.ForeignKey(Context, on_delete=models.CASCADE, related_name="excluded_outcomes")
    outcome_id = models.CharField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["context", "outcome_id"],
                name="outcome_excluded_once_per_context",
            ),
        ]


class CourseSettings(models.Model):
    """What a teacher set for the whole course."""

    context = models.OneToOneField(Context, on_delete=models.CASCADE, related_name="course_settings")
    excluded_keywords = models.JSONField(
        default=list, help_text="Titles holding one of these words are left out."
    )
    assignment_group_id = models.CharField(
        max_length=32, blank=True, help_text="Where targets are offered first."
    )


class Template(models.Model):
    """Alignments under a name, for every course of the installation. No person is in it: it knows only in which
    course it was made, whose teachers may rename or delete it; when that course is forgotten, nobody's."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="templates")
    made_in = models.ForeignKey(
        Context, null=True, blank=True, on_delete=models.SET_NULL, related_name="templates_made"
    )
    name = models.CharField(max_length=255)
    body = models.JSONField(
        help_text="As the file of a template, with Canvas's ids (alignments.core.templatejson)."
    )
    is_default = models.BooleanField(default=False, help_text="The school's usual set-up.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-is_default", "name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["deployment", "name"],
                name="template_name_once_per_deployment",
            ),
            models.UniqueConstraint(
                fields=["deployment"],
                condition=models.Q(is_default=True),
                name="template_default_once_per_deployment",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DeepLinkedAlignment(models.Model):
    """An alignment picked in Canvas's assignment form. It becomes one when its assignment is seen: Canvas says
    no assignment's id before the teacher has saved it."""

    context = models.ForeignKey(Context, on_delete=models.CASCADE, related_name="deep_linked")
    tag = models.CharField(
        max_length=64,
        unique=True,
        default=new_resource_id,
        help_text="What the link and its line item carry.",
    )
    definition = models.JSONField(help_text="Interface 5, with a column in place of the assignment.")
    created_at = models.DateTimeField()
    bound_at = models.DateTimeField(null=True, blank=True, help_text="When the assignment was first seen.")
    alignment = models.OneToOneField(
        Alignment, null=True, blank=True, on_delete=models.SET_NULL, related_name="deep_linked"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(alignment=None) | models.Q(bound_at__isnull=False),
                name="deep_linked_alignment_is_bound_when_made",
            ),
        ]

    def __str__(self) -> str:
        return self.tag
