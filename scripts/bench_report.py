"""The benchmarks' figures as tables for a person."""

from typing import Any

from scripts import bench_launch

SYNCS = {
    "rest_first": "REST targets, first",
    "rest_second": "REST targets, nothing changed",
    "ags_first": "own columns, first",
    "ags_second": "own columns, nothing changed",
}
BIG = {"dry_run": "plan only", "first_sync": "first, in the pages", "second_dry_run": "plan, nothing changed"}
WIDTH = 31


def as_text(found: dict[str, Any]) -> str:
    lines = [
        "",
        f"{found['students']} students x {found['alignments']} alignments, {found['latency_ms']:g} ms a call, "
        f"{found['cores']} cores, load {found['load_before']} before",
        "",
        f"{'':{WIDTH}}{'read':>7}{'(of it polls)':>15}{'write':>7}{'retried':>9}{'throttled':>11}"
        f"{'by formula':>14}{'run s':>8}{'process s':>11}{'MB':>6}{'fewer calls':>13}{'faster':>8}",
    ]
    lines += [_sync(name, found[key]) for key, name in SYNCS.items()]
    lines += [_baseline(found["baseline"]), *_big(found.get("big")), *_mixed(found.get("mixed"))]
    lines += [*_ags(found), *_nights(found.get("night"))]
    lines += [*(bench_launch.as_text(found["launches"]) if "launches" in found else []), "", "Aims"]
    for aim in found["aims"]:
        verdict = "PASS" if aim["met"] else "MISS"
        lines.append(f"  {verdict}  {aim['name']:<48}{aim['measured']:>10}   aim {aim['aim']}")
    lines += ["", *NOTES]
    return "\n".join(lines)


NOTES = (
    "run s: from the opening of the run to its end. process s: the whole command, Python's start included.",
    "by formula: reads without polls + writes (docs/operations.md). MB: the process's peak (VmHWM).",
    "In the pages: a teacher previews and sends, a worker works; MB is the worker's, s include the pages.",
    "The baseline ran in one process that was started before, against a Canvas that never throttles.",
)


def _sync(name: str, one: dict[str, Any]) -> str:
    cost = one.get("expected")
    expected = f"{cost['read']} + {cost['write']}" if cost else ""
    asked = one["requests"]
    line = (
        f"{name:<{WIDTH}}{asked['read']:>7}{one['polls']:>15}{asked['write']:>7}{asked['retried']:>9}"
        f"{asked['throttled']:>11}{expected:>14}{one['run_seconds']:>8.2f}{one['process_seconds']:>11.2f}"
        f"{one['peak_mb']:>6}"
    )
    return line + (f"{one['fewer_calls']:>12.1f}x{one['faster']:>7.1f}x" if "faster" in one else "")


def _baseline(one: dict[str, Any]) -> str:
    expected = f"{one['expected']['read']} + {one['expected']['write']}"
    return (
        f"{'the ancestor, ten threads':<{WIDTH}}{one['read']:>7}{'':>15}{one['write']:>7}{'':>20}"
        f"{expected:>14}{one['seconds']:>8.2f}"
    )


def _big(big: dict[str, Any] | None) -> list[str]:
    if not big:
        return []
    planning = big["planning"]
    return [
        "",
        f"{big['students']} students x {big['alignments']} alignments, {big['latency_ms']:g} ms a call",
        "",
        *(_sync(name, big[key]) for key, name in BIG.items()),
        f"The preview's page takes {big['preview_page_seconds']:.1f} s; the web server held at most "
        f"{big['web_peak_mb']} MB.",
        *_planning(planning),
    ]


def _mixed(mixed: dict[str, Any] | None) -> list[str]:
    if not mixed:
        return []
    title = f"{mixed['students']} students x {mixed['alignments']} alignments of every kind of rule"
    return ["", f"{title}, own calculations and sections", "", *_planning(mixed)]


def _planning(one: dict[str, Any]) -> list[str]:
    said = [
        f"Planning {one['cells']} cells takes {one['plan_seconds']:.2f} s of processor time: "
        f"{one['plan_to_json']:.1f} times as long as reading the same JSON "
        f"({one['json_bytes'] / 1e6:.0f} MB, {one['json_seconds']:.2f} s), "
        f"{one['plan_to_read']:.1f} times the whole read ({one['read_seconds']:.2f} s); "
        f"it held {one['plan_mb']:.0f} MB more than the read."
    ]
    if one["results_bytes"]:
        said.append(
            f"Own calculations are {one['calculation_seconds']:.2f} s of it; while {one['results_bytes'] / 1e6:.0f} "
            f"MB of single results were read, at most {one['results_mb']:.0f} MB more were held, the scores included."
        )
    return said


def _ags(found: dict[str, Any]) -> list[str]:
    if "ags_alone" not in found:
        return []
    lines = [
        "",
        "AGS, a call a cell",
        f"{'':{WIDTH}}{'writes':>7}{'run s':>9}{'limit s':>9}{'ratio':>7}{'Canvas ms':>11}",
    ]
    for one in found["ags_alone"]:
        lines.append(
            f"{one['latency_ms']:>{WIDTH - 3}g} ms{one['writes']:>7}{one['seconds']:>9.1f}{one['limit_seconds']:>9.1f}"
            f"{one['ratio']:>7.2f}{one['canvas_ms']:>11.0f}"
        )
    together = found["ags_together"]
    return [
        *lines,
        f"{together['workers']} workers on one bucket, {together['latency_ms']:g} ms: {together['writes']} writes in "
        f"{together['process_seconds']:.1f} s, {together['calls_at_once']:g} at once, "
        f"{together['throttled']} throttled",
    ]


def _nights(night: dict[str, Any] | None) -> list[str]:
    if not night:
        return []
    lines = ["", f"{night['courses']} courses of 35 x 20 in one process, {night['latency_ms']:g} ms a call"]
    for name in ("everything", "usual", "nothing"):
        one, more = night[name], night["thousand"][name]
        lines.append(
            f"  new: {name:<11} measured {one['syncs']} courses: {one['read']} reads, {one['write']} writes, "
            f"{one['sent']} sent, {one['seconds']:.1f} s ({one['cpu_seconds']:.1f} s of processor)"
        )
        lines.append(
            f"  {'':<16} so 1,000 courses: {more['reads']} reads, {more['writes']} writes, {more['hours']:.2f} h; "
            f"one worker in 8 h: {more['courses_a_night']} courses"
        )
    return lines
