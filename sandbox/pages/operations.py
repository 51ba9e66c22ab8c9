"""The faults switch and the log of calls."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue

from sandbox.app import current_world
from sandbox.pages.routes import blueprint
from sandbox.pages.shell import back_to, render
from sandbox.plumbing import FAULT_KINDS, Call
from sandbox.world import World

SHOWN = 200
WORDS = {
    "slow": "answer slowly",
    "error_before": "error 500, nothing done",
    "error_after": "error 500 after the effect",
    "drop_before": "cut the connection, nothing done",
    "drop_after": "cut the connection after the effect",
    "truncate": "cut the answer short",
    "throttled": "throttled",
    "expired": "token expired",
    "revoked": "token revoked",
    "reply": "another answer",
}
METHODS = ("*", "GET", "POST", "PUT", "DELETE")


@blueprint.get("/_sandbox/faults_page")
def faults() -> str:
    """The faults that are waiting, and a form for another."""
    world = current_world()
    kinds = [(kind, WORDS.get(kind, kind)) for kind in FAULT_KINDS if kind != "reply"]
    return render(
        "faults.html",
        "faults",
        rules=list(world.faults.rules),
        kinds=kinds,
        methods=METHODS,
        words=WORDS,
        world=world,
    )


@blueprint.post("/_sandbox/faults_page")
def change_faults() -> ResponseReturnValue:
    """Add a fault, take all away, or set the latency and the throttle."""
    world, form = current_world(), request.form
    match form.get("change"):
        case "clear":
            world.faults.clear()
            message = "No fault is waiting."
        case "speed":
            message = _set_speed(world, form.get("latency_ms", "0"), "throttle" in form)
        case _:
            message = _add_fault(world)
    return back_to("pages.faults", message)


def _set_speed(world: World, latency: str, throttled: bool) -> str:
    world.latency = int(latency) / 1000 if latency.isdigit() else 0.0
    world.throttle.enabled = throttled
    return f"Every call takes {int(world.latency * 1000)} ms more; the throttle is {'on' if throttled else 'off'}."


def _add_fault(world: World) -> str:
    form = request.form
    kind, count = form.get("kind", ""), form.get("count", "1")
    options: dict[str, Any] = {
        "method": form.get("method") or "*",
        "path": form.get("path", "").strip() or "/api/*",
        "count": int(count) if count.isdigit() and int(count) > 0 else None,
    }
    if form.get("seconds", "").isdigit():
        options["seconds"] = float(form["seconds"])
    try:
        world.faults.add(kind, **options)
    except ValueError as problem:
        return str(problem)
    return f"Waiting for {options['method']} {options['path']}: {WORDS.get(kind, kind)}."


@blueprint.get("/_sandbox/log")
def call_log() -> str:
    """What was asked, newest first."""
    return render("log.html", "log", **_calls(current_world()))


@blueprint.get("/_sandbox/log/table")
def call_log_table() -> str:
    """The table alone, for refreshing."""
    return render_template("pages/_log_table.html", **_calls(current_world()))


@blueprint.post("/_sandbox/log")
def clear_log() -> ResponseReturnValue:
    """Forget the calls so far."""
    current_world().calls.clear()
    return back_to("pages.call_log", "The log is empty.")


def _calls(world: World) -> dict[str, Any]:
    """Calls of programs; a person's own clicks on these pages are shown on request."""
    everything = request.args.get("all") == "1"
    calls = [call for call in world.calls.all() if everything or is_service(call)]
    return {"calls": calls[-SHOWN:][::-1], "total": len(calls), "everything": everything}


def is_service(call: Call) -> bool:
    """A call of the API, LTI services or OAuth."""
    return call.path.startswith(("/api/", "/login/oauth2/"))
