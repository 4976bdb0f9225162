"""`digest newsletter theme`, and the language of a newsletter."""

from pathlib import Path

from digest.cli.main import WRONG
from tests.cli.conftest import Digest, change_settings

THEME = """
[light]
accent = "#0b5394"

[wording.en]
unsubscribe = "No more of this"
"""


def test_a_theme_is_set_shown_exported_and_reset(drafted: Path, digest: Digest) -> None:
    (drafted / "theme.toml").write_text(THEME)
    assert "as the template has it" in digest("newsletter", "theme", "weekly").well().out
    said = digest("newsletter", "theme", "weekly", "theme.toml").well().out
    assert "own colours, wording in en" in said
    assert "own colours, wording in en" in digest("newsletter", "show", "weekly").well().out
    shown = digest("newsletter", "show", "weekly", "--json").json["theme"]
    assert shown["light"]["accent"] == "#0b5394"
    digest("issue", "preview", "1", "--out", "before").well()
    assert "No more of this" in Path("before.txt").read_text()
    exported = digest("newsletter", "theme", "weekly", "--export").well().out
    digest("newsletter", "theme", "weekly", "--reset").well()
    digest("issue", "preview", "1", "--out", "without").well()
    assert "No more of this" not in Path("without.txt").read_text()
    Path("exported.toml").write_text(exported)
    digest("newsletter", "theme", "weekly", "exported.toml").well()
    digest("issue", "preview", "1", "--out", "after").well()
    assert Path("after.html").read_text() == Path("before.html").read_text()


def test_a_theme_with_mistakes_changes_nothing(weekly: Path, digest: Digest) -> None:
    (weekly / "theme.toml").write_text(THEME)
    digest("newsletter", "theme", "weekly", "theme.toml").well()
    (weekly / "bad.toml").write_text("font = 'Arial'\n\n[light]\naccent = '#cccccc'\n")
    digest("newsletter", "theme", "weekly", "bad.toml").refused(
        WRONG,
        "bad.toml line 1: font ends in Arial",
        "bad.toml line 4: light.accent #cccccc",
        "Nothing was changed",
    )
    assert digest("newsletter", "show", "weekly", "--json").json["theme"]["light"]["accent"] == "#0b5394"


def test_a_file_that_is_not_there_or_too_much_at_once_is_told(weekly: Path, digest: Digest) -> None:
    digest("newsletter", "theme", "weekly", "none.toml").refused(WRONG, "none.toml", "Nothing was changed")
    digest("newsletter", "theme", "weekly", "--export", "--reset").refused(WRONG, "one of them")
    digest("newsletter", "theme", "nobody", "--reset").refused(WRONG, "no newsletter 'nobody'")


def test_wording_is_checked_by_the_newsletters_own_template(weekly: Path, digest: Digest) -> None:
    own = weekly / "own" / "weekly" / "digest"
    own.mkdir(parents=True)
    body = Path(__file__).parents[2] / "templates/email/digest/body.txt"
    (own / "body.txt").write_text(
        body.read_text().replace("{% endblock closing %}", "{{ _('Bye') }}\n{% endblock %}")
    )
    (weekly / "theme.toml").write_text("[wording.en]\nBye = 'Farewell'\n")
    digest("newsletter", "theme", "weekly", "theme.toml").refused(WRONG, "'Bye' is not known")
    change_settings(weekly, newsletter_templates_dir=str(weekly / "own"))
    digest("newsletter", "theme", "weekly", "theme.toml").well()
    assert 'Bye = "Farewell"' in digest("newsletter", "theme", "weekly", "--export").well().out


def test_the_language_of_a_newsletter_can_be_changed(drafted: Path, digest: Digest) -> None:
    digest("newsletter", "change", "weekly", "--language", "de").well()
    digest("issue", "preview", "1", "--out", "page").well()
    assert "Abbestellen" in Path("page.txt").read_text()
    digest("newsletter", "change", "weekly", "--language", "germanisch").refused(WRONG, "language tag")
    assert 'unsubscribe = "Abbestellen"' in digest("newsletter", "theme", "weekly", "--export").well().out


def test_who_mail_comes_from_can_be_changed_until_an_issue_is_on_its_way(
    drafted: Path, digest: Digest
) -> None:
    change = ("newsletter", "change", "weekly")
    identity = ("--name", "The Harbour", "--from", "desk@example.org", "--postal-address", "2 Quay Street")
    digest(*change, *identity, "--sender-name", "Ada at The Harbour").well()
    mail = digest("issue", "preview", "1", "--text").well().out
    assert "THE HARBOUR" in mail
    assert "2 Quay Street" in mail
    digest(*change, "--from", "nobody").refused(WRONG, "nobody")
    digest("issue", "approve", "1").well()
    digest(*change, "--sender-name", "Ben").refused(WRONG, "issue 1", "is approved", "nothing was changed")
    digest(*change, "--max-items", "5").well()
    assert digest("newsletter", "show", "weekly", "--json").json["sender_name"] == "Ada at The Harbour"
