"""Who may do what: a caller without the scope is refused before anything happens."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import PRINCIPAL, PermissionDenied, Principal, Request, Response, SettingsError
from stages.authenticate import Authenticate
from stages.authorize import Authorize
from tests.stages.fakes import Next, fake_host, never_next


def authorize(**operations: str | None) -> Authorize:
    """The names of keywords hold no dots: `manage_all` stands for `manage.*`."""
    named = {name.replace("_all", ".*").replace("_", "."): scope for name, scope in operations.items()}
    return Authorize(Authorize.Settings(operations=named), fake_host())


def asking(operation: str, *scopes: str) -> Request:
    return Request(operation).with_slot(PRINCIPAL, Principal("ann", frozenset(scopes)))


@pytest.mark.parametrize(
    ("rules", "operation", "scopes"),
    [
        ({}, "manage.pull", ()),
        ({"manage_all": "admin"}, "chat", ()),
        ({"manage_all": None}, "chat", ()),
        ({"manage_all": None}, "manage", ()),
        ({"manage_all": None}, "managed", ()),
        ({"manage": None}, "managed", ()),
        ({"manage_all": "admin"}, "manage.pull", ("admin",)),
        ({"manage_all": "admin"}, "manage.blob.push", ("other", "admin")),
        ({"manage": "admin"}, "manage.pull", ("admin",)),
        ({"manage_all": "admin", "manage_delete": "owner"}, "manage.pull", ("admin",)),
        ({"manage_all": "admin", "manage_delete": "owner"}, "manage.delete", ("owner", "admin")),
    ],
)
async def test_who_may_passes_with_the_request_as_it_was(
    rules: dict[str, str | None], operation: str, scopes: tuple[str, ...]
) -> None:
    call_next = Next()
    request = asking(operation, *scopes)
    assert isinstance(await authorize(**rules)(request, call_next), Response)
    assert call_next.requests == [request]


@pytest.mark.parametrize(
    ("rules", "operation", "scopes"),
    [
        ({"manage_all": "admin"}, "manage.pull", ()),
        ({"manage_all": "admin"}, "manage.blob.push", ("Admin", "admin2", "manage.*", "*")),
        ({"manage": "admin"}, "manage.pull", ()),
        ({"chat": "admin"}, "chat", ()),
        ({"manage_all": None}, "manage.pull", ("admin", "None", "", "null")),
        ({"manage_all": "admin", "manage_delete": None}, "manage.delete", ("admin",)),
        ({"manage_all": None, "manage_delete": "admin"}, "manage.delete", ("admin",)),
        ({"manage_all": "admin", "manage_delete": "owner"}, "manage.delete", ("owner",)),
    ],
)
async def test_who_may_not_is_told_so_and_which_operation(
    rules: dict[str, str | None], operation: str, scopes: tuple[str, ...]
) -> None:
    with pytest.raises(PermissionDenied, match=operation) as caught:
        await authorize(**rules)(asking(operation, *scopes), never_next)
    assert caught.value.status == 403
    assert "admin" not in caught.value.message, "which scope opens the door is not the caller's business"


async def test_nobody_known_is_nobody_allowed() -> None:
    with pytest.raises(KeyError):
        await authorize(manage="admin")(Request("manage.pull"), never_next)


async def test_where_everybody_is_served_nobody_has_a_scope() -> None:
    anonymous = Authenticate(Authenticate.Settings(anonymous=True), fake_host())
    stage = authorize(manage="admin")

    async def inner(request: Request) -> Response:
        return await stage(request, never_next)

    with pytest.raises(PermissionDenied):
        await anonymous(Request("manage.pull"), inner)


@pytest.mark.parametrize("operations", [{"": "admin"}, {"manage.*": ""}, {"manage.*": "  "}])
def test_a_rule_that_says_nothing_is_a_start_up_error(operations: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as caught:
        Authorize(Authorize.Settings(operations=operations), fake_host())
    assert caught.value.field == "operations"
