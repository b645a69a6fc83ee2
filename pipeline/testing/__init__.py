"""The conformance kit: what holds a stage to the laws, and what its author's own tests are made of.

Names are imported when they are used, so that the plain parts need no test library: `gatewright[testing]` brings it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.testing.dialects.law import DialectLaw, DialectLawBroken
    from pipeline.testing.dialects.laws import DIALECT_LAWS
    from pipeline.testing.dialects.subject import DialectSubject
    from pipeline.testing.dialects.trial import DialectTrial, try_dialect_law
    from pipeline.testing.drive import Attempt, Cancelled, NeedsLoop, by_hand, on_loop
    from pipeline.testing.kit_host import KEY, KitCatalogue, KitHost, KitKeys
    from pipeline.testing.law import Law, LawBroken, hold
    from pipeline.testing.laws import LAWS, law_of
    from pipeline.testing.lint import Lint, ProtocolBroken
    from pipeline.testing.points import Points
    from pipeline.testing.running import Trial, trials
    from pipeline.testing.scenario import Answer, Ask, Fault, Scenario
    from pipeline.testing.scripted import ScriptedAnswer, ScriptedSource, ScriptedUpstream, Stall
    from pipeline.testing.subject import Arrangement, Subject
    from pipeline.testing.trial import PROFILES, Profile, alike, try_law, try_laws
    from pipeline.testing.virtual_clock import VirtualClock
    from pipeline.testing.wire import Wire, WireUpstream, played
    from pipeline.testing.world import World

_WHERE = {
    "dialects.law": ("DialectLaw", "DialectLawBroken"),
    "dialects.laws": ("DIALECT_LAWS",),
    "dialects.subject": ("DialectSubject",),
    "dialects.trial": ("DialectTrial", "try_dialect_law"),
    "drive": ("Attempt", "Cancelled", "NeedsLoop", "by_hand", "on_loop"),
    "kit_host": ("KEY", "KitCatalogue", "KitHost", "KitKeys"),
    "law": ("Law", "LawBroken", "hold"),
    "laws": ("LAWS", "law_of"),
    "lint": ("Lint", "ProtocolBroken"),
    "points": ("Points",),
    "running": ("Trial", "trials"),
    "scenario": ("Answer", "Ask", "Fault", "Scenario"),
    "scripted": ("ScriptedAnswer", "ScriptedSource", "ScriptedUpstream", "Stall"),
    "subject": ("Arrangement", "Subject"),
    "trial": ("PROFILES", "Profile", "alike", "try_law", "try_laws"),
    "virtual_clock": ("VirtualClock",),
    "wire": ("Wire", "WireUpstream", "played"),
    "world": ("World",),
}
_MODULES = {name: module for module, names in _WHERE.items() for name in names}

__all__ = [
    "DIALECT_LAWS",
    "KEY",
    "LAWS",
    "PROFILES",
    "Answer",
    "Arrangement",
    "Ask",
    "Attempt",
    "Cancelled",
    "DialectLaw",
    "DialectLawBroken",
    "DialectSubject",
    "DialectTrial",
    "Fault",
    "KitCatalogue",
    "KitHost",
    "KitKeys",
    "Law",
    "LawBroken",
    "Lint",
    "NeedsLoop",
    "Points",
    "Profile",
    "ProtocolBroken",
    "Scenario",
    "ScriptedAnswer",
    "ScriptedSource",
    "ScriptedUpstream",
    "Stall",
    "Subject",
    "Trial",
    "VirtualClock",
    "Wire",
    "WireUpstream",
    "World",
    "alike",
    "by_hand",
    "hold",
    "law_of",
    "on_loop",
    "played",
    "trials",
    "try_dialect_law",
    "try_law",
    "try_laws",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"pipeline.testing.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
