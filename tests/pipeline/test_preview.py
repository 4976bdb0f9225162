import re
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from digest.address.steps import address_issue
from digest.compose.render import EmailTemplate, render_issue
from digest.domain.errors import Conflict, Misconfigured, NotFound
from digest.domain.issues import Issue, IssueContent
from digest.domain.letters import LetterKind
from digest.domain.mail import RenderedIssue
from digest.domain.newsletters import Newsletter
from digest.domain.themes import LIGHT, USUAL, Theme
from digest.pipeline.preflight import check_offline
from digest.pipeline.preview import page_for_reader, page_sent, shown_to, source_to_look_at
from digest.pipeline.run import approve_issue, run_newsletter
from digest.pipeline.sending import send
from digest.runtime import Runtime
from digest.store.database import writing
from digest.store.issues import write_texts
from digest.store.newsletters import NewsletterRow, change_newsletter, set_theme
from digest.store.recording import record_article
from digest.store.sources import list_sources
from digest.store.subscribers import set_follows
from tests.deliver.test_mime import decoded
from tests.pipeline.press import CLIMATE, DAY, SPACE, Press, make_newsletter
from tests.servers.smtp_sink import SmtpSink
from tests.stored import NOW, sample_article, stored_article, stored_reader


@pytest.fixture
def newsletter(engine: Engine, press: Press) -> Newsletter:
    return make_newsletter(engine, press)


@pytest.fixture
def draft(engine: Engine, runtime: Runtime, press: Press, newsletter: Newsletter) -> Issue:
    press.publish("tides", CLIMATE)
    press.publish("rockets", SPACE)
    stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    issue = run_newsletter(runtime, "weekly").issue
    assert issue is not None
    return issue


def titles(runtime: Runtime, issue: Issue, *, email: str = "", topics: tuple[str, ...] = ()) -> set[str]:
    page = page_for_reader(runtime, issue.id, email=email, topics=topics)
    shown = {title for title in ("tides", "rockets") if f">{title}<" in page.html.replace("\n", "")}
    assert shown == {title for title in ("tides", "rockets") if title in page.text}
    return shown


def test_a_preview_shows_everything_unless_asked_otherwise(runtime: Runtime, draft: Issue) -> None:
    assert titles(runtime, draft) == {"tides", "rockets"}
    assert titles(runtime, draft, topics=("space",)) == {"rockets"}
    assert titles(runtime, draft, email="ANNA@example.org") == {"tides"}


def test_a_preview_of_an_approved_issue_is_what_was_approved(
    engine: Engine, runtime: Runtime, newsletter: Newsletter, draft: Issue
) -> None:
    approve_issue(runtime, draft.id, by="ed")
    before = page_for_reader(runtime, draft.id)
    with writing(engine) as session:
        (source,) = list_sources(session, newsletter.id)
        late = sample_article("late", published_at=DAY)
        record_article(session, newsletter.id, source.id, late, now=NOW)
    assert page_for_reader(runtime, draft.id) == before


NAVY = Theme(light=replace(LIGHT, accent="#0b5394"), wording={"en": {"unsubscribe": {"other": "No more"}}})


def give(engine: Engine, newsletter: Newsletter, theme: Theme) -> None:
    with writing(engine) as session:
        set_theme(session, newsletter.id, theme)


def test_a_draft_shows_its_newsletters_theme_at_once(
    engine: Engine, runtime: Runtime, newsletter: Newsletter, draft: Issue
) -> None:
    before = page_for_reader(runtime, draft.id)
    give(engine, newsletter, NAVY)
    page = page_for_reader(runtime, draft.id)
    assert LIGHT.accent in before.html
    assert LIGHT.accent not in page.html
    assert "#0b5394" in page.html
    assert "No more" in page.text
    give(engine, newsletter, USUAL)
    assert page_for_reader(runtime, draft.id) == before


def test_a_theme_changes_nothing_that_was_approved(
    engine: Engine, runtime: Runtime, newsletter: Newsletter, draft: Issue
) -> None:
    approve_issue(runtime, draft.id, by="ed")
    before = page_for_reader(runtime, draft.id)
    give(engine, newsletter, NAVY)
    assert page_for_reader(runtime, draft.id) == before


