"""A request with a key is done once: sent again, sent at the same moment, sent with another body."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from digest.store.database import reading, writing
from digest.store.kept_answers import KeptAnswerRow
from digest.store.subscribers import SubscriberRow
from digest.web.api.once import REPLAYED
from digest.web.app import make_app
from tests.web.api.conftest import Api, problem
from tests.web.world import NOW

READERS = "/newsletters/saturday/subscribers"
GUS = {"email": "gus@example.org", "follows": ["space"]}


def post(api: Api, body: Any, *, key: str = "one", **more: Any) -> Any:
    return api.call("POST", READERS, json=body, headers={"Idempotency-Key": key}, **more)


def count(api: Api, *, of: type = SubscriberRow) -> int:
    with reading(api.runtime.engine) as session:
        return session.scalar(select(func.count()).select_from(of)) or 0


def test_a_request_sent_again_gets_the_answer_it_got(api: Api) -> None:
    before = count(api)
    first, again = post(api, GUS), post(api, GUS)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    for header in ("location", "etag"):
        assert again.headers[header] == first.headers[header]
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"
    assert count(api) == before + 1
    problem(api.call("POST", READERS, json=GUS), 409, "conflict")


def test_a_key_names_one_request_of_one_token(api: Api) -> None:
    post(api, GUS)
    problem(post(api, {**GUS, "follows": []}), 422, "key-reused")
    problem(api.call("POST", "/holds", headers={"Idempotency-Key": "one"}), 422, "key-reused")
    problem(post(api, GUS, secret=api.token()), 409, "conflict")


def test_a_no_is_not_kept_and_the_key_may_be_used_again(api: Api) -> None:
    problem(post(api, {**GUS, "follows": ["nothing"]}), 404, "not-found")
    assert count(api, of=KeptAnswerRow) == 0
    assert post(api, GUS).status_code == 201


@pytest.mark.parametrize("key", ["", "with blank", "x" * 256, "caf\u00e9"])
def test_a_key_that_is_none_is_refused(key: str, api: Api) -> None:
    problem(post(api, GUS, key=key.encode("latin-1")), 422, "invalid")


def test_two_at_the_same_moment_do_it_once(api: Api) -> None:
    before = count(api)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: post(api, GUS), range(4)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert any(answer.status_code == 201 for answer in answers)
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"key-in-use"}
    assert count(api) == before + 1


def test_what_never_ended_is_told_and_not_done_again(api: Api) -> None:
    post(api, GUS)
    with writing(api.runtime.engine) as session:
        session.execute(update(KeptAnswerRow).values(status=None))
    response = post(api, GUS)
    problem(response, 409, "key-in-use")
    assert response.headers["retry-after"] == "1"
    problem(post(_later(api, timedelta(minutes=6)), GUS), 409, "key-open")


def _later(api: Api, by: timedelta) -> Api:
    runtime = replace(api.runtime, clock=lambda: NOW + by)
    runtime.__dict__["engine"] = (
        api.runtime.engine
    )  # of its own it would hold the file open for the next test
    return replace(api, client=TestClient(make_app(runtime), raise_server_exceptions=False))


def test_a_day_later_a_key_is_free(api: Api) -> None:
    post(api, GUS)
    later = _later(api, timedelta(hours=25))
    problem(post(later, GUS, secret=api.token(days=2)), 409, "conflict")
    assert count(api, of=KeptAnswerRow) == 0


@pytest.mark.usefixtures("plain_logs")
def test_an_error_nobody_expected_leaves_the_key_open(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr("digest.web.api.subscribers.put_subscriber", fails)
    problem(post(api, GUS), 500, "broken")
    monkeypatch.undo()
    problem(post(api, GUS), 409, "key-in-use")
