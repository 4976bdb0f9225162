"""What readers may ask for, by command."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from digest.intake.sign_ups.caps import mailbox_of
from digest.pipeline.sign_ups import ask_never_again
from digest.runtime import open_runtime
from digest.store.database import writing
from digest.store.erasure_orders import add_order
from digest.store.never_asked import mark_of
from tests.cli.conftest import WRONG, Digest

ADA = "ada@example.org"


def test_somebody_is_told_all_that_is_stored_of_them(weekly: Path, digest: Digest) -> None:
    digest("subscriber", "add", "weekly", ADA).well()
    assert digest("subscriber", "data", ADA).json["reader"][0]["email"] == ADA
    said = digest("subscriber", "data", ADA, "--out", "ada.json").well().out
    assert "ada.json" in said
    assert (weekly / "ada.json").stat().st_mode & 0o777 == 0o600
    assert json.loads((weekly / "ada.json").read_text())["address"] == ADA
    digest("subscriber", "data", ADA, "--out", "ada.json").refused(WRONG, "ada.json", "already")
    digest("subscriber", "data", ADA, "--out", "no/ada.json").refused(WRONG, "no/ada.json")
    digest("subscriber", "data", "nobody@example.org").refused(WRONG, "nothing is stored")


def test_somebody_is_erased_and_comes_back_only_when_they_ask(weekly: Path, digest: Digest) -> None:
    digest("subscriber", "add", "weekly", ADA).well()
    digest("subscriber", "erase", ADA).refused(WRONG, "nobody answered")
    said = digest("subscriber", "erase", ADA, "--yes", "--by", "Cy").well().out
    assert "1 subscription" in said
    assert "keyed mark" in said
    digest("subscriber", "erase", ADA, "--yes").refused(WRONG, "erased before")
    digest("subscriber", "add", "weekly", ADA).refused(WRONG, "--again")
    digest("subscriber", "add", "weekly", ADA, "--again").well()


def test_an_erasure_that_somebody_is_at_is_told_to_go_on(weekly: Path, digest: Digest) -> None:
    digest("subscriber", "add", "weekly", ADA).well()
    runtime = open_runtime()
    now = runtime.clock()
    with writing(runtime.engine) as session:
        add_order(session, ADA, by="Cy", now=now, lease_until=now + timedelta(minutes=5))
    said = digest("subscriber", "erase", ADA, "--yes").well().out
    assert "They are being erased" in said
    assert "keyed mark" not in said
    assert digest("subscriber", "erase", ADA, "--yes", "--json").json["goes_on"] is True


def test_somebody_is_erased_by_the_number_the_log_has(weekly: Path, digest: Digest) -> None:
    digest("subscriber", "add", "weekly", ADA).well()
    number = digest("subscriber", "data", ADA).json["reader"][0]["id"]
    assert digest("subscriber", "erase", str(number), "--yes", "--json").json["newsletters"] == 1
    digest("subscriber", "erase", str(number), "--yes").refused(WRONG, "was removed")
    assert digest("subscriber", "erase", "0", "--yes").code == WRONG
    digest("subscriber", "erase", "not an address", "--yes").refused(WRONG, "not an e-mail address")


def test_somebody_gets_another_address_unless_its_mailbox_said_never_to_ask_it(
    weekly: Path, digest: Digest
) -> None:
    new = "ada@new.example.org"
    digest("subscriber", "add", "weekly", ADA).well()
    runtime = open_runtime()
    mark = mark_of(runtime.erasure_keys, mailbox_of(new))
    ask_never_again(runtime, mark, never=True)
    digest("subscriber", "move", "weekly", ADA, new).refused(
        WRONG, "said 'never ask me again', so nothing was changed", "by the link in the last mail"
    )
    digest("subscriber", "show", "weekly", ADA).well()
    ask_never_again(runtime, mark, never=False)
    runtime.engine.dispose()
    assert f"goes to {new} from now on" in digest("subscriber", "move", "weekly", ADA, new).well().out
