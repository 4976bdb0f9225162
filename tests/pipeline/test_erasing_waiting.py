"""Whose sign-up waits to be looked at is told of it, and it is erased, whether or not they read anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.domain.consents import ConsentSource
from digest.domain.errors import NotFound
from digest.domain.sign_ups import SignUp, Wishes
from digest.pipeline.erasing import address_data, erase_address
from digest.store.database import reading, writing
from digest.store.put_off_sign_ups import PutOff, PutOffRow, put_off
from digest.store.sign_ups import SignUpRow, numbers_of, put_sign_ups
from tests.pipeline.controlled import Controlled
from tests.stored import CLIMATE, NOW
from tests.stores_searched import columns_that_hold

ADA, BEN, CAPITALS = "ada@example.org", "ben@example.org", "Zoë.ÅDA@example.org"


@pytest.fixture
def send(engine: Engine, tmp_path: Path) -> Controlled:
    """Sign-ups in the inbox and put off; nobody of them is a subscriber."""
    send = Controlled.stored(engine, tmp_path)
    forms = [form(send, email) for email in (ADA.upper(), BEN, CAPITALS)]
    with writing(engine) as session:
        put_sign_ups(session, [*forms, forms[0]])
        put_off(session, send.newsletter.id, [PutOff(one, one.email, NOW, NOW) for one in forms])
    return send


def form(send: Controlled, email: str) -> SignUp:
    wishes = Wishes(frozenset({CLIMATE}), name="Somebody")
    return SignUp(send.newsletter.id, email, wishes, ConsentSource.PAGE, "I want it.", "192.0.2.7", NOW)


@pytest.mark.parametrize(("email", "forms"), [(ADA, 2), (CAPITALS.lower(), 1)])
def test_what_waits_of_an_address_is_told_in_any_letters(send: Controlled, email: str, forms: int) -> None:
    data = address_data(send.runtime, email)
    assert data.keys() == {"address", "as_of", "sign_ups", "put_off_sign_ups"}
    told, waits = data["sign_ups"], data["put_off_sign_ups"]
    assert isinstance(told, list)
    assert isinstance(waits, list)
    assert (len(told), len(waits)) == (forms, 1)
    for row in (*told, *waits):
        assert row["email"].lower() == email
        assert (row["newsletter"], row["topics"], row["name"]) == ("weekly", "climate", "Somebody")


@pytest.mark.parametrize(("email", "forms"), [(ADA, 3), (CAPITALS, 2)])
def test_what_waits_of_an_address_is_erased_in_any_letters(send: Controlled, email: str, forms: int) -> None:
    done = erase_address(send.runtime, email.lower(), by="Cy")
    assert (done.sign_ups, done.newsletters) == (forms, 0)
    assert columns_that_hold(send.engine, email) == []
    with reading(send.engine) as session:
        assert len(numbers_of(session, SignUpRow, BEN)) == len(numbers_of(session, PutOffRow, BEN)) == 1
    with pytest.raises(NotFound, match="was erased before"):
        erase_address(send.runtime, email, by="Cy")
