"""Why a dynamic registration goes no further, in sentences for the administrator in front of it."""

from __future__ import annotations

from lti_tool.refusals import RefusedWithReason, Wording

NEW_LINK = "Ask the tool's operator for a new link (registration_link), and paste it into Canvas as before."
BY_HAND = (
    "Nothing was registered. Register this Canvas by hand with register_platform, or ask the tool's operator "
    "and give them the reference below."
)
TRY_AGAIN = "Nothing was registered, and the link still works. Try again in Canvas."
TITLE = "This Canvas was not registered"
CLEAN_UP = (
    "Look in Canvas under Developer Keys: if a key for this tool is there, delete it. Then ask the tool's operator "
    "for a new link (registration_link) and start again."
)


def _no(status: int, what: str, step: str, title: str = TITLE) -> Wording:
    return Wording(status, title, what, step)


WORDINGS = {
    "LINK-MISSING": _no(
        403,
        "This address registers a Canvas with this tool, and it needs a one-time key from the tool's operator. "
        "Nothing was registered.",
        "Ask the operator for a link (registration_link), and paste the whole link into Canvas under "
        "Admin ▸ Developer Keys ▸ + Developer Key ▸ LTI Registration.",
        "A registration link is needed",
    ),
    "LINK-UNKNOWN": _no(403, "This link is not one of this tool's. Nothing was registered.", NEW_LINK),
    "LINK-USED": _no(
        403, "This link was used already, and each link registers one Canvas. Nothing was registered.", NEW_LINK
    ),
    "LINK-OVER": _no(403, "This link is no longer valid. Nothing was registered.", NEW_LINK),
    "LINK-ALONE": _no(
        400,
        "The link is valid, but Canvas has to open it: it adds what the tool must know to register with it. "
        "Nothing was registered, and the link still works.",
        "In Canvas, open Admin ▸ Developer Keys ▸ + Developer Key ▸ LTI Registration, and paste this page's "
        "address there.",
        "Paste this link into Canvas",
    ),
    "REG-PARAM": _no(
        400, "Canvas opened this page with values that are missing, doubled, or no registration at all.", TRY_AGAIN
    ),
    "REG-ADDRESS": _no(
        400,
        "What Canvas gave as the address where it describes itself is no whole https address.",
        BY_HAND,
    ),
    "REG-UNREACHABLE": _no(
        422,
        "The platform's description of itself could not be read from the address it gave.",
        "Nothing was registered, and the link still works. Try again in Canvas. A Canvas that the public internet does "
        "not reach is registered by hand, with register_platform; the tool's operator finds the cause under the "
        "reference below.",
    ),
    "REG-TOKEN": _no(
        403,
        "The platform no longer accepts its own registration token; it lasts one hour.",
        f"{TRY_AGAIN} If it happens again at once and this Canvas is one of your own: its issuer (lti_iss in "
        "config/security.yml) may still be Instructure's, and then it sends this tool to Instructure. Register it by "
        "hand, with register_platform.",
    ),
    "REG-NOT-CANVAS": _no(
        422,
        "What opened this link says that it is not Canvas. This tool works with Canvas only: it reads outcomes and "
        "writes grades by Canvas's own interface.",
        "Nothing was registered, and the link still works. Whoever administers your Canvas opens it there: "
        "Admin ▸ Developer Keys ▸ + Developer Key ▸ LTI Registration.",
        "This tool works with Canvas only",
    ),
    "REG-METADATA": _no(
        422, "The platform's description of itself lacks something or holds something this tool refuses.", BY_HAND
    ),
    "REG-ISSUER": _no(
        422,
        "The platform calls itself by a name (issuer) that does not belong to the address it is at.",
        BY_HAND,
    ),
    "REG-HOSTS": _no(
        422, "The platform names addresses on hosts that do not belong to it.", BY_HAND
    ),
    "REG-UNSUITABLE": _no(
        422, "The platform does not offer what this tool needs (RS256 signatures, keys instead of passwords).", BY_HAND
    ),
    "REG-REFUSED": _no(422, "The platform refused the registration.", TRY_AGAIN),
    "REG-NO-ANSWER": _no(
        422, "The platform was asked to register the tool and did not say whether it did. Nothing is stored here.",
        CLEAN_UP,
    ),
    "REG-ANSWER": _no(
        422, "The platform's answer holds no usable client id, so nothing is stored here.", CLEAN_UP
    ),
    "REG-KNOWN": _no(
        409,
        "The platform gave a client id that is registered here already. The earlier registration stays as it was.",
        CLEAN_UP,
    ),
}  # fmt: skip


class RegistrationRefused(RefusedWithReason):
    """A registration that goes no further. `names` are field names."""

    wordings = WORDINGS
