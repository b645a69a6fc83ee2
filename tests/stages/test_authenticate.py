"""Who is calling: a key that a store knows, or nobody; and when in doubt, nobody."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import PRINCIPAL, Headers, Principal, Request, SettingsError, Unauthenticated, UnknownName
from stages.authenticate import Authenticate
from tests.stages.fakes import Next, fake_host, never_next


class Store:
    """Knows some keys and remembers what it was asked."""

    def __init__(self, **known: str) -> None:
        self._known = known
        self.asked: list[str] = []

    def check(self, key: str) -> Principal | None:
        self.asked.append(key)
        return Principal(self._known[key]) if key in self._known else None


def stage(*stores: Store, **settings: Any) -> Authenticate:
    named = {str(at): store for at, store in enumerate(stores)}
    return Authenticate(Authenticate.Settings(**({"keys": list(named)} | settings)), fake_host(keys=named))


def asking(*authorization: str) -> Request:
    return Request("chat", headers=Headers([("Authorization", value) for value in authorization]))


async def refused(authenticate: Authenticate, request: Request) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as caught:
        await authenticate(request, never_next)
    return caught.value


@pytest.mark.parametrize("authorization", ["Bearer good", "bearer good", "BEARER good", "Bearer   good  "])
async def test_a_known_key_becomes_its_principal(authorization: str) -> None:
    call_next = Next()
    await stage(Store(good="ann"))(asking(authorization), call_next)
    assert [request.slots[PRINCIPAL] for request in call_next.requests] == [Principal("ann")]


@pytest.mark.parametrize(
    "authorization",
    [(), ("",), ("Bearer",), ("Bearer ",), ("Basic good",), ("good",), ("Bearer\tgood",), ("Bearergood",)],
)
async def test_without_a_bearer_key_no_store_is_asked(authorization: tuple[str, ...]) -> None:
    store = Store(good="ann")
    error = await refused(stage(store), asking(*authorization))
    assert (error.status, error.code, store.asked) == (401, None, [])


async def test_of_two_headers_only_the_first_counts() -> None:
    error = await refused(stage(Store(good="ann")), asking("Bearer bad", "Bearer good"))
    assert error.code == "invalid_api_key"


async def test_every_store_is_asked_in_order_until_one_knows() -> None:
    stores = Store(a="ann"), Store(b="bob"), Store(b="eve")
    call_next = Next()
    await stage(*stores)(asking("Bearer b"), call_next)
    assert call_next.requests[0].slots[PRINCIPAL].id == "bob"
    assert [store.asked for store in stores] == [["b"], ["b"], []]


async def test_an_unknown_key_and_a_wrong_one_get_the_same_answer_which_repeats_neither() -> None:
    authenticate = stage(Store(**{"ann.secret": "ann"}))
    answers = [await refused(authenticate, asking(f"Bearer {key}")) for key in ("ann.wrong", "eve.secret", "x")]
    assert len({(error.status, error.code, error.message, error.param) for error in answers}) == 1
    assert answers[0].code == "invalid_api_key"
    assert "secret" not in answers[0].message


async def test_a_store_that_fails_lets_nobody_in() -> None:
    class Broken(Store):
        def check(self, key: str) -> Principal | None:
            raise OSError("store is down")

    with pytest.raises(OSError, match="down"):
        await stage(Broken(), Store(good="ann"))(asking("Bearer good"), never_next)


async def test_anonymous_serves_everybody_and_looks_at_no_key() -> None:
    call_next = Next()
    for request in (asking(), asking("Bearer anything")):
        await stage(anonymous=True)(request, call_next)
    assert {request.slots[PRINCIPAL].id for request in call_next.requests} == {"anonymous"}


@pytest.mark.parametrize(
    ("settings", "field"), [({}, "keys"), ({"keys": []}, "keys"), ({"keys": ["0"], "anonymous": True}, "anonymous")]
)
def test_settings_that_would_leave_the_door_open_are_refused(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Authenticate(Authenticate.Settings(**settings), fake_host(keys={"0": Store()}))
    assert caught.value.field == field


def test_a_store_that_does_not_exist_is_a_start_up_error() -> None:
    with pytest.raises(UnknownName):
        Authenticate(Authenticate.Settings(keys=["nobody"]), fake_host(keys={}))
