"""The suppression list in the ops room: looked up, changed with a reason, as a list in and out."""

from __future__ import annotations

import pytest

from digest.domain.accounts import Role
from digest.domain.suppressions import Suppression
from digest.store.audit import list_entries
from digest.store.database import reading, writing
from digest.store.suppressions import find_suppression, removals_of, suppress
from tests.web.ops.reading import buttons, follow, read, text_of
from tests.web.site import Site
from tests.web.world import ADA, BEN, FAY, NOW

PAGE = "/ops/suppressions"


def suppression(site: Site, email: str) -> Suppression | None:
    with reading(site.runtime.engine) as session:
        return find_suppression(session, email)


def fill(site: Site, *emails: str) -> None:
    with writing(site.runtime.engine) as session:
        for email in emails:
            suppress(session, email, reason="hard_bounce", detail="5.1.1 no such user", now=NOW)


def test_the_list_says_who_is_never_mailed_since_when_and_why(ops: Site, empty_site: Site) -> None:
    fill(ops, ADA)
    told = read(ops, PAGE)
    assert f"{ADA} no such mailbox · since 23 November 2026 5.1.1 no such user" in told
    assert f"{FAY} complained of spam · since 23 November 2026" in told
    assert "They called a mail of yours spam." in told
    assert "No address is suppressed." in read(empty_site, PAGE)


def test_addresses_are_looked_up_by_their_beginning_and_reason_and_paged(
    ops: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.web.ops.suppressions.PAGE", 2)
    fill(ops, "a%b@example.org", "axb@example.org", "ay@example.org", "b@example.org")
    first = ops.get(f"{PAGE}?q=A").text
    assert "a%b@example.org" in text_of(first)
    assert "ay@example.org" not in text_of(first)
    assert f"{PAGE}?after=axb%40example.org&amp;reason=&amp;q=A" in first
    assert "ay@example.org" in read(ops, f"{PAGE}?q=A&after=axb%40example.org")
    assert "axb@example.org" not in read(ops, f"{PAGE}?q=a%25"), "a sign is itself, no pattern"
    complaints = read(ops, f"{PAGE}?reason=complaint")
    assert FAY in complaints
    assert "axb@example.org" not in complaints
    assert "No address on the list is like that, so it may be mailed." in read(ops, f"{PAGE}?q=zoe")
    assert "nobody is suppressed for 'spite'" in read(ops, f"{PAGE}?reason=spite", 422)


def test_an_address_is_put_on_the_list_with_a_reason(ops: Site) -> None:
    assert "never mailed again" in follow(ops, f"{PAGE}/add", email=" Ben@Example.org ", why="asked by phone")
    found = suppression(ops, BEN)
    assert found
    assert (found.detail, found.by, found.reason) == ("asked by phone", "Omar Haddad", "by_hand")
    assert "nothing changed" in follow(ops, f"{PAGE}/add", email=BEN, why="again")
    for form in ({"email": ADA}, {"email": "ada", "why": "x"}, {"email": ADA, "why": "x" * 2001}):
        assert ops.submit(f"{PAGE}/add", **form).status_code == 422
    assert suppression(ops, ADA) is None


def test_an_address_is_taken_off_with_a_reason_that_is_kept(ops: Site) -> None:
    assert ops.submit(f"{PAGE}/remove", email=FAY).status_code == 422
    told = follow(ops, f"{PAGE}/remove", email=FAY, why="they wrote to us")
    assert "mail them only if they asked for it since" in told
    assert suppression(ops, FAY) is None
    with reading(ops.runtime.engine) as session:
        (removal,) = removals_of(session, FAY)
        assert list_entries(session, limit=1)[0].what == "suppression.removed"
    assert (removal.by, removal.why) == ("Omar Haddad", "they wrote to us")
    assert ops.submit(f"{PAGE}/remove", email=FAY, why="again").status_code == 404


def test_a_list_is_pasted_whole_or_not_at_all(ops: Site) -> None:
    wrong = ops.submit(f"{PAGE}/import", text=f"{ADA}\nnobody\n")
    assert wrong.status_code == 422
    assert "list line 3: 'nobody'" in text_of(wrong.text)
    assert "Nothing was imported." in text_of(wrong.text)
    assert f"{ADA}\nnobody" in wrong.text, "what was pasted is still there"
    assert suppression(ops, ADA) is None
    done = ops.submit(f"{PAGE}/import", text=f"{ADA}\n{FAY}\n{BEN}\n")
    assert "Suppressed 2 addresses; 1 were there before." in text_of(done.text)
    columns = ops.submit(f"{PAGE}/import", text="email,reason\nzoe@example.org,complaint\n")
    assert "Suppressed 1 address; 0 were there before." in text_of(columns.text)
    found = suppression(ops, "zoe@example.org")
    assert found
    assert found.reason == "complaint"
    assert ops.submit(f"{PAGE}/import", text=" ").status_code == 422


def test_the_list_is_given_out_as_it_is_taken_in(ops: Site) -> None:
    fill(ops, ADA)
    response = ops.get(f"{PAGE}/export")
    assert response.headers["content-disposition"] == 'attachment; filename="suppressions.csv"'
    assert response.text.splitlines()[0] == "email,reason,detail,since,by"
    assert ops.submit(f"{PAGE}/remove", email=ADA, why="to try").status_code == 303
    assert "Suppressed 1 address; 1 were there before." in text_of(
        ops.submit(f"{PAGE}/import", text=response.text).text
    )


def test_who_may_only_look_sees_the_list_and_no_buttons(ops: Site) -> None:
    with ops.seen_by(Role.VIEWER) as viewer:
        assert FAY in read(viewer, PAGE)
        assert buttons(viewer, PAGE) == {"Look up"}
        for path in ("import", "export"):
            assert viewer.get(f"{PAGE}/{path}").status_code == 403
        assert viewer.submit(f"{PAGE}/remove", email=FAY, why="x").status_code == 403
    assert suppression(ops, FAY)
