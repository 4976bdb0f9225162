"""A second pair of eyes: who may approve, who asked, and what is approved is what was looked at."""

import pytest
from sqlalchemy import Engine

from digest.compose.edits import Change, edit_issue
from digest.compose.shape import PIN
from digest.compose.steps import pieces_of
from digest.condense.editing import edit_takeaways
from digest.domain.approvals import Request
from digest.domain.errors import Conflict, InvalidInput
from digest.domain.issues import Issue, IssueState
from digest.pipeline.approval import Changed, SameEyes, approve_issue, ask_approval, take_back
from digest.runtime import Runtime
from digest.store.approvals import hands_of
from digest.store.articles import ArticleId
from digest.store.condensings import current_versions
from digest.store.database import reading, writing
from digest.store.edits import About, Field
from digest.store.issues import change_issue, get_issue, write_texts
from digest.store.items import items_of
from digest.store.newsletters import change_newsletter
from digest.store.revisions import content_hash
from tests.pipeline.press import CLIMATE, Press, make_newsletter
from tests.pipeline.test_preflight import compose_week
from tests.stored import NOW, stored_reader


@pytest.fixture
def draft(engine: Engine, press: Press) -> Issue:
    """A draft of two articles, of a newsletter that wants a second pair of eyes."""
    newsletter = make_newsletter(engine, press)
    stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    with writing(engine) as session:
        change_newsletter(session, newsletter.id, second_eyes=True)
    return compose_week(engine, press, newsletter, tides=CLIMATE, glaciers=CLIMATE)


def standing(engine: Engine, issue: Issue) -> Issue:
    with reading(engine) as session:
        return get_issue(session, issue.id)


def first_article(engine: Engine, issue: Issue) -> ArticleId:
    with reading(engine) as session:
        return items_of(session, issue.id)[0].article_id


def test_whoever_asks_cannot_approve_and_another_can(engine: Engine, runtime: Runtime, draft: Issue) -> None:
    ask_approval(runtime, draft.id, by="Ada", note="the  lead\nis new")
    with reading(engine) as session:
        assert hands_of(session, draft.id).request == Request("Ada", runtime.clock(), "the lead is new")
    with pytest.raises(SameEyes, match="wants a second pair of eyes, and ada asked for it"):
        approve_issue(runtime, draft.id, by="ada")
    assert standing(engine, draft).state is IssueState.DRAFT
    assert approve_issue(runtime, draft.id, by="Ben").state is IssueState.APPROVED


def edit(runtime: Runtime, draft: Issue, about: About, to: str, *, by: str) -> None:
    edit_issue(runtime.engine, draft.id, [Change(about, to)], by=by, now=runtime.clock())


def test_whoever_pinned_or_wrote_last_cannot_approve(engine: Engine, runtime: Runtime, draft: Issue) -> None:
    wish = About(Field.WISH, first_article(engine, draft))
    edit(runtime, draft, wish, PIN, by="Ben")
    with pytest.raises(SameEyes, match="Ben changed it last"):
        approve_issue(runtime, draft.id, by="Ben")
    edit(runtime, draft, wish, "", by="Ada")
    edit(runtime, draft, About(Field.SUBJECT), "Tides", by="Cy")
    with pytest.raises(SameEyes, match="Cy changed it last"):
        approve_issue(runtime, draft.id, by="Cy")
    assert approve_issue(runtime, draft.id, by="Ben").state is IssueState.APPROVED


def test_whoever_wrote_takeaways_last_cannot_approve(engine: Engine, runtime: Runtime, draft: Issue) -> None:
    article = first_article(engine, draft)
    with reading(engine) as session:
        seen = current_versions(session, [article])[article].version
    edit_takeaways(engine, article, ["The tide is high."], by="Cleo", now=runtime.clock(), made_from=seen)
    with pytest.raises(SameEyes, match="Cleo changed it last"):
        approve_issue(runtime, draft.id, by="Cleo")


def test_one_pair_is_enough_where_no_second_is_wanted(engine: Engine, runtime: Runtime, draft: Issue) -> None:
    with writing(engine) as session:
        change_newsletter(session, draft.newsletter_id, second_eyes=False)
    ask_approval(runtime, draft.id, by="Ada")
    assert approve_issue(runtime, draft.id, by="Ada").approved_by == "Ada"


def test_who_changes_it_during_the_approval_is_no_second_pair(
    engine: Engine, runtime: Runtime, draft: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = first_article(engine, draft)
    check = "digest.pipeline.approval._check"

    def meanwhile(*_: object) -> tuple[object, str]:
        edit(runtime, draft, About(Field.WISH, article), PIN, by="Ben")
        return type("Sound", (), {"errors": ()}), ""

    monkeypatch.setattr(check, meanwhile)
    with pytest.raises(SameEyes, match="Ben changed it last"):
        approve_issue(runtime, draft.id, by="Ben")
    assert standing(engine, draft).state is IssueState.DRAFT


def test_what_was_changed_since_it_was_looked_at_is_not_approved(
    engine: Engine, runtime: Runtime, draft: Issue
) -> None:
    def seen() -> str:
        return content_hash(pieces_of(engine, draft.id, template_of=runtime.template).rendered)

    looked_at = seen()
    with writing(engine) as session:
        write_texts(session, draft.id, subject="Another subject", preheader="", intro="")
    with pytest.raises(Changed, match="was changed since you looked at it"):
        approve_issue(runtime, draft.id, by="Ada", seen=looked_at)
    approved = approve_issue(runtime, draft.id, by="Ada", seen=seen())
    assert approved.content_hash == seen()


def test_an_approval_that_is_taken_back_must_be_given_anew(
    engine: Engine, runtime: Runtime, draft: Issue
) -> None:
    ask_approval(runtime, draft.id, by="Ada")
    approve_issue(runtime, draft.id, by="Ben")
    assert take_back(runtime, draft.id, by="Ada").state is IssueState.DRAFT
    with reading(engine) as session:
        assert hands_of(session, draft.id).request is None
    with writing(engine) as session:
        write_texts(session, draft.id, subject="Another subject", preheader="", intro="")
    again = approve_issue(runtime, draft.id, by="Ada")
    assert (again.revision, again.approved_by) == (2, "Ada")


def test_what_is_on_its_way_is_not_taken_back(engine: Engine, runtime: Runtime, draft: Issue) -> None:
    with pytest.raises(Conflict, match="is a draft already"):
        take_back(runtime, draft.id, by="Ada")
    approve_issue(runtime, draft.id, by="Ben")
    with writing(engine) as session:
        change_issue(session, draft.id, IssueState.SENDING, now=NOW)
    with pytest.raises(Conflict, match="is sending, so this cannot make it draft"):
        take_back(runtime, draft.id, by="Ada")


def test_only_a_draft_with_articles_is_asked_for(engine: Engine, runtime: Runtime, draft: Issue) -> None:
    with pytest.raises(InvalidInput, match="the note is 501 characters long"):
        ask_approval(runtime, draft.id, by="Ada", note="x" * 501)
    approve_issue(runtime, draft.id, by="Ben")
    with pytest.raises(Conflict, match="only a draft can be edited"):
        ask_approval(runtime, draft.id, by="Ada")
