"""What lists know of readers besides: columns of ours, columns that stand for one, and listmonk's JSON."""

from __future__ import annotations

import io

import pytest

from digest.domain.errors import InvalidInput
from digest.intake.lists.export import export_list
from digest.store.attributes import attributes_among
from digest.store.database import reading
from tests.intake.lists.conftest import Intake
from tests.stored import stored_newsletter


def known(intake: Intake) -> dict[str, dict[str, str]]:
    names = {one.subscriber.id: email.partition("@")[0] for email, one in intake.subscriptions.items()}
    with reading(intake.engine) as session:
        found = attributes_among(session, intake.newsletter.id, list(names))
    return {names[who]: attributes for who, attributes in found.items()}


def test_columns_of_ours_are_taken_and_given_back(intake: Intake) -> None:
    intake(
        intake.file(
            "readers.csv",
            "email,Attribute.City,attribute.plan",
            "ada@example.org,New York,=1+1",
            "ben@example.org,,free",
        )
    )
    assert known(intake) == {"ada": {"city": "New York", "plan": "=1+1"}, "ben": {"plan": "free"}}
    out = io.StringIO()
    export_list(intake.engine, intake.newsletter.id, out)
    header, ada, _ = out.getvalue().splitlines()
    assert header.endswith(",since,paused_until,attribute.city,attribute.plan")
    assert ada.endswith(",New York,'=1+1")
    intake.newsletter = stored_newsletter(intake.engine, slug="daily")
    intake(intake.file("again.csv", out.getvalue()))
    assert known(intake) == {"ada": {"city": "New York", "plan": "=1+1"}, "ben": {"plan": "free"}}


def test_a_list_of_ours_sets_what_it_names_and_another_programs_fills_in(intake: Intake) -> None:
    intake(intake.file("a.csv", "email,attribute.city", "ada@example.org,Rome"))
    intake(intake.file("b.csv", "email,attribute.city,attribute.plan", "ada@example.org,Oslo,"))
    assert known(intake) == {"ada": {"city": "Oslo"}}
    listmonk = intake.file(
        "c.csv",
        "uuid,email,name,attributes,status,created_at,updated_at",
        '1-a,ada@example.org,Ada,"{""city"": ""Bonn"", ""Years Here"": 3, ""vip"": true, ""lang"": ""de"", '
        '""x"": {}, ""--"": ""?""}",enabled,2021-03-01T10:00:00Z,',
    )
    intake(listmonk)
    assert known(intake) == {"ada": {"city": "Oslo", "years-here": "3", "vip": "true"}}


def test_a_column_of_another_name_can_stand_for_one(intake: Intake) -> None:
    file = intake.file("r.csv", "E-mail,Town", "ada@example.org,Oslo")
    intake(file, columns={"E-mail": "email", "Town": "attribute.city"})
    assert known(intake) == {"ada": {"city": "Oslo"}}


def test_two_lines_about_one_mailbox_know_what_both_say(intake: Intake) -> None:
    lines = ("email,attribute.a,attribute.b", "ada@example.org,1,", "ADA@example.org,2,3")
    intake(intake.file("r.csv", *lines))
    assert known(intake) == {"ada": {"a": "1", "b": "3"}}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ("email,attribute.my city", "a@example.org,x"),
            "line 1: column 'attribute.my city': 'my city' is no key",
        ),
        (("email,attribute.", "a@example.org,x"), "'' is no key of an attribute"),
        (("email,attribute.a", f"a@example.org,{'x' * 201}"), "line 2: attribute a is 201 characters long"),
        (
            (",".join(["email", *(f"attribute.k{n}" for n in range(51))]), "a@example.org" + ",x" * 51),
            "line 2: 51 attributes are too many: the readers of a newsletter may have 50",
        ),
    ],
)
def test_what_cannot_be_kept_is_told_with_its_place(
    intake: Intake, lines: tuple[str, ...], said: str
) -> None:
    with pytest.raises(InvalidInput) as told:
        intake(intake.file("r.csv", *lines))
    assert said in str(told.value)
    assert not intake.subscriptions


def test_a_column_cannot_stand_for_an_attribute_without_a_key(intake: Intake) -> None:
    with pytest.raises(InvalidInput, match="'no key!' is no key"):
        intake(intake.file("r.csv", "email,x"), columns={"x": "attribute.no key!"})


def test_a_list_of_more_attributes_than_there_is_room_for_stores_nobody(intake: Intake) -> None:
    intake(intake.file("a.csv", "email,attribute.plan", "ada@example.org,free"))
    keys = [f"k{number}" for number in range(50)]
    lines = [f"ben{number}@example.org," + "," * number + "x" + "," * (49 - number) for number in range(50)]
    many = intake.file("b.csv", ",".join(["email", *(f"attribute.{key}" for key in keys)]), *lines)
    for is_trial in (True, False):
        with pytest.raises(
            InvalidInput, match=r"50 new attributes \(k0, k1, k10, …\) is too many: .* has 1 already"
        ):
            intake(many, is_trial=is_trial)
    assert set(intake.subscriptions) == {"ada@example.org"}