def test_a_themed_mail_in_another_language_is_sent_as_it_is_previewed(
    engine: Engine, runtime: Runtime, newsletter: Newsletter, draft: Issue, smtp_sink: SmtpSink
) -> None:
    give(engine, newsletter, NAVY)
    with writing(engine) as session:
        change_newsletter(session, newsletter.id, language="de")
    preview = page_for_reader(runtime, draft.id, email="anna@example.org")
    approve_issue(runtime, draft.id, by="ed")
    send(runtime, draft.id)
    (mail,) = smtp_sink.contents()
    assert decoded(mail) == preview
    assert "Abbestellen" in preview.html


def test_a_newsletters_own_template_is_used_at_once(
    tmp_path: Path, runtime: Runtime, newsletter: Newsletter, draft: Issue
) -> None:
    own = Runtime(runtime.settings.model_copy(update={"newsletter_templates_dir": tmp_path}), runtime.clock)
    assert page_for_reader(own, draft.id) == page_for_reader(runtime, draft.id)
    folder = tmp_path / newsletter.slug / "digest"
    folder.mkdir(parents=True)
    body = (runtime.settings.templates / "email/digest/body.txt").read_text()
    for line in ("own words", "other words"):
        (folder / "body.txt").write_text(
            body.replace("{% block closing %}", f"{{% block closing %}}\n{line}")
        )
        assert line in page_for_reader(own, draft.id).text
        assert page_for_reader(own, draft.id).html == page_for_reader(runtime, draft.id).html


def test_a_folder_of_own_templates_that_is_not_there_is_told_and_no_other_design_used(
    tmp_path: Path, runtime: Runtime, newsletter: Newsletter, draft: Issue
) -> None:
    gone = tmp_path / "gone"
    lost = Runtime(runtime.settings.model_copy(update={"newsletter_templates_dir": gone}), runtime.clock)
    with pytest.raises(Misconfigured, match=f"newsletter_templates_dir: {gone} is no folder"):
        approve_issue(lost, draft.id, by="ed")
    with pytest.raises(Misconfigured, match="newsletter_templates_dir"):
        lost.letter_template(LetterKind.WELCOME, newsletter)
    lost.letter_template(LetterKind.ALERT)


def test_who_was_sent_an_issue_sees_the_edition_they_were_sent(
    engine: Engine, runtime: Runtime, newsletter: Newsletter, draft: Issue
) -> None:
    approve_issue(runtime, draft.id, by="ed")
    address_issue(engine, draft.id, now=NOW)
    who = stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    with writing(engine) as session:
        set_follows(session, newsletter.id, who, [SPACE])
    assert titles(runtime, draft, email="anna@example.org") == {"tides"}


def test_what_a_mail_had_no_room_for_is_on_its_page(
    engine: Engine, runtime: Runtime, newsletter: Newsletter, draft: Issue
) -> None:
    with writing(engine) as session:
        (source,) = list_sources(session, newsletter.id)
        session.execute(update(NewsletterRow).values(max_items=100))
    for number in range(70):
        article = sample_article(f"long-{number}", published_at=DAY)
        stored_article(engine, newsletter, source, article, {CLIMATE: 0.9})
    run_newsletter(runtime, "weekly")
    approve_issue(runtime, draft.id, by="ed")
    address_issue(engine, draft.id, now=NOW)
    who = stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    mail, online = (
        page_for_reader(runtime, draft.id, email="anna@example.org"),
        page_sent(runtime, draft.id, who),
    )
    assert ("And 11 more online" in mail.text, "more online" in online.text) == (True, False)
    assert [page.html.count("<h2") for page in (mail, online)] == [60, 71]


def test_what_was_approved_is_shown_and_checked_when_the_template_is_broken_since(
    tmp_path: Path, runtime: Runtime, newsletter: Newsletter, draft: Issue
) -> None:
    approve_issue(runtime, draft.id, by="ed")
    before = page_for_reader(runtime, draft.id), check_offline(runtime, draft.id)
    own = Runtime(runtime.settings.model_copy(update={"newsletter_templates_dir": tmp_path}), runtime.clock)
    folder = tmp_path / newsletter.slug / "digest"
    folder.mkdir(parents=True)
    (folder / "body.mjml").write_text("{{ broken")
    assert (page_for_reader(own, draft.id), check_offline(own, draft.id)) == before


def test_a_draft_says_what_is_wrong_with_its_newsletters_own_template(
    tmp_path: Path, runtime: Runtime, newsletter: Newsletter, draft: Issue
) -> None:
    own = Runtime(runtime.settings.model_copy(update={"newsletter_templates_dir": tmp_path}), runtime.clock)
    folder = tmp_path / newsletter.slug / "digest"
    folder.mkdir(parents=True)
    (folder / "body.mjml").write_text("{{ broken")
    with pytest.raises(Misconfigured, match=r"body\.mjml line 1"):
        page_for_reader(own, draft.id)


