"""Tokens for the API by command: made, shown without their secrets, ended."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import WRONG, Digest


def test_a_token_is_made_its_secret_shown_once_and_it_is_ended(weekly: Path, digest: Digest) -> None:
    assert "makes one" in digest("token", "list").well().out
    made = digest(
        "token", "add", "sign-up form", "--right", "operate", "--right", "look", "--by", "Ada"
    ).well()
    secret, told = made.out.splitlines()
    assert secret.startswith("dg_")
    assert "for look, operate" in told
    listed = digest("token", "list").well().out
    assert "sign-up form" in listed
    assert secret not in listed
    (token,) = digest("token", "list", "--json").json
    assert (token["rights"], token["made_by"], token["last_used_at"]) == (["look", "operate"], "Ada", None)
    assert secret.startswith(token["hint"])
    assert "opens nothing" in digest("token", "remove", str(token["id"])).well().out
    digest("token", "remove", str(token["id"])).refused(WRONG, "no token")


def test_a_token_may_work_until_it_is_removed(weekly: Path, digest: Digest) -> None:
    made = digest("token", "add", "backup", "--right", "look", "--days", "0", "--json").json
    assert made["token"]["expires_at"] is None
    assert "until removed" in digest("token", "list").well().out


def test_a_token_needs_a_name_and_rights_there_are(weekly: Path, digest: Digest) -> None:
    digest("token", "add", " ", "--right", "look").refused(WRONG, "NAME is empty")
    digest("token", "add", "form").refused(WRONG, "look, shape, approve, operate, administer")
    digest("token", "add", "form", "--right", "everything").refused(WRONG, "'everything' is not a right")
    assert digest("token", "list", "--json").json == []
