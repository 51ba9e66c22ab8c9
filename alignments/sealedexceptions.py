"""Exceptions for single students: who they are rests sealed, and is opened for a page or a plan only.

Nothing here is exported, logged or part of an address. A row without students is deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from alignments.core.definition import OwnRule
from alignments.core.exceptions import Students, renamed
from alignments.core.fields import Spot
from alignments.core.sectionfields import instead_to_json, read_instead
from alignments.models import Alignment, SealedExceptions
from lti_tool.models import Context
from lti_tool.sealing import CannotUnseal, seal, unseal

PURPOSE = "alignments.exceptions"
MOST = 500
"""Students of one alignment: more would be a rule, not an exception."""


class TooMany(ValueError):
    """The alignment has as many exceptions as it may."""


def of(row: Alignment) -> Students | None:
    """By Canvas user id; None where there are some that no key opens any more."""
    kept: SealedExceptions | None = getattr(row, "sealed_exceptions", None)
    if kept is None:
        return {}
    try:
        return _opened(unseal(kept.sealed, purpose=f"{PURPOSE} {row.pk}"))
    except CannotUnseal:
        return None


@transaction.atomic
def put(context: Context, alignment_id: int, user: str, rule: OwnRule | None) -> None:
    """From now on this rule counts for the student; None: not assessed."""
    row, known = _locked(context, alignment_id)
    if user not in known and len(known) >= MOST:
        raise TooMany(f"An alignment can have exceptions for at most {MOST} students.")
    _keep(row, {**known, user: rule})


@transaction.atomic
def remove(context: Context, alignment_id: int, user: str) -> None:
    """The alignment's rule counts for the student again."""
    row, known = _locked(context, alignment_id)
    _keep(row, {key: rule for key, rule in known.items() if key != user})


@transaction.atomic
def replace_outcome(context: Context, alignment_id: int, gone: str, instead: str) -> None:
    """What was said of one outcome is said of the one that took its place. Lost ones stay lost."""
    Context.objects.select_for_update().get(pk=context.pk)
    row = Alignment.objects.select_related("sealed_exceptions").get(context=context, pk=alignment_id)
    if known := of(row):
        _keep(row, {user: renamed(rule, gone, instead) for user, rule in known.items()})


@transaction.atomic
def remove_all(context: Context, alignment_id: int) -> None:
    """Nobody has a rule of their own any more; also the way out where they cannot be opened."""
    SealedExceptions.objects.filter(alignment__context=context, alignment_id=alignment_id).delete()


def _locked(context: Context, alignment_id: int) -> tuple[Alignment, Students]:
    """Raises `Alignment.DoesNotExist` for another course's, CannotUnseal where some are lost."""
    Context.objects.select_for_update().get(pk=context.pk)
    row = Alignment.objects.select_related("sealed_exceptions").get(context=context, pk=alignment_id)
    known = of(row)
    if known is None:
        raise CannotUnseal(PURPOSE)
    return row, known


def _keep(row: Alignment, students: Students) -> None:
    if not students:
        SealedExceptions.objects.filter(alignment=row).delete()
        return
    body = {user: instead_to_json(rule) for user, rule in students.items()}
    sealed = seal(body, purpose=f"{PURPOSE} {row.pk}")
    SealedExceptions.objects.update_or_create(alignment=row, defaults={"sealed": sealed})


def _opened(body: Mapping[str, Mapping[str, Any]]) -> Students:
    return {user: _rule(instead) for user, instead in body.items()}


def _rule(instead: Mapping[str, Any]) -> OwnRule | None:
    """How it stands to the alignment's outcomes now is checked when a plan is made."""
    spot = Spot()
    rule = read_instead(spot, instead, "mean", None)
    if spot.problems:
        raise CannotUnseal(PURPOSE)
    return rule