@pytest.mark.parametrize("link", ['<a href="{}" style="">', "<A class='x' href='{}'>"])
def test_a_page_has_no_link_to_itself_and_the_mail_has_it(
    link: str, tmp_path: Path, engine: Engine, runtime: Runtime, newsletter: Newsletter, draft: Issue
) -> None:
    runtime = Runtime(
        runtime.settings.model_copy(update={"newsletter_templates_dir": tmp_path}), runtime.clock
    )
    folder = tmp_path / newsletter.slug / "digest"
    folder.mkdir(parents=True)
    body = (runtime.settings.templates / "email/digest/body.mjml").read_text()
    own = link.format("{{ token.online_url }}") + "<b>Own\nlink</b></a>"
    (folder / "body.mjml").write_text(body.replace("{% include 'parts/sender.mjml' %}", own))
    approve_issue(runtime, draft.id, by="ed")
    address_issue(engine, draft.id, now=NOW)
    who = stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    mail = page_for_reader(runtime, draft.id, email="anna@example.org").html
    online = page_sent(runtime, draft.id, who).html
    assert mail.count("/online/") == 3
    assert "/online/" not in online
    for words in ("View online", "Own"):
        assert words in mail
        assert words not in online
    for page in ("/unsubscribe/", "/preferences/"):
        assert online.count(page) == mail.count(page)


def test_a_preview_carries_the_readers_own_links(runtime: Runtime, draft: Issue) -> None:
    page = page_for_reader(runtime, draft.id, email="anna@example.org")
    assert "http://127.0.0.1:8000/unsubscribe/" in page.text
    assert "anna@example.org" in page.html
    assert "reader@example.org" in page_for_reader(runtime, draft.id).html


def test_a_reader_who_would_get_nothing_has_no_page(
    engine: Engine, runtime: Runtime, newsletter: Newsletter, draft: Issue
) -> None:
    stored_reader(engine, newsletter, "none@example.org")
    with pytest.raises(Conflict, match="a reader of no topic gets nothing of issue"):
        page_for_reader(runtime, draft.id, email="none@example.org")


def test_what_is_not_there_is_told(runtime: Runtime, draft: Issue) -> None:
    with pytest.raises(NotFound, match="no topic 'sports'"):
        page_for_reader(runtime, draft.id, topics=("sports",))
    with pytest.raises(NotFound, match=r"'nobody@example\.org' is not a subscriber"):
        page_for_reader(runtime, draft.id, email="nobody@example.org")
    with pytest.raises(NotFound, match="no issue 4711"):
        page_for_reader(runtime, 4711)


def test_the_source_that_is_previewed_is_what_the_server_gets_but_for_links(
    engine: Engine, runtime: Runtime, draft: Issue, smtp_sink: SmtpSink
) -> None:
    def message(email: str) -> bytes:
        return source_to_look_at(runtime, shown_to(runtime, draft.id, email=email))

    assert b".preview@news.example.org>" in message("anna@example.org")
    approve_issue(runtime, draft.id, by="ed")
    send(runtime, draft.id)
    (mail,) = smtp_sink.contents()
    links = re.compile(rb"/(unsubscribe|preferences|online)/(?:[\w.-]|=\r\n)+")
    shown = message("anna@example.org")
    assert links.sub(rb"/\1/", shown) == links.sub(rb"/\1/", mail)
    assert shown != mail, "the control: the links of the mail are its reader's own"


def test_a_draft_is_rendered_once_for_all_who_look_until_it_changes(
    engine: Engine, runtime: Runtime, draft: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[IssueContent] = []

    def counting(content: IssueContent, template: EmailTemplate) -> RenderedIssue:
        rendered.append(content)
        return render_issue(content, template)

    monkeypatch.setattr("digest.compose.steps.render_issue", counting)
    intros = [f"Something new on {engine.dialect.name}", f"Something newer on {engine.dialect.name}"]
    for intro in intros:
        with writing(engine) as session:
            write_texts(session, draft.id, subject="", preheader="", intro=intro)
        for email in ("", "anna@example.org"):
            assert intro in page_for_reader(runtime, draft.id, email=email).text
    assert [content.intro for content in rendered] == intros
