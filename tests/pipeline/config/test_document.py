"""The shape of a config file: what is accepted and where each fault is reported (at each `§`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.config import plain

if TYPE_CHECKING:
    from tests.pipeline.config.conftest import Workspace

EDGE = "{dialect: x, mount: /v1, chain: [go]}"


def gateway(body: str) -> str:
    """A config whose only gateway has this flow-style body."""
    return f"version: 1\ngateways:\n  edge: {body}\n"


def chain(*items: str) -> str:
    """A config whose only gateway has this chain, one line each, the first on line 6."""
    lines = "".join(f"      - {item}\n" for item in items)
    return f"version: 1\ngateways:\n  edge:\n    dialect: x\n    chain:\n{lines}    mount: /v1\n"


def resources(body: str) -> str:
    """A good gateway and these resources."""
    return f"version: 1\ngateways: {{edge: {EDGE}}}\nresources: {body}\n"


FAULTS: dict[str, tuple[str, list[str]]] = {
    "nothing in it": ("§§{}", ["missing", "missing"]),
    "no version": (f"§gateways: {{edge: {EDGE}}}", ["missing"]),
    "a version to come": (f"version: §2\ngateways: {{edge: {EDGE}}}", ["unsupported-version"]),
    "version as text": (f"version: §'1'\ngateways: {{edge: {EDGE}}}", ["unsupported-version"]),
    "version true": (f"version: §true\ngateways: {{edge: {EDGE}}}", ["unsupported-version"]),
    "version 1.0": (f"version: §1.0\ngateways: {{edge: {EDGE}}}", ["unsupported-version"]),
    "misspelt top-level key is one fault": (f"version: 1\n§gatways: {{edge: {EDGE}}}", ["unknown-key gateways"]),
    "unknown top-level key": (f"version: 1\ngateways: {{edge: {EDGE}}}\n§zzz: 1", ["unknown-key"]),
    "gateways left empty": ("version: 1\n§gateways:\n", ["missing"]),
    "no gateway": ("version: 1\ngateways: §{}\n", ["invalid-value"]),
    "gateways as a list": ("version: 1\ngateways:\n  §- edge\n", ["wrong-type"]),
    "gateway as text": (gateway("§some_bundle"), ["wrong-type"]),
    "gateway left empty": (gateway("").replace("edge: ", "edge:§"), ["wrong-type"]),
    "gateway name in capitals": (f"version: 1\ngateways: {{§Edge: {EDGE}}}\n", ["invalid-name"]),
    "gateway name with a dot": (f"version: 1\ngateways: {{§a.b: {EDGE}}}\n", ["invalid-name"]),
    "no chain and no bundle": (gateway("§{mount: /v1}"), ["missing"]),
    "no mount and no dialect": (gateway("§§{chain: [go]}"), ["missing", "missing"]),
    "no chain": (gateway("§{dialect: x, mount: /v1}"), ["missing"]),
    "misspelt mount": (gateway("{dialect: x, §mont: /v1, chain: [go]}"), ["unknown-key mount"]),
    "misspelt use": (gateway("{§uses: base}"), ["unknown-key use"]),
    "unknown gateway key": (gateway("{dialect: x, mount: /v1, chain: [go], §qqqq: 1}"), ["unknown-key"]),
    "with but no bundle": (gateway("{dialect: x, mount: /v1, chain: [go], §with: {a: 1}}"), ["conflict"]),
    "dialect is a boolean": (gateway("{dialect: §false, mount: /v1, chain: [go]}"), ["wrong-type"]),
    "dialect is a number": (gateway("{dialect: §7, mount: /v1, chain: [go]}"), ["wrong-type"]),
    "mount is a number": (gateway("{dialect: x, mount: §1, chain: [go]}"), ["wrong-type"]),
    "mount without a slash": (gateway("{dialect: x, mount: §v1, chain: [go]}"), ["invalid-mount"]),
    "mount empty": (gateway("{dialect: x, mount: §'', chain: [go]}"), ["invalid-mount"]),
    "mount with a last slash": (gateway("{dialect: x, mount: §/v1/, chain: [go]}"), ["invalid-mount"]),
    "mount climbing": (gateway("{dialect: x, mount: §/a/../b, chain: [go]}"), ["invalid-mount"]),
    "mount with an empty segment": (gateway("{dialect: x, mount: §/a//b, chain: [go]}"), ["invalid-mount"]),
    "mount that is two slashes": (gateway("{dialect: x, mount: §//, chain: [go]}"), ["invalid-mount"]),
    "mount with a query": (gateway("{dialect: x, mount: §'/a?b', chain: [go]}"), ["invalid-mount"]),
    "mount with a fragment": (gateway("{dialect: x, mount: §'/a#b', chain: [go]}"), ["invalid-mount"]),
    "mount with an escape": (gateway("{dialect: x, mount: §'/a%20b', chain: [go]}"), ["invalid-mount"]),
    "mount with a space": (gateway("{dialect: x, mount: §/a b, chain: [go]}"), ["invalid-mount"]),
    "mount with an umlaut": (gateway("{dialect: x, mount: §/ä, chain: [go]}"), ["invalid-mount"]),
    "chain is a mapping": (gateway("{dialect: x, mount: /v1, chain: §{auth: {}}}"), ["wrong-type"]),
    "chain is empty": (gateway("{dialect: x, mount: /v1, chain: §[]}"), ["invalid-value"]),
    "stage is a number": (chain("a", "§3"), ["wrong-type"]),
    "stage is a list": (chain("§[a, b]"), ["wrong-type"]),
    "stage left empty": (chain("§~"), ["wrong-type"]),
    "stage kind in capitals": (chain("§Auth"), ["invalid-name"]),
    "stage kind with a dash": (chain("§rate-limit"), ["invalid-name"]),
    "stage kind with a last dot": (chain("§acme."), ["invalid-name"]),
    "stage kind as a bad key": (chain("{§rate-limit: {}}"), ["invalid-name"]),
    "bad kind and bad settings": (chain("{§rate-limit: §5}"), ["invalid-name", "wrong-type"]),
    "stage without a kind": (chain("§{id: a}"), ["one-key"]),
    "stage with two kinds": (chain("{auth: {}, §limit: {}}"), ["one-key"]),
    "settings not indented": (chain("auth:\n        §keys: [a]"), ["one-key"]),
    "settings are a list": (chain("{auth: §[a]}"), ["wrong-type"]),
    "id is a number": (chain("{id: §1, auth: {}}"), ["wrong-type"]),
    "id with a space": (chain("{id: §a b, auth: {}}"), ["invalid-name"]),
    "kind twice": (chain("auth", "limit", "§auth"), ["duplicate-stage"]),
    "kind twice, as a key": (chain("auth", "{§auth: {}}"), ["duplicate-stage"]),
    "id twice": (chain("{id: a, auth: {}}", "{§id: a, limit: {}}"), ["duplicate-stage"]),
    "id that is another's kind": (chain("auth", "{limit: {}, §id: auth}"), ["duplicate-stage"]),
    "each of three copies but the first": (chain("a", "§a", "§a"), ["duplicate-stage", "duplicate-stage"]),
    "every stage of a chain is looked at": (chain("§A", "b", "§C"), ["invalid-name", "invalid-name"]),
    "resources as a list": (resources("§[a]"), ["wrong-type"]),
    "group as a list": (resources("{upstreams: §[a]}"), ["wrong-type"]),
    "resource as text": (resources("{upstreams: {local: §x}}"), ["wrong-type"]),
    "resource kind is a number": (resources("{upstreams: {local: {kind: §1}}}"), ["wrong-type"]),
    "resource kind in capitals": (resources("{upstreams: {local: {kind: §Http}}}"), ["invalid-name"]),
}


@pytest.mark.parametrize(("text", "expected"), FAULTS.values(), ids=FAULTS)
def test_fault_is_reported_at_its_place(workspace: Workspace, text: str, expected: list[str]) -> None:
    workspace.expect(text, expected)


def test_written_out_gateway(workspace: Workspace) -> None:
    document = workspace.load(
        "version: 1\n"
        "gateways:\n"
        "  edge:\n"
        "    dialect: x\n"
        "    mount: /v1\n"
        "    chain:\n"
        "      - {id: auth, authenticate: {keys: [team]}}\n"
        "      - acme.redact\n"
        "      - dispatch:\n"
    )
    (edge,) = document.gateways
    assert (edge.name, edge.dialect, edge.mount, edge.bundle) == ("edge", "x", "/v1", None)
    assert [(stage.id, stage.kind, plain(stage.settings)) for stage in edge.chain] == [
        ("auth", "authenticate", {"keys": ["team"]}),
        ("acme.redact", "acme.redact", {}),
        ("dispatch", "dispatch", {}),
    ]
    assert [(stage.mark.line, stage.mark.column) for stage in edge.chain] == [(7, 20), (8, 9), (9, 9)]
    assert (edge.mark.line, edge.mark.column) == (3, 3)
    assert (edge.dialect_mark.line, edge.dialect_mark.column) == (4, 14)
    assert (edge.mount_mark.line, edge.mount_mark.column) == (5, 12)


def test_the_root_mount_is_the_empty_prefix(workspace: Workspace) -> None:
    assert workspace.load(gateway("{dialect: x, mount: /, chain: [go]}")).gateways[0].mount == ""


def test_edits_apply_to_a_written_out_chain(workspace: Workspace) -> None:
    document = workspace.load(gateway("{dialect: x, mount: /v1, chain: [a, b], edit: [{remove: a}]}"))
    assert [stage.id for stage in document.gateways[0].chain] == ["b"]


def test_resources(workspace: Workspace) -> None:
    document = workspace.load(
        resources("\n  keys:\n  upstreams:\n    local: {base_url: u, kind: http}\n    odd name: {a: 1}\n    bare:")
    )
    local, odd, bare = document.resources
    assert (local.group, local.name, local.kind) == ("upstreams", "local", "http")
    assert plain(local.settings) == {"base_url": "u"}
    assert (local.mark.line, local.mark.column) == (6, 5)
    assert local.kind_mark is not None
    assert (local.kind_mark.line, local.kind_mark.column) == (6, 32)
    assert (odd.name, odd.kind, odd.kind_mark, plain(odd.settings)) == ("odd name", None, None, {"a": 1})
    assert (bare.name, plain(bare.settings)) == ("bare", {})


def test_a_key_without_a_value_counts_as_not_written(workspace: Workspace) -> None:
    document = workspace.load(
        gateway("{dialect: x, mount: /v1, chain: [{id: , go: }], edit: , with: }") + "resources:\n"
    )
    assert [stage.id for stage in document.gateways[0].chain] == ["go"]
    assert document.resources == ()


def test_order_is_the_order_written(workspace: Workspace) -> None:
    document = workspace.load(f"version: 1\ngateways: {{b: {EDGE}, a: {EDGE}, c: {EDGE}}}\n")
    assert [entry.name for entry in document.gateways] == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (chain("a", "{id: 1, auth: {}}"), "gateways.edge.chain[1].id"),
        (chain("{rate-limit: {}}"), "gateways.edge.chain[0].rate-limit"),
        (chain("{a: {}, b: {}}"), "gateways.edge.chain[0].b"),
        (gateway("{chian: [go], dialect: x, mount: /v1}"), "gateways.edge.chian"),
        (gateway("{dialect: x, mount: /v1}"), "gateways.edge.chain"),
        (resources("{upstreams: {'a.b c': 1}}"), "resources.upstreams['a.b c']"),
    ],
)
def test_path_says_which_value_is_meant(workspace: Workspace, text: str, path: str) -> None:
    assert path in [problem.path for problem in workspace.problems(text)]


def test_a_duplicate_stage_names_both_places(workspace: Workspace) -> None:
    (problem,) = workspace.problems(chain("auth", "{id: auth, limit: {}}"))
    assert problem.mark.line == 7
    assert f"{workspace.folder / 'gateway.yaml'}:6:9" in problem.message


@pytest.mark.parametrize(
    ("written", "found"),
    [("{a: 1}", "a mapping"), ("[a]", "a list"), ("true", "a boolean"), ("7", "a number"), ("1.5", "a number")],
)
def test_a_wrong_type_says_what_is_expected_and_what_was_found(workspace: Workspace, written: str, found: str) -> None:
    (problem,) = workspace.problems(gateway(f"{{dialect: {written}, mount: /v1, chain: [go]}}"))
    assert problem.message == f"expected text, found {found}"
