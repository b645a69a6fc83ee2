"""The tree of errors is the one drawn at the top of the file, and an unknown exception tells the caller nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

import pipeline
from pipeline import GatewayError, InternalError, RateLimited, UpstreamRejected, errors
from pipeline.errors import as_gateway_error

ROW = re.compile(r"^ {4}(?P<branch>[│├└─ ]*)(?P<name>[A-Z]\w+)(?: +(?P<status>\d{3})\b)?", re.M)


def drawn() -> Iterator[tuple[str, str, int | None]]:
    """Each class of the drawing, its parent, and its status where one is written."""
    path: list[str] = []
    doc = errors.__doc__ or ""
    for row in ROW.finditer(doc, doc.index("    GatewayError"), doc.index("Each error")):
        depth = len(row["branch"]) // 4
        path[depth:] = [row["name"]]
        yield row["name"], path[depth - 1] if depth else "Exception", int(row["status"]) if row["status"] else None


def real() -> dict[str, type[GatewayError]]:
    return {name: cls for name, cls in vars(errors).items() if isinstance(cls, type) and issubclass(cls, GatewayError)}


def test_the_drawing_is_read() -> None:
    assert len(list(drawn())) > 20
    assert next(drawn()) == ("GatewayError", "Exception", None)


def test_every_class_is_drawn_below_its_parent_and_nothing_else_is() -> None:
    assert {name: parent for name, parent, _ in drawn()} == {
        name: base.__name__ for name, cls in real().items() for base in cls.__bases__
    }


@pytest.mark.parametrize(("name", "status"), [(name, status) for name, _, status in drawn() if status])
def test_the_drawn_status_is_the_real_one(name: str, status: int) -> None:
    assert real()[name]("words").status == status


def test_every_error_that_can_be_raised_has_a_status_in_the_drawing_but_the_one_that_keeps_the_upstream_s() -> None:
    parents = {parent for _, parent, _ in drawn()} - {"NotFound"}
    assert {name for name, _, status in drawn() if status is None} == {*parents - {"Exception"}, "UpstreamRejected"}


@pytest.mark.parametrize("name", sorted(name for name, _, _ in drawn()))
def test_every_error_is_public_and_says_whose_fault_it_is(name: str) -> None:
    assert getattr(pipeline, name) is real()[name]
    branch = next(base for base in real()[name].__mro__ if GatewayError in (base, *base.__bases__))
    origins = {"CallerError": "caller", "GatewayFault": "gateway", "UpstreamError": "upstream"}
    assert real()[name].origin == origins.get(branch.__name__, "gateway")


def test_what_is_given_covers_what_the_class_says() -> None:
    error = RateLimited("slow down", status=430, type="t", code="c", param="p", retryable=False, retry_after=2.5)
    assert (error.status, error.retryable, error.retry_after, error.work_done) == (430, False, 2.5, "no")
    assert error.public() == {"message": "slow down", "type": "t", "param": "p", "code": "c"}
    assert (RateLimited.status, RateLimited("again").code) == (429, "rate_limit_exceeded")


def test_the_detail_is_for_the_log_and_never_for_the_caller() -> None:
    error = UpstreamRejected("no", status=418, detail="10.0.0.7 said so")
    error.stage = "dispatch"
    assert "10.0.0.7" not in str((str(error), error.public()))
    assert error.facts() == {
        "error": "upstream_error",
        "error_origin": "upstream",
        "error_stage": "dispatch",
        "error_detail": "10.0.0.7 said so",
    }


def test_an_unknown_exception_becomes_opaque_and_keeps_its_cause() -> None:
    cause = ValueError("password=hunter2")
    error = as_gateway_error(cause)
    assert isinstance(error, InternalError)
    assert (error.status, error.__cause__, error.detail) == (500, cause, "ValueError")
    assert "hunter2" not in str((str(error), error.public(), error.facts()))


def test_a_typed_error_is_itself() -> None:
    error = RateLimited("slow down")
    assert as_gateway_error(error) is error
