"""Settings -> a pydantic model, with pydantic's complaints turned into problems that point into the file."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.config.field_names import keys_at
from pipeline.config.problems import Problem, nearest
from pipeline.config.tree import Node, SecretText, Unresolved, dotted, find, plain, trace, walk

M = TypeVar("M", bound=BaseModel)


def validate(node: Node, model: type[M], *, path: str, problems: list[Problem]) -> M | None:
    """The settings at `node` as a `model`, or None after adding one problem per fault.

    `path` is where the node stands in the document. Pydantic's own error text quotes the input, which may be a secret,
    so only its message is used, and a validator's message that quotes a secret is masked. A value that could not be
    had makes the result None without a word: its reason is a problem already.
    """
    try:
        settings = model.model_validate(plain(node))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
    else:
        return None if any(isinstance(below.value, Unresolved) for below in walk(node)) else settings
    faults = [fault for fault in faults if not isinstance(trace(node, fault["loc"])[1].value, Unresolved)]
    hints = {
        fault["loc"]: nearest(str(fault["loc"][-1]), keys_at(model, fault["loc"][:-1]))
        for fault in faults
        if fault["type"] == "extra_forbidden"
    }
    # A misspelt required key is one fault: reported as unknown, not also as missing.
    meant = {(*loc[:-1], hint) for loc, hint in hints.items()}
    problems.extend(
        _problem(fault, hints.get(fault["loc"]), node, path)
        for fault in faults
        if fault["type"] != "missing" or fault["loc"] not in meant
    )
    return None


def _problem(fault: ErrorDetails, hint: str | None, node: Node, path: str) -> Problem:
    loc = fault["loc"]
    real, at = trace(node, loc)
    if fault["type"] == "extra_forbidden":
        return Problem("unknown-key", find(node, loc, key=True), dotted(real, path), f"unknown key {loc[-1]!r}", hint)
    if fault["type"] == "missing":
        return Problem("missing", at.mark, dotted((*real, loc[-1]), path), f"{loc[-1]!r} is required")
    mark = find(node, loc[:-1], key=True) if loc[-1:] == ("[key]",) else at.mark
    return Problem("invalid-value", mark, dotted(real, path), _masked(fault["msg"].removeprefix("Value error, "), at))


def _masked(message: str, node: Node) -> str:
    """The message without any secret of the tree it is about; longest first, as one may be part of another."""
    secrets = {str(below.value) for below in walk(node) if isinstance(below.value, SecretText)}
    for secret in sorted(secrets, key=len, reverse=True):
        message = message.replace(secret, "***").replace(repr(secret)[1:-1], "***")
    return message
