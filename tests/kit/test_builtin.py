"""Every registered stage keeps every law. A new one is held to them from the day it is registered."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence

import pytest

from pipeline import Registry
from pipeline.testing import LAWS, PROFILES, Law, Subject, alike, try_laws

PROFILE = PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "ci")]
REGISTRY = Registry.default()


@pytest.mark.parametrize("laws", alike(LAWS, PROFILE), ids=lambda laws: "-".join(law.id for law in laws))
@pytest.mark.parametrize("kind", REGISTRY.kinds("stage"))
def test_a_built_in_stage_keeps_the_laws(kind: str, laws: Sequence[Law]) -> None:
    subject = Subject.of(kind, REGISTRY)
    due = [law for law in laws if not law.spared(subject.spec)]
    if not due:
        pytest.skip(laws[0].spared(subject.spec))
    tried = try_laws(due, subject, PROFILE, from_seed=zlib.crc32(f"{kind} {laws}".encode()))
    assert tried == PROFILE.of(due[0])
