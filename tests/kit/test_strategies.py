"""The strategies: what they make validates, and what they shrink to can be read."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import find, given
from hypothesis import strategies as st
from pydantic import Field, SecretStr, model_validator

from pipeline import Event, Request, StageSettings
from pipeline.testing import Subject
from pipeline.testing.asking import Unfit, request_of
from pipeline.testing.strategies import from_settings, scenarios
from pipeline.testing.strategies.settings import NoStrategy
from pipeline.testing.strategies.types import events, requests

KINDS = ["authenticate", "dispatch", "normalise", "transform"]


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(StageSettings):
    weight: Annotated[int, Field(gt=2, le=5)] = Field(description="How much.")


class Everything(StageSettings):
    name: str = Field(min_length=2, max_length=3, description="A name.")
    id: str = Field(pattern=r"^[a-z]{2}$", description="An id.")
    count: int = Field(default=7, ge=5, lt=9, description="How many.")
    part: float = Field(gt=0, le=1, description="Which part.")
    colour: Colour | None = Field(default=None, description="Which colour.")
    mode: Literal["a", "b"] = Field(description="Which mode.")
    secret: SecretStr = Field(description="A secret.")
    inner: list[Inner] = Field(min_length=1, description="More.")
    table: dict[str, Inner | None] = Field(default={}, description="By name.")
    flag: bool = Field(default=False, description="Yes or no.")
    anything: Any = Field(default=None, description="Whatever.")


class Excluding(StageSettings):
    one: bool = Field(default=False, description="One.")
    two: bool = Field(default=False, description="Or the other.")

    @model_validator(mode="after")
    def exclude(self) -> Excluding:
        if self.one == self.two:
            raise ValueError("one of them")
        return self


@given(from_settings(Everything))
def test_settings_keep_every_limit(settings: Everything) -> None:
    assert Everything.model_validate(settings.model_dump()) == settings


def test_absent_fields_keep_their_defaults_in_the_simplest_settings() -> None:
    simplest = find(from_settings(Everything), lambda settings: True)
    assert (simplest.count, simplest.table, simplest.flag) == (7, {}, False)
    assert find(from_settings(Everything), lambda settings: settings.count != 7).count == 5


@given(from_settings(Excluding))
def test_what_the_types_do_not_say_is_found_by_validating(settings: Excluding) -> None:
    assert settings.one != settings.two


def test_a_type_without_values_is_named_with_its_field() -> None:
    class Odd(StageSettings):
        where: complex = Field(description="A point.")

    with pytest.raises(NoStrategy, match=r"Odd\.where"):
        from_settings(Odd)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_request_has_what_its_stage_reads(kind: str, data: st.DataObject) -> None:
    subject = Subject.of(kind)
    scenario = data.draw(scenarios(subject))
    try:
        request = request_of(scenario.ask, subject)
    except Unfit:
        return
    assert subject.spec.reads <= request.slots.keys()


def test_the_simplest_scenario_fits_in_a_few_lines() -> None:
    subject = Subject.of("normalise")
    scenario = find(scenarios(subject), lambda scenario: scenario.ask.operation == "chat")
    assert (scenario.answer.dialect, scenario.answer.fault) == ("", None)
    assert len(scenario.lines()) <= 4


@given(requests, events)
def test_the_types_of_the_engine_can_be_drawn(request: Request, event: Event) -> None:
    assert request.operation
    assert isinstance(event.data, dict)
