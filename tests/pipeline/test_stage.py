"""What `@stage` attaches, and what is known of a stage that was never declared."""

from __future__ import annotations

import pytest
from pydantic import Field, ValidationError

from pipeline import Handler, Request, Response, Slot, StageSettings, StageSpec, spec_of, stage

A: Slot[int] = Slot("a")
B: Slot[int] = Slot("b")


def test_the_decorator_attaches_what_is_declared_and_changes_nothing_else() -> None:
    class Plain:
        """Words."""

    declared = stage("vendor.kind", reads=[A], writes=(B,), response_reads={B}, response_writes=[A], expands=True)(
        Plain
    )
    assert declared is Plain
    assert declared.__doc__ == "Words."
    assert spec_of(Plain) is spec_of(Plain())
    assert spec_of(Plain) == StageSpec(
        "vendor.kind", frozenset({A}), frozenset({B}), frozenset({B}), frozenset({A}), "once", True
    )


@pytest.mark.parametrize("calls_next", ["never", "once", "at_most_once", "many"])
def test_only_a_stage_that_never_calls_next_is_a_terminal(calls_next: str) -> None:
    spec = StageSpec("kind", calls_next=calls_next)  # type: ignore[arg-type]  # pytest's parameters are plain text
    assert spec.terminal == (calls_next == "never")


def test_a_plain_function_claims_nothing_and_has_its_own_name() -> None:
    async def quiet(request: Request, call_next: Handler, /) -> Response:
        return await call_next(request)

    assert spec_of(quiet) == StageSpec("quiet")
    assert spec_of(object()) == StageSpec("object")


def test_an_attribute_named_spec_that_is_none_is_no_spec() -> None:
    class Odd:
        spec = "not ours"

    assert spec_of(Odd()) == StageSpec("Odd")


class Settings(StageSettings):
    key: str = Field(description="A key.")


def test_settings_are_frozen_and_refuse_unknown_keys() -> None:
    settings = Settings(key="k")
    with pytest.raises(ValidationError, match="frozen"):
        settings.key = "other"
    with pytest.raises(ValidationError, match="extra"):
        Settings.model_validate({"key": "k", "kye": "k"})


def test_a_refused_value_is_not_quoted() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"key": ["s3cr3t"]})
    assert "s3cr3t" not in str(caught.value)
