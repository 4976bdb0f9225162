"""The suppression list by command: looked at, changed by hand, brought in and taken out."""

from __future__ import annotations

from pathlib import Path

from digest.store.audit import list_entries
from digest.store.database import open_engine, reading
from tests.cli.conftest import WRONG, Digest


def test_an_address_put_on_the_list_is_shown_everywhere_and_can_be_taken_off(
    weekly: Path, digest: Digest
) -> None:
    assert "No address is suppressed" in digest("suppression", "list").well().out
    add = ("suppression", "add", "Ada@Example.org", "--why", "asked by phone", "--by", "Ben Ilves")
    assert "never mailed again" in digest(*add).well().out
    assert "stays so" in digest(*add).well().out
    (listed,) = digest("suppression", "list", "--json").json
    assert (listed["email"], listed["reason"], listed["by"]) == ("ada@example.org", "by_hand", "Ben Ilves")
    shown = digest("subscriber", "show", "weekly", "ada@example.org").well().out
    assert "asked by phone" in shown
    assert digest("subscriber", "show", "weekly", "ada@example.org", "--json").json["suppression"]["detail"]
    remove = ("suppression", "remove", "ada@example.org")
    assert digest(*remove).code == WRONG, "whoever takes an address off says why"
    digest(*remove, "--why", "changed her mind", "--by", "Cy").well()
    digest(*remove, "--why", "once more").refused(WRONG, "not suppressed")
    told = digest("suppression", "show", "ADA@example.org").well().out
    assert "mailed again" in told
    assert "changed her mind" in told
    (removal,) = digest("suppression", "show", "ada@example.org", "--json").json["removals"]
    assert (removal["by"], removal["suppression"]["by"]) == ("Cy", "Ben Ilves")
    assert digest("subscriber", "show", "weekly", "ada@example.org", "--json").json["suppression"] is None


def test_what_nobody_suppressed_is_not_found(weekly: Path, digest: Digest) -> None:
    digest("suppression", "show", "ada@example.org").refused(WRONG, "never was")
    digest("suppression", "add", "no address", "--why", "x").refused(WRONG, "not an e-mail address")
    digest("suppression", "add", "ada@example.org", "--why", " ").refused(WRONG, "--why is empty")
    assert digest("suppression", "list", "--reason", "whim").code == WRONG


def test_a_list_goes_out_and_comes_back(weekly: Path, digest: Digest) -> None:
    file = weekly / "never.csv"
    file.write_text("email;reason\nada@example.org;complaint\nBen@example.org;\n", "utf-8")
    said = digest("suppression", "import", str(file)).well().out
    assert "semicolons" in said
    assert "Suppressed 2 addresses; 0 were there before" in said
    digest("suppression", "export", "--out", "out.csv").well()
    digest("suppression", "export", "--out", "out.csv").refused(WRONG, "out.csv", "exists")
    assert (weekly / "out.csv").stat().st_mode & 0o777 == 0o600
    assert digest("suppression", "export").well().out == (weekly / "out.csv").read_text()
    for email in ("ada@example.org", "ben@example.org"):
        digest("suppression", "remove", email, "--why", "test").well()
    digest("suppression", "import", "out.csv").well()
    found = digest("suppression", "list", "--json").json
    assert [(one["email"], one["reason"]) for one in found] == [
        ("ada@example.org", "complaint"),
        ("ben@example.org", "imported"),
    ]


def test_a_long_list_is_shown_in_pages(weekly: Path, digest: Digest) -> None:
    (weekly / "many.csv").write_text("email\n" + "".join(f"r{n:03}@example.org\n" for n in range(120)))
    digest("suppression", "import", "many.csv").well()
    first = digest("suppression", "list", "--limit", "100").well().out
    assert "More of 120: --after r099@example.org" in first
    rest = digest("suppression", "list", "--after", "r099@example.org", "--json").json
    assert [one["email"] for one in rest] == [f"r{n:03}@example.org" for n in range(100, 120)]


def test_who_changes_the_list_by_command_stands_in_the_record(weekly: Path, digest: Digest) -> None:
    (weekly / "many.csv").write_text("email\nada@example.org\nben@example.org\n")
    digest("suppression", "import", "many.csv", "--by", "Ada").well()
    digest("suppression", "add", "cleo@example.org", "--why", "asked", "--by", "Ben").well()
    digest("suppression", "remove", "ada@example.org", "--why", "wrote", "--by", "Ben").well()
    with reading(open_engine(f"sqlite:///{weekly / 'digest.db'}")) as session:
        told = [(one.by, one.what, one.about) for one in list_entries(session, limit=9, what="suppression")]
    assert told == [
        ("Ben", "suppression.removed", "ada@example.org"),
        ("Ben", "suppression.added", "cleo@example.org"),
        ("Ada", "suppression.imported", "2 addresses"),
    ]
