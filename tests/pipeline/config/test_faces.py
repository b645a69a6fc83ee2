"""Further dialects of a gateway: written out or in a bundle, and where each fault is reported (at each `§`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.config import GatewayEntry

if TYPE_CHECKING:
    from tests.pipeline.config.conftest import Workspace


def written_out(faces: str) -> str:
    return f"version: 1\ngateways:\n  edge: {{dialect: x, mount: /, chain: [go], faces: {faces}}}\n"


def bundled(faces: str) -> str:
    parameters = "{at: {description: d, default: /v1}}"
    return (
        f"version: 1\nbundle:\n  dialect: x\n  mount: /\n  faces: {faces}\n  parameters: {parameters}\n  chain: [go]\n"
    )


def use(body: str = "use: base") -> str:
    return f"version: 1\ngateways:\n  edge: {{{body}}}\n"


def prefixes(entry: GatewayEntry) -> list[tuple[str, str]]:
    return [(face.dialect, face.prefix) for face in entry.faces]


@pytest.mark.parametrize(
    ("faces", "found"),
    [
        ("{y: /v1}", [("y", "/v1")]),
        ("{y: /v1, z: /a/b}", [("y", "/v1"), ("z", "/a/b")]),
        ("{y: /}", [("y", "")]),
        ("{}", []),
        ("", []),
    ],
)
def test_faces_are_dialects_and_their_prefixes(workspace: Workspace, faces: str, found: list[tuple[str, str]]) -> None:
    (edge,) = workspace.load(written_out(faces)).gateways
    assert prefixes(edge) == found
    workspace.write("bundles/base.yaml", bundled(faces))
    (edge,) = workspace.load(use()).gateways
    assert prefixes(edge) == found


def test_without_a_word_of_them_there_are_none(workspace: Workspace) -> None:
    (edge,) = workspace.load("version: 1\ngateways: {edge: {dialect: x, mount: /v1, chain: [go]}}\n").gateways
    assert edge.faces == ()


def test_a_face_remembers_where_it_is_written(workspace: Workspace) -> None:
    text = written_out("{y: /v1}")
    (edge,) = workspace.load(text).gateways
    (mark,) = [face.mark for face in edge.faces]
    assert (mark.line, mark.column) == (3, text.splitlines()[2].index("y: /v1") + 1)
    workspace.write("bundles/base.yaml", bundled("{y: /v1}"))
    (edge,) = workspace.load(use()).gateways
    (face,) = edge.faces
    assert (face.mark.file, face.mark.line) == (str(workspace.folder / "bundles/base.yaml"), 5)


@pytest.mark.parametrize(("body", "prefix"), [("use: base", "/v1"), ("use: base, with: {at: /compat}", "/compat")])
def test_a_bundle_s_faces_may_use_a_parameter(workspace: Workspace, body: str, prefix: str) -> None:
    workspace.write("bundles/base.yaml", bundled("{y: '${with:at}'}"))
    (edge,) = workspace.load(use(body)).gateways
    assert prefixes(edge) == [("y", prefix)]


def test_a_bundle_moved_to_another_mount_keeps_its_faces(workspace: Workspace) -> None:
    workspace.write("bundles/base.yaml", bundled("{y: /v1}"))
    (edge,) = workspace.load(use("use: base, mount: /moved")).gateways
    assert (edge.mount, prefixes(edge)) == ("/moved", [("y", "/v1")])


FAULTS: dict[str, tuple[str, list[str]]] = {
    "a list": ("§[y]", ["wrong-type"]),
    "text": ("§y", ["wrong-type"]),
    "prefix is a number": ("{y: §1}", ["wrong-type"]),
    "prefix is a mapping": ("{y: §{prefix: /v1}}", ["wrong-type"]),
    "prefix left empty": ("{y: §''}", ["invalid-mount"]),
    "prefix without a slash": ("{y: §v1}", ["invalid-mount"]),
    "prefix with a last slash": ("{y: §/v1/}", ["invalid-mount"]),
    "prefix climbing": ("{y: §/../v1}", ["invalid-mount"]),
    "prefix with an escape": ("{y: §/%76}", ["invalid-mount"]),
    "the gateway's own dialect": ("{§x: /v1}", ["conflict"]),
    "the same dialect twice": ("{y: /v1, §y: /v2}", ["duplicate-key"]),
    "each of them is looked at": ("{y: §v1, z: §v2, §x: /v3}", ["invalid-mount", "invalid-mount", "conflict"]),
}


@pytest.mark.parametrize(("faces", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_reported_at_its_place(workspace: Workspace, faces: str, expected: list[str]) -> None:
    workspace.expect(written_out(faces), expected)


@pytest.mark.parametrize(("faces", "expected"), FAULTS.values(), ids=FAULTS)
def test_in_a_bundle_too(workspace: Workspace, faces: str, expected: list[str]) -> None:
    workspace.expect(use(), expected, bundle=bundled(faces))


def test_a_bundle_s_faces_are_not_replaced(workspace: Workspace) -> None:
    (problem,) = workspace.expect(use("use: base, §faces: {z: /z}"), ["conflict"], bundle=bundled("{y: /v1}"))
    assert "comes from the bundle" in problem.message


def test_a_misspelt_key_is_told_with_the_nearest(workspace: Workspace) -> None:
    text = "version: 1\ngateways: {edge: {dialect: x, mount: /v1, chain: [go], §facse: {y: /y}}}\n"
    workspace.expect(text, ["unknown-key faces"])
