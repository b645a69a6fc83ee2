"""The laws of dialects, in the order of their numbers; docs/laws.md is made of them."""

from __future__ import annotations

from pipeline.testing.dialects.answers import cut_anywhere, cut_is_prefix, ends_once, whole_is_stream
from pipeline.testing.dialects.law import DialectLaw
from pipeline.testing.dialects.totality import any_answer, any_request

DIALECT_LAWS: tuple[DialectLaw, ...] = (
    whole_is_stream,
    cut_is_prefix,
    ends_once,
    cut_anywhere,
    any_answer,
    any_request,
)
