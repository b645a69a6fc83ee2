"""Types and defaults are told in a config writer's words, and no annotation of a third party breaks the telling."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr, create_model
from pydantic.fields import FieldInfo

from pipeline.reference.wording import default_of, doc, summary, type_of


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    pass


def field(annotation: Any, default: Any = ...) -> FieldInfo:
    return create_model("Model", x=(annotation, default)).model_fields["x"]


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (str, "text"),
        (SecretStr | None, "secret text"),
        (list[int] | float, "list of integer | number"),
        (dict[str, list[bool]], "mapping to list of boolean"),
        (Mapping[str, Inner], "mapping to `Inner`"),
        (tuple[int, ...], "list of integer"),
        (set[str], "list of text"),
        (list[Annotated[str, Field(min_length=1)]], "list of text"),
        (Literal["a", 1, None], "`a` | `1` | `null`"),
        (Colour, "`red` | `blue`"),
        (Any, "anything"),
        (bytes, "`bytes`"),
    ],
)
def test_a_type_is_told(annotation: Any, words: str) -> None:
    assert type_of(field(annotation)) == words


def fails() -> int:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("default", "words"),
    [
        (..., "required"),
        (None, "none"),
        ("", "none"),
        (0, "`0`"),
        (False, "`false`"),
        (["a", None], "`[a, null]`"),
        ({"a": [1]}, "`{a: [1]}`"),
        (frozenset({"b", "a"}), "`[a, b]`"),
        (Colour.RED, "`red`"),
        (SecretStr("hush-hush"), "`**********`"),
        (Field(default_factory=lambda: [1]), "`[1]`"),
        (Field(default_factory=fails), "made when needed"),
        (Field(default_factory=lambda others: others["y"]), "made when needed"),
    ],
)
def test_a_default_is_told(default: Any, words: str) -> None:
    assert default_of(field(Any, default)) == words


class Told:
    """The first paragraph,
    on two lines.

    The second.
    """


class Silent(Told):
    pass


def test_the_summary_is_the_first_paragraph_on_one_line() -> None:
    assert summary(Told) == "The first paragraph, on two lines."
    assert doc(Told) == "The first paragraph,\non two lines.\n\nThe second."


def test_a_class_does_not_speak_in_its_parents_words() -> None:
    assert (summary(Silent), doc(Silent)) == ("", "")
