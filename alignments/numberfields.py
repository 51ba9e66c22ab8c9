"""Form fields for exact numbers, with errors that say what to type."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

_DIGITS = re.compile(r"[0-9]{1,24}(\.[0-9]{1,28})?", re.ASCII)
MOST_DIGITS = 30
"""As in a file of alignments."""


class NumberField(forms.CharField):
    """Digits with at most one point; between `least` and `most`. A decimal comma is told, not guessed."""

    def __init__(self, *, least: Decimal, most: Decimal, above: bool = False, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(max_length=40, widget=widget, **kwargs)
        self.least, self.most, self.above = least, most, above

    def clean(self, value: Any) -> Any:
        text = super().clean(value).replace("%", "").strip()
        if not text:
            return None
        if not _DIGITS.fullmatch(text):
            hint = " Use a point, not a comma." if "," in text else ""
            raise ValidationError(f"Type a number such as 1 or 0.85.{hint}")
        if len(text) - text.count(".") > MOST_DIGITS:
            raise ValidationError(f"Type at most {MOST_DIGITS} digits.")
        number = Decimal(text)
        if number > self.most or number < self.least or (self.above and number == self.least):
            start = "above" if self.above else "from"
            raise ValidationError(f"Type a number {start} {self.least:f} to {self.most:f}.")
        return number
