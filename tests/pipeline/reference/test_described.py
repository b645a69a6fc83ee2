"""A kind is described from its class alone, whatever group it is of, and whatever it lacks."""

from __future__ import annotations

from pydantic import Field

from pipeline import Route, Row, Slot, StageSettings, stage
from pipeline.reference.described import describe

DOWN: Slot[str] = Slot("down", "Goes down.")
BELOW: Slot[str] = Slot("below", "Goes down as well.")
ASIDE: Slot[str] = Slot("aside", "May be there.")
UP: Slot[str] = Slot("up", "Goes up.")


class Leaf(StageSettings):
    """A leaf."""

    again: list[Leaf] = Field(default=[], description="Leaves of it.")


class Branch(StageSettings):
    """A branch."""

    leaves: dict[str, Leaf] = Field(description="Its leaves.")


@stage(
    "acme.tree", reads=(DOWN, BELOW), may_read=(ASIDE,), response_writes=(UP,), calls_next="at_most_once", expands=True
)
class Tree:
    """Grows.

    Slowly.
    """

    class Settings(StageSettings):
        branch: Branch | None = Field(default=None, description="One branch.")
        leaf: Leaf = Field(default=Leaf(), description="A leaf of its own.")


def test_a_stage_tells_its_promises_and_every_model_of_its_settings_once() -> None:
    found = describe(Row("stage", "acme.tree", "acme:Tree", "acme"), Tree)
    assert (found.summary, found.doc) == ("Grows.", "Grows.\n\nSlowly.")
    assert found.promises == [
        "Calls next: at most once.",
        "Reads: `below`, `down`.",
        "Reads if it is there: `aside`.",
        "Writes on the way up: `up`.",
        "May turn one event into several.",
    ]
    assert [(model.name, model.summary) for model in found.settings] == [
        ("Settings", ""),
        ("Branch", "A branch."),
        ("Leaf", "A leaf."),
    ]
    assert found.settings[0].rows[0] == ("`branch`", "`Branch`", "none", "One branch.")
    assert found.settings[1].rows == [("`leaves`", "mapping to `Leaf`", "required", "Its leaves.")]


def test_a_dialect_tells_its_routes() -> None:
    class Talk:
        """Talks."""

        routes = (Route("POST", "/talk", "chat"),)
        profiles = ("plain",)

    found = describe(Row("dialect", "talk", "acme:Talk"), Talk)
    assert (found.routes, found.profiles) == (Talk.routes, Talk.profiles)
    assert (found.promises, found.settings) == ((), ())


def test_what_is_no_class_and_has_nothing_is_described_all_the_same() -> None:
    found = describe(Row("transport", "odd", "acme:odd"), lambda options: None)
    assert (found.summary, found.promises, found.settings, found.routes) == ("", (), (), ())
