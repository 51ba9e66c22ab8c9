"""Picking outcomes in Canvas's assignment form, and what a student sees who opens such an assignment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from alignments import beginnings, deeplinking, pages
from alignments.core import jsonfile
from alignments.core.definition import MAX_NAME
from alignments.core.explain import rule_in_words
from alignments.models import DeepLinkedAlignment
from alignments.numberfields import NumberField
from alignments.reading import look_at
from alignments.ruleblanks import MOST_POINTS
from alignments.views import page_of, unreadable
from canvas.values import Outcome
from lti_tool import pages as refusals
from lti_tool.deeplink import DeepLinkRequest, request_of, signed_answer
from lti_tool.sessions import LaunchRequest, launched, staff_required

MOST_OUTCOMES = 100


class PickForm(forms.Form):
    """What the assignment is called and worth."""

    title = forms.CharField(
        label="Name of the assignment",
        help_text="Left empty, it is the outcome's title.",
        max_length=MAX_NAME,
        required=False,
    )
    points = NumberField(label="Points", least=Decimal(0), most=MOST_POINTS, above=True, initial="1")


@dataclass(frozen=True, slots=True)
class Offer:
    """One outcome as the page offers it."""

    id: str
    title: str
    measures: str
    group: str
    chosen: bool


@require_http_methods(["GET", "POST"])
@staff_required
def pick(request: LaunchRequest) -> HttpResponse:
    """Choose outcomes for the assignment that is being made in Canvas, and hand it over."""
    wanted = request_of(request.launch_session)
    if wanted is None:
        return _not_asked(request)
    look = look_at(request.launch_session)
    if look.reading is None:
        return (
            unreadable(request, look)
            if request.method == "POST"
            else _page(request, page_of(look) | {"here": ""})
        )
    form = PickForm(request.POST if request.method == "POST" else None)
    outcomes = look.reading.evidence.outcomes
    chosen = [one for one in request.POST.getlist("outcome") if one in outcomes]
    problem = ""
    if request.method == "POST" and request.POST.get("do") != "search":
        problem = _problem(request.POST.getlist("outcome"), chosen)
        if not problem and form.is_valid():
            return _hand_over(request, wanted, form, chosen, outcomes[chosen[0]])
    offered = _offers(request, outcomes, chosen)
    page = page_of(look) | {
        "here": "",
        "form": form,
        "offered": offered,
        "problem": problem,
        "q": _search(request),
    }
    is_wrong = bool(problem) or (form.is_bound and not form.is_valid() and request.POST.get("do") != "search")
    return _page(request, page, 422 if is_wrong else 200)


@require_GET
@launched
def linked(request: LaunchRequest, picked_id: int) -> HttpResponse:
    """For a student who opens such an assignment: what its grade comes from. Nobody's results are here."""
    picked = get_object_or_404(DeepLinkedAlignment, context=request.context, pk=picked_id)
    definition = jsonfile.parse_definition(picked.definition)
    if picked.alignment is not None:
        definition = jsonfile.parse_definition({**picked.alignment.definition, "name": picked.alignment.name})
    page = {
        "name": definition.display_name,
        "rule": rule_in_words(definition),
        "count": len(definition.outcomes),
    }
    return render(request, "alignments/linked.html", page)


def _page(request: LaunchRequest, page: dict[str, Any], status: int = 200) -> HttpResponse:
    return render(request, "alignments/pick.html", page, status=status)


def _search(request: LaunchRequest) -> str:
    return request.POST.get("q", "").strip()[:255]


def _offers(request: LaunchRequest, outcomes: Mapping[str, Outcome], chosen: list[str]) -> list[Offer]:
    """The outcomes that fit what is searched for, and those already ticked, as a person would list them."""
    left_out, text = beginnings.exclusions(request.context, outcomes.values()), _search(request).casefold()
    listed = sorted(outcomes.values(), key=lambda one: (one.group_path, pages.natural(one.title)))
    return [
        Offer(one.id, one.title, pages.measures(one), " / ".join(one.group_path), one.id in chosen)
        for one in listed
        if one.id in chosen or (one.id not in left_out and text in one.title.casefold())
    ]


def _problem(ticked: list[str], chosen: list[str]) -> str:
    if not ticked:
        return "Nothing was chosen, so no assignment is made yet. Tick the outcomes its grade comes from."
    if len(chosen) != len(set(ticked)):
        return "Some outcomes are no longer in this course. Look through the list again."
    if len(chosen) > MOST_OUTCOMES:
        return f"Tick at most {MOST_OUTCOMES} outcomes for one assignment."
    return ""


def _hand_over(
    request: LaunchRequest, wanted: DeepLinkRequest, form: PickForm, chosen: list[str], first: Outcome
) -> HttpResponse:
    """The answer as a form that sends itself to Canvas."""
    now = timezone.now()
    title = form.cleaned_data["title"].strip() or first.title.strip() or f"Outcome {first.id}"
    picked = deeplinking.prepare(request.context, chosen, title, form.cleaned_data["points"], now)
    answer = signed_answer(request.launch_session, wanted, [deeplinking.content_item(picked)], now)
    page = {"return_url": wanted.return_url, "answer": answer, "title": title}
    return render(request, "alignments/handed_over.html", page)


def _not_asked(request: LaunchRequest) -> HttpResponse:
    return refusals.refusal(
        request,
        409,
        "NOT-PICKING",
        "This page opens from an assignment's form",
        "Canvas is not waiting for a choice of outcomes in this visit. Nothing was changed.",
        "In Canvas, make an assignment with the submission type External Tool and find this tool there.",
    )
