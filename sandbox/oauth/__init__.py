"""OAuth2 of the pretend Canvas: consent, tokens, refresh (app/controllers/oauth2_provider_controller.rb)."""

from __future__ import annotations

from sandbox.oauth.views import blueprint

__all__ = ["blueprint"]
