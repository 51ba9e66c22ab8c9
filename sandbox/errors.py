"""The error bodies Canvas sends (app/controllers/application_controller.rb, lib/authentication_methods.rb)."""

from __future__ import annotations

from typing import Any

BEARER_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="canvas-lms"'}


class ApiError(Exception):
    """An answer that ends the request: a status, a JSON body and extra headers."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = headers or {}


def messages(text: str) -> dict[str, Any]:
    return {"errors": [{"message": text}]}


def unauthenticated() -> ApiError:
    body = {"status": "unauthenticated", **messages("user authorization required")}
    return ApiError(401, body, BEARER_CHALLENGE)


def invalid_token(text: str = "Invalid access token.") -> ApiError:
    return ApiError(401, messages(text), BEARER_CHALLENGE)


def insufficient_scopes() -> ApiError:
    return ApiError(401, messages("Insufficient scopes on access token."))


def forbidden(status: int = 403) -> ApiError:
    """Logged in without permission: 403, or 401 where ``api_auth_error_updates`` is off."""
    return ApiError(
        status,
        {
            "status": "unauthorized",
            **messages("user not authorized to perform that action"),
        },
    )


def not_found() -> ApiError:
    return ApiError(404, messages("The specified resource does not exist."))


def missing_param(name: str) -> ApiError:
    return ApiError(400, messages(f"{name} is missing"))


def rejected(text: str, status: int = 400) -> ApiError:
    """A controller's ``reject!``."""
    return ApiError(
        status,
        {"status": "bad_request" if status == 400 else "forbidden", "message": text},
    )


def plain_error(text: str, status: int = 400) -> ApiError:
    """The ``{"error": text}`` form of the submissions controllers."""
    return ApiError(status, {"error": text})


def unexpected(report_id: int) -> ApiError:
    body: dict[str, Any] = messages("An error occurred.")
    body["errors"][0]["error_code"] = "internal_server_error"
    return ApiError(500, {**body, "error_report_id": report_id})
