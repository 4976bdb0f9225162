"""What a form changes when somebody else changed the same thing meanwhile."""

from __future__ import annotations

import json

import pytest

from digest.domain.errors import Conflict, InvalidInput, Unfit
from digest.web.manage.forms import Meanwhile, Typed, changes, form_of, refused

WAS = {"name": "Weekly", "language": "en"}


def packed(texts: dict[str, str]) -> str:
    return json.dumps(texts)


def test_only_what_a_person_changed_is_changed() -> None:
    typed = {"name": "Weekly", "language": "de"}
    assert changes(typed, packed(WAS), WAS) == {"language": "de"}


def test_what_another_changed_in_another_field_stays() -> None:
    typed = {"name": "Daily", "language": "en"}
    assert changes(typed, packed(WAS), {"name": "Weekly", "language": "fr"}) == {"name": "Daily"}


def test_the_same_field_changed_by_two_is_taken_from_neither() -> None:
    stands = {"name": "Monthly", "language": "en"}
    with pytest.raises(Meanwhile) as caught:
        changes({"name": "Daily", "language": "en"}, packed(WAS), stands)
    assert caught.value.theirs == {"name": "Monthly"}
    again = refused({"name": "Daily", "language": "en"}, stands, caught.value)
    assert (again.values["name"], again.meanwhile["name"], again.status) == ("Daily", "Monthly", 409)
    assert changes({"name": "Daily", "language": "en"}, again.was, stands) == {"name": "Daily"}, "seen now"


def test_two_who_type_the_same_are_of_one_mind() -> None:
    assert changes({"name": "Daily"}, packed(WAS), {"name": "Daily"}) == {"name": "Daily"}


@pytest.mark.parametrize("was", ["", "[]", "{", '{"name": 1}', "null"])
def test_a_form_that_does_not_say_what_it_was_changes_nothing(was: str) -> None:
    with pytest.raises(InvalidInput, match="reload the page"):
        changes({"name": "Daily"}, was, WAS)


def test_a_refused_form_keeps_what_was_typed_and_says_why_beside_the_field() -> None:
    form = refused({"name": ""}, WAS, Unfit({"name": "the name is empty"}))
    assert (form.values["name"], form.problems["name"], form.status) == ("", "the name is empty", 422)
    about_all = refused({"name": "x"}, WAS, Conflict("it is being sent"))
    assert (about_all.trouble, about_all.status) == ("it is being sent", 409)
    assert form.is_refused
    assert not form_of(WAS).is_refused


def test_of_boxes_that_nobody_ticked_a_form_says_nothing_and_means_none() -> None:
    typed = Typed({"name": "x", "stray": "y"}).of(["name", "archive"], ["archive"])
    assert typed.texts == {"name": "x", "archive": ""}
