"""How long a server asks to wait, as all protocols over HTTP say it."""

from __future__ import annotations

import re

from pipeline import Headers


def parse_retry_after(headers: Headers) -> float | None:
    """Seconds from `retry-after-ms` or a numeric `retry-after`; dates are left alone, having no clock here."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is not None and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,3})?", value.strip()):
            return float(value) / unit
    return None
