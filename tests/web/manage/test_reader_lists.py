"""Lists of readers on the managing pages: uploaded, tried by a worker, led to topics, brought in."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest

from digest.admit.sessions import csrf_of
from digest.domain.accounts import Role
from digest.domain.errors import NotFound
from digest.domain.reader_lists import CONTENT_MAX, ListTerms
from digest.pipeline import reader_lists as keeping
from digest.pipeline.erasing import erase_address
from digest.pipeline.reader_lists import do_lists, lists_due
from digest.store import reader_lists as store
from digest.store.database import reading, writing
from digest.store.newsletters import get_newsletter
from digest.store.subscribers import find_subscription
from tests.samples import CLIMATE, FOOD
from tests.stores_searched import columns_that_hold
from tests.web.manage.forms import fields_of
from tests.web.manage.test_newsletters import audited
from tests.web.people import TOKENS
from tests.web.site import Site
from tests.web.test_editor import read, text_of
from tests.web.world import ADA, BEN, NOW, contents, follows_of, state_of

LIST = "/manage/newsletters/saturday/readers/import"
ONE = f"{LIST}/1"

GHOST = (
    "id,email,name,note,subscribed_to_emails,complimentary_plan,created_at,deleted_at,labels\n"
    "m1,gus@example.org,Gus,,true,false,2021-03-01T10:00:00.000Z,,Green news\n"
    "m2,hal@example.org,Hal,,true,false,2021-03-01T10:00:00.000Z,,\n"
    "m3,ben@example.org,Ben,,false,false,2021-03-01T10:00:00.000Z,,\n"
)


def upload(site: Site, body: bytes | str, name: str = "members.csv", program: str = "") -> str:
    """Send a file as its form does; return where the answer leads, or what it says."""
    assert site.role
    files = {"file": (name, body if isinstance(body, bytes) else body.encode())}
    form = {"csrf": csrf_of(TOKENS[site.role]), "program": program}
    answer = site.client.post(LIST, data=form, files=files)
    return answer.headers.get("location", "") or f"{answer.status_code} {text_of(answer.text)}"


def is_there(site: Site, email: str) -> bool:
    with reading(site.runtime.engine) as session:
        return find_subscription(session, get_newsletter(session, "saturday").id, email) is not None


def test_a_list_is_tried_led_to_topics_and_brought_in(site: Site) -> None:
    assert upload(site, GHOST).endswith(ONE)
    assert "It waits for a worker" in read(site, ONE)
    assert f'{ONE}/state" hx-trigger="every 2s"' in site.get(ONE).text, "the page asks until it is over"
    do_lists(site.runtime)
    told = read(site, ONE)
    assert "This is what would become of it. Nobody is stored yet." in told
    assert "added 2" in told
    assert "unsubscribed there, so here as well 1" in told
    assert "2 new readers would follow no topic" in told
    assert "Green news 1 line" in told
    assert not is_there(site, "gus@example.org")
    form = {**fields_of(site.get(ONE).text, f"{ONE}/trial"), "tag:Green news": "climate", "topics": ["food"]}
    assert site.submit(f"{ONE}/trial", **form).headers["location"].endswith(ONE)
    do_lists(site.runtime)
    assert "would follow no topic" not in read(site, ONE)
    form = {**fields_of(site.get(ONE).text, f"{ONE}/trial"), "topics": ["food"]}
    assert form["tag:Green news"] == "climate", "what was led there stays"
    assert site.submit(f"{ONE}/import", **form).status_code == 303
    assert site.submit(f"{ONE}/import", **form).status_code == 409, "it is under way"
    do_lists(site.runtime)
    assert "It is in." in read(site, ONE)
    assert follows_of(site.runtime.engine, "gus@example.org") == {CLIMATE, FOOD}
    assert follows_of(site.runtime.engine, "hal@example.org") == {FOOD}
    assert state_of(site.runtime.engine, BEN) == "unsubscribed"
    assert site.submit(f"{ONE}/import", **form).status_code == 409, "its file is gone"
    assert [entry[1] for entry in audited(site)[:2]] == ["subscribers.imported", "readers.uploaded"]


def test_who_was_erased_is_left_out(site: Site) -> None:
    erase_address(site.runtime, ADA, by="Cy")
    upload(site, f"email,name\n{ADA},Ada\ngus@example.org,Gus\n")
    do_lists(site.runtime)
    told = read(site, ONE)
    assert "was erased here; left out 1" in told
    assert "added 1" in told


def test_what_becomes_of_each_line_can_be_downloaded(site: Site) -> None:
    upload(site, "email,name\ngus@example.org,=1+1\nnobody,x\n")
    assert site.get(f"{ONE}/report").status_code == 422
    do_lists(site.runtime)
    answer = site.get(f"{ONE}/report")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="saturday-list-1-report.csv"'
    header, *lines = answer.text.splitlines()
    gus, nobody = sorted(lines)
    assert header == "file,line,email,outcome,why"
    assert gus == "members.csv,2,gus@example.org,added,added"
    assert nobody.startswith("members.csv,3,nobody,wrong,")


def test_one_wrong_line_keeps_all_of_it_out_unless_it_is_left_out(site: Site) -> None:
    upload(site, "email\ngus@example.org\nnobody\n")
    do_lists(site.runtime)
    assert "wrong 1" in read(site, ONE)
    site.submit(f"{ONE}/import")
    do_lists(site.runtime)
    told = read(site, ONE)
    assert "It could not be brought in, and nobody was stored." in told
    assert "members.csv line 3" in told
    assert not is_there(site, "gus@example.org")
    site.submit(f"{ONE}/import", skips_wrong="yes")
    do_lists(site.runtime)
    assert is_there(site, "gus@example.org")


def test_columns_of_other_names_are_told(site: Site) -> None:
    upload(site, "E-mail,Town\ngus@example.org,Oslo\n")
    do_lists(site.runtime)
    told = read(site, ONE)
    assert "It could not be tried, and nobody was stored." in told
    assert "The first line must name 'email'" in told
    assert site.submit(f"{ONE}/trial", columns="E-mail").status_code == 422
    site.submit(f"{ONE}/trial", columns="E-mail = email\r\nTown = attribute.city")
    do_lists(site.runtime)
    assert "added 1" in read(site, ONE)


def test_a_zip_is_taken_as_it_is(site: Site) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("export/members.csv", GHOST)
        archive.writestr("export/readme.txt", "hello")
    upload(site, packed.getvalue(), "ghost.zip")
    do_lists(site.runtime)
    assert "added 2" in read(site, ONE)


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("broken.zip", b"no zip", "broken.zip cannot be read as a zip"),
        ("../../etc/passwd.csv", b"mail\nx\n", "passwd.csv line 1"),
        ("x.csv", b"\xff\xfee\x00", "not UTF-8"),
    ],
)
def test_what_is_no_list_is_told_without_places_of_ours(
    site: Site, name: str, body: bytes, said: str
) -> None:
    upload(site, body, name)
    do_lists(site.runtime)
    told = read(site, ONE)
    assert said in told
    assert "digest-list-" not in told
    assert "Traceback" not in told


def test_a_form_without_a_file_or_of_no_known_program_is_refused(still_site: Site) -> None:
    assert "422" in upload(still_site, b"", "empty.csv")
    assert "No file was chosen, or an empty one" in upload(still_site, b"", "empty.csv")
    assert "No list is written by 'mailman'" in upload(still_site, "email\n", program="mailman")


def test_what_is_too_large_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "CONTENT_MAX", 10)
    assert "embers.csv is larger than" in upload(site, "email\n" + "x" * 20)
    assert CONTENT_MAX > 10_000_000


def test_a_worker_that_is_told_to_stop_hands_the_list_on(site: Site) -> None:
    upload(site, "email\ngus@example.org\n")
    do_lists(site.runtime, should_stop=lambda: True)
    assert len(lists_due(site.runtime)) == 1
    for _ in range(5):
        do_lists(site.runtime, should_stop=lambda: True)
    do_lists(site.runtime)
    assert "added 1" in read(site, ONE), "being stopped is no failed try"


def test_a_list_that_kills_its_workers_is_given_up(site: Site) -> None:
    upload(site, "email\ngus@example.org\n")
    for _ in range(keeping.ATTEMPTS):
        with writing(site.runtime.engine) as session:
            number, dead = lists_due(site.runtime)[0], NOW - timedelta(seconds=1)
            assert store.claim_list(session, number, now=NOW, lease_until=dead)
    do_lists(site.runtime)
    assert "it was begun 3 times and never ended" in read(site, ONE).lower()


def test_whoever_is_erased_is_in_no_list_any_more_and_others_are(site: Site) -> None:
    upload(site, f"email\n{ADA}\nnobody\ngus@example.org\n", name=f"{ADA}.csv")
    do_lists(site.runtime)
    assert ADA in site.get(f"{ONE}/report").text
    erase_address(site.runtime, ADA, by="Omar")
    assert ADA not in site.get(ONE).text
    assert columns_that_hold(site.runtime.engine, ADA) == []
    form = fields_of(site.get(ONE).text, f"{ONE}/trial")
    site.submit(f"{ONE}/import", **{**form, "skips_wrong": "on"})
    do_lists(site.runtime)
    assert is_there(site, "gus@example.org")
    assert not is_there(site, ADA)
    assert ADA not in site.get(f"{ONE}/report").text


def test_a_report_keeps_the_lines_of_others(site: Site) -> None:
    upload(site, f"email\n{ADA}\ngus@example.org\n")
    do_lists(site.runtime)
    erase_address(site.runtime, ADA, by="Omar")
    assert site.get(f"{ONE}/report").text.splitlines() == [
        "file,line,email,outcome,why",
        "members.csv,3,gus@example.org,added,added",
    ]


def test_a_list_begins_anew_when_somebody_on_it_is_erased_meanwhile(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(site, f"email\n{ADA}\ngus@example.org\n")
    monkeypatch.setattr(keeping, "_brought", erase_first(keeping._brought, site))
    do_lists(site.runtime)
    assert "It waits for a worker" in read(site, ONE), "what was read of it before is not kept"
    do_lists(site.runtime)
    assert "added 1" in read(site, ONE)
    assert ADA not in site.get(f"{ONE}/report").text


def erase_first(then: Callable[..., object], site: Site) -> Callable[..., object]:
    def meanwhile(*args: object) -> object:
        with suppress(NotFound):
            erase_address(site.runtime, ADA, by="Omar")
        return then(*args)

    return meanwhile


def test_a_list_that_nobody_can_look_into_goes_with_whoever_is_erased(site: Site) -> None:
    upload(site, "email\nada\n".encode("utf-16"))
    erase_address(site.runtime, ADA, by="Omar")
    assert "it cannot be looked into, so it was removed when somebody was erased" in read(site, ONE).lower()


def test_a_list_is_of_its_newsletter_and_for_those_who_operate(site: Site) -> None:
    keeping.upload(site.runtime, "saturday", "a.csv", b"email\n", ListTerms(), by="Ada")
    assert site.get(f"{LIST}/2").status_code == 404
    for role in (Role.VIEWER, Role.EDITOR):
        with site.seen_by(role) as other:
            before = contents(site.runtime.engine)
            for path in (LIST, ONE, f"{ONE}/state", f"{ONE}/report"):
                assert other.get(path).status_code == 403
            assert "403" in upload(other, "email\n")
            assert other.submit(f"{ONE}/import").status_code == 403
            assert contents(site.runtime.engine) == before
