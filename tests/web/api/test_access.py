"""Nobody calls without a token that works, has the right, and keeps its pace."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import APIRouter
from sqlalchemy import select

from digest.domain.accounts import Right
from digest.domain.api_tokens import PREFIX, Allowance, ApiToken, TokenId
from digest.store.database import reading, writing
from digest.store.tokens import TokenRow, list_tokens, remove_token
from digest.web.api.access import Call
from digest.web.api.application import ROUTERS
from digest.web.api.pace import Pace
from digest.web.api.problems import KINDS
from tests.web.api.conftest import Api, open_api, problem
from tests.web.world import NOW

CALLS = [route for router in ROUTERS for route in router.routes if isinstance(route, Call)]


def path_of(call: Call) -> str:
    """A path that leads to a call: no name in it has to be there, for access comes first."""
    return call.path.format(
        **dict.fromkeys(("newsletter", "topic", "email", "segment", "stage"), "nothing"),
        language="en",
        **{name: 999_999 for name in call.param_convertors if name.endswith(("_id", "number"))},
    )


def test_every_route_of_the_api_asks_for_a_right() -> None:
    assert [route for router in ROUTERS for route in router.routes] == CALLS


def test_a_route_without_a_right_cannot_be_made() -> None:
    router = APIRouter(route_class=Call)
    with pytest.raises(ValueError, match="not a valid Right"):
        router.get("/open-to-all")(lambda: None)


@pytest.fixture(scope="module")
def by_right(still_api: Api) -> dict[Right, str]:
    """A token for each right alone."""
    return {right: still_api.token(right) for right in Right}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_every_call_is_closed_to_whoever_lacks_the_token_or_the_right(
    call: Call, still_api: Api, by_right: dict[Right, str]
) -> None:
    (method,) = call.methods
    path = path_of(call)
    for secret in ("", "dg_forged", "other"):
        problem(still_api.call(method, path, secret=secret), 401, "no-token")
    for right, secret in by_right.items():
        response = still_api.call(method, path, secret=secret)
        if right is call.right:
            assert response.status_code not in (401, 403), f"{right}: {response.text}"
        else:
            assert f"'{call.right}'" in problem(response, 403, "not-allowed")


def test_a_token_is_told_apart_from_other_ways_to_sign_in(still_api: Api) -> None:
    for header in ("", "Basic dXNlcjpwYXNz", "Bearer", f"Token {still_api.secret}", still_api.secret):
        response = still_api.call("GET", "/issues", headers={"Authorization": header})
        problem(response, 401, "no-token")
        assert response.headers["www-authenticate"].startswith("Bearer")
    response = still_api.call("GET", "/issues", headers={"Authorization": f"bearer  {still_api.secret}"})
    assert response.status_code == 200


def test_a_token_ends_when_it_expires_and_when_it_is_removed(api: Api) -> None:
    assert "expired" in problem(api.call("GET", "/issues", secret=api.token(days=-1)), 401, "no-token")
    secret = api.token(Right.LOOK, days=None)
    assert api.call("GET", "/issues", secret=secret).status_code == 200
    with writing(api.runtime.engine) as session:
        remove_token(session, list_tokens(session)[-1].id)
    assert "removed" in problem(api.call("GET", "/issues", secret=secret), 401, "no-token")


def test_of_a_secret_only_its_hash_is_kept(api: Api) -> None:
    assert api.secret.startswith(PREFIX)
    with reading(api.runtime.engine) as session:
        rows = session.execute(select(TokenRow.__table__)).all()
    assert rows
    assert all(api.secret not in str(tuple(row)) for row in rows)


def test_a_use_is_noted_once_a_minute(api: Api) -> None:
    with reading(api.runtime.engine) as session:
        assert list_tokens(session)[0].last_used_at is None
    api.get("/issues")
    with reading(api.runtime.engine) as session:
        assert list_tokens(session)[0].last_used_at == NOW


def test_a_token_that_calls_too_often_is_told_to_wait(filled_database: Path, tmp_path: Path) -> None:
    api = open_api(Path(shutil.copy(filled_database, tmp_path / "own.db")), api_requests_per_minute=3)
    answers = [api.call("GET", "/issues/999") for _ in range(4)]
    assert [one.status_code for one in answers] == [404, 404, 404, 429]
    problem(answers[-1], 429, "too-many")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 20
    assert api.call("GET", "/issues/999", secret=api.token()).status_code == 404, "each has its own pace"
    api.runtime.engine.dispose()


class Sharing:
    """A token whose requests are counted by these processes, each writing where the others read."""

    def __init__(self, *processes: Pace) -> None:
        self.processes = processes
        self.writes = 0
        self.token = ApiToken(TokenId(1), "t", "dg_", frozenset(Right), "Ada", NOW)

    def asks(self, times: int, *, seconds: float = 0.0) -> int:
        """Ask so often at once, of each process in turn; return how many may go on."""
        now, let = NOW + timedelta(seconds=seconds), 0
        for number in range(times):
            pace = self.processes[number % len(self.processes)]
            wait, made = pace.take(self.token, now)
            let += not wait
            if made:
                self.writes += 1
                known = self.token.allowance
                left = known.at_instant(now, pace.per_minute) if known else pace.per_minute
                self.token = replace(self.token, allowance=Allowance(left - made, now))
        return let


def test_an_allowance_comes_back_evenly() -> None:
    one = Sharing(Pace(60))
    assert one.asks(100) == 60
    assert one.asks(100, seconds=2.5) == 2
    assert one.asks(100, seconds=3.0) == 1
    assert one.asks(100, seconds=10_000) == 60, "no more than a minute's worth is saved"


def test_processes_share_an_allowance_but_for_a_twentieth_each() -> None:
    both = Sharing(Pace(600), Pace(600))
    assert 600 <= both.asks(2_000) <= 600 + 2 * 30
    assert both.writes <= 22, "a write for thirty requests"
    assert both.asks(1_000, seconds=30) <= 300 + 2 * 30


def test_a_token_that_asks_now_and_then_costs_no_write() -> None:
    slow = Sharing(Pace(600))
    assert [slow.asks(20, seconds=70.0 * minute) for minute in range(60)] == [20] * 60
    assert slow.writes == 0


def test_two_servers_on_one_database_share_a_token_s_pace(filled_database: Path, tmp_path: Path) -> None:
    file = Path(shutil.copy(filled_database, tmp_path / "own.db"))
    one, other = (open_api(file, api_requests_per_minute=3) for _ in range(2))
    secret = one.secret
    answers = [api.call("GET", "/me", secret=secret).status_code for api in (one, other, one, other)]
    assert answers == [200, 200, 200, 429]
    for api in (one, other):
        api.runtime.engine.dispose()


def test_every_kind_of_problem_has_a_code_of_its_own_and_says_what_to_do() -> None:
    assert len({kind.code for kind in KINDS}) == len(KINDS)
    assert all(kind.advice.endswith(".") for kind in KINDS)


def test_a_call_is_in_the_record_with_its_change_or_not_at_all(
    api: Api, plain_logs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def called() -> list[str]:
        return [one["about"] for one in api.get("/record?what=api.called")["items"]]

    new = {"email": "gus@example.org", "why": "asked"}
    assert api.call("POST", "/suppressions", json=new).status_code == 201
    assert called() == ["POST /suppressions"]
    assert api.call("POST", "/suppressions", json=new).status_code == 200
    assert called() == ["POST /suppressions"], "it changed nothing"

    def fail(*_arguments: object, **_more: object) -> None:
        raise RuntimeError("the record cannot be written")

    monkeypatch.setattr("digest.web.api.access.record", fail)
    problem(api.call("DELETE", "/suppressions/gus@example.org?why=wrote"), 500, "broken")
    assert api.get("/suppressions/gus@example.org")["reason"] == "by_hand"
    assert called() == ["POST /suppressions"]
