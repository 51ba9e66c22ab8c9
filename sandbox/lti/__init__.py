"""Canvas as an LTI 1.3 platform: launch, access tokens, line items, scores, results, members.

Each module names the Canvas source it imitates; the rules are those of Canvas's own spec cases.
"""

from sandbox.lti import (
    deep_linking,
    launch,
    line_items,
    members,
    notices,
    registration,
    results,
    scores,
    token_grant,
)
from sandbox.lti.routes import blueprint

__all__ = [
    "blueprint",
    "deep_linking",
    "launch",
    "line_items",
    "members",
    "notices",
    "registration",
    "results",
    "scores",
    "token_grant",
]
