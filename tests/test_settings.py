import os
import re
from pathlib import Path

import pytest

from digest.domain.errors import Misconfigured
from digest.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, and an environment without settings."""
    for name in [name for name in os.environ if name.upper().startswith("DIGEST_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str, name: str = "digest.toml") -> None:
    (folder / name).write_text(text, encoding="utf-8")


def test_everything_has_a_default_but_the_key() -> None:
    settings = load_settings()
    assert settings.database_url == "sqlite:///digest.db"
    assert settings.mail_sessions == 20
    assert settings.secret_key.get_secret_value() == ""
    assert (settings.templates / "email" / "digest" / "body.mjml").is_file()


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_file_is_read_and_the_environment_goes_before_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, 'mail_sessions = 5\nops_email = "ops@example.org"\nlog_format = "json"\n')
    monkeypatch.setenv("DIGEST_MAIL_SESSIONS", "7")
    settings = load_settings()
    assert (settings.mail_sessions, settings.ops_email, settings.log_format) == (7, "ops@example.org", "json")
    assert load_settings(mail_sessions=9).mail_sessions == 9


@pytest.mark.parametrize(
    ("given", "urls"),
    [
        ("smtp://a.example.org", ["smtp://a.example.org"]),
        ("smtp://a.example.org, smtps://b.example.org", ["smtp://a.example.org", "smtps://b.example.org"]),
        (" smtp://a.example.org, ", ["smtp://a.example.org"]),
        ("smtp://a.example.org\tpostmark:\nconsole:", ["smtp://a.example.org", "postmark:", "console:"]),
        ("smtp://u:a,b@a.example.org,mailgun://mg", ["smtp://u:a,b@a.example.org", "mailgun://mg"]),
        ("maildir:///var/my mail, old", ["maildir:///var/my mail, old"]),
        ('["smtp://a.example.org", "eml:a,b"]', ["smtp://a.example.org", "eml:a,b"]),
        ("", [""]),
    ],
)
def test_several_mail_servers_stand_in_one_variable_or_in_a_list(
    folder: Path, monkeypatch: pytest.MonkeyPatch, given: str, urls: list[str]
) -> None:
    monkeypatch.setenv("DIGEST_MAIL_URL", given)
    assert load_settings().mail_url == tuple(urls)
    monkeypatch.delenv("DIGEST_MAIL_URL")
    write(folder, f"mail_url = {urls}")
    assert load_settings().mail_url == tuple(urls)
    assert load_settings(mail_url=given).mail_url == tuple(urls)


def test_another_file_can_be_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, "mail_sessions = 5", "other.toml")
    monkeypatch.setenv("DIGEST_CONFIG", str(folder / "other.toml"))
    assert load_settings().mail_sessions == 5


def test_a_named_file_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_CONFIG", "/nowhere/digest.toml")
    with pytest.raises(Misconfigured, match=r"DIGEST_CONFIG names /nowhere/digest\.toml, where there is no"):
        load_settings()


def test_an_unknown_setting_of_the_file_is_told_with_what_may_be_meant(folder: Path) -> None:
    write(folder, 'databse_url = "sqlite:///a.db"')
    told = r"digest\.toml: 'databse_url' is not a setting; did you mean 'database_url'\?"
    with pytest.raises(Misconfigured, match=told):
        load_settings()


def test_an_unknown_variable_is_told_with_what_may_be_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_SECRETKEY", "hunter2")
    told = "environment: DIGEST_SECRETKEY is not a setting; did you mean 'DIGEST_SECRET_KEY'?"
    with pytest.raises(Misconfigured, match=re.escape(told)) as error:
        load_settings()
    assert "hunter2" not in str(error.value)


def test_a_name_like_none_is_sent_to_the_list(folder: Path) -> None:
    write(folder, "zzz = 1")
    with pytest.raises(Misconfigured, match=r"'zzz' is not a setting; docs/settings\.md lists them all"):
        load_settings()


@pytest.mark.parametrize("name", ["NOPE", "DB", "KEY", "URL"])
def test_a_variable_like_none_is_sent_to_the_list(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"DIGEST_{name}", "x")
    with pytest.raises(Misconfigured, match=rf"DIGEST_{name} is not a setting; docs/settings\.md lists"):
        load_settings()


def test_each_wrong_value_is_told_with_its_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, 'log_level = "loud"')
    monkeypatch.setenv("DIGEST_MAIL_SESSIONS", "many")
    with pytest.raises(Misconfigured) as error:
        load_settings()
    first, second = sorted(str(error.value).splitlines())
    assert first.startswith("digest.toml: log_level: input should be 'debug', 'info', 'warning' or 'error'")
    assert first.endswith("(it is 'loud')")
    assert second.startswith("environment: DIGEST_MAIL_SESSIONS: input should be a valid integer")


@pytest.mark.parametrize("sessions", ["0", "501", "1.5", ""])
def test_a_number_out_of_range_is_told(sessions: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_MAIL_SESSIONS", sessions)
    with pytest.raises(Misconfigured, match="environment: DIGEST_MAIL_SESSIONS: input should be"):
        load_settings()


@pytest.mark.parametrize(
    "line",
    [
        'secret_key = ["hunter2"]',
        'database_url = ["hunter2"]',
        'mail_url = {password = "hunter2"}',
        'broker_url = ["hunter2"]',
        'previous_secret_keys = [["hunter2"]]',
        'previous_secret_keys = {a = "hunter2"}',
        'secret_key = "hunter2',
        'secrt_key = "hunter2"',
    ],
)
def test_no_secret_is_repeated(folder: Path, line: str) -> None:
    write(folder, line)
    with pytest.raises(Misconfigured, match=r"digest\.toml") as error:
        load_settings()
    assert "hunter2" not in str(error.value)


def test_settings_do_not_show_their_secrets() -> None:
    settings = load_settings(secret_key="hunter2", previous_secret_keys=["hunter3"])
    assert "hunter" not in repr(settings) + str(settings)


def test_a_file_that_is_no_toml_is_told_with_its_line(folder: Path) -> None:
    write(folder, "mail_sessions = 5\nlog_level = info\n")
    with pytest.raises(Misconfigured, match=r"digest\.toml: .*line 2"):
        load_settings()


def test_a_file_that_cannot_be_read_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "digest.toml").write_bytes(b'ops_email = "\xff"')
    with pytest.raises(Misconfigured, match=r"digest\.toml: is not UTF-8 text"):
        load_settings()
    monkeypatch.setenv("DIGEST_CONFIG", str(folder))
    with pytest.raises(Misconfigured, match=re.escape(str(folder))):
        load_settings()


def test_settings_that_cannot_be_had_are_never_passed_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "digest.toml"
    file.mkdir()
    with pytest.raises(Misconfigured, match=r"digest\.toml: is a folder, not a file.*nothing was started"):
        load_settings()
    file.rmdir()
    file.symlink_to("moved.toml")
    with pytest.raises(Misconfigured, match=r"digest\.toml: is a link to moved\.toml, where there is no"):
        load_settings()
    file.unlink()
    file.symlink_to(file)
    with pytest.raises(Misconfigured, match=r"digest\.toml: cannot be read \(Too many levels"):
        load_settings()
    file.unlink()
    write(folder, "")
    monkeypatch.setenv("DIGEST_CONFIG", str(file / "inside"))
    with pytest.raises(Misconfigured, match=r"inside: cannot be read \(Not a directory\)"):
        load_settings()


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("127.0.0.1:8001", ("127.0.0.1:8001",)),
        ("127.0.0.1:8001, 10.0.0.0/8", ("127.0.0.1:8001", "10.0.0.0/8")),
        ("127.0.0.1:8001 [::1]:80", ("127.0.0.1:8001", "[::1]:80")),
        ('["127.0.0.1:8001", "a:1"]', ("127.0.0.1:8001", "a:1")),
        ("", ()),
    ],
)
def test_a_list_in_the_environment_is_written_as_people_write_one(
    text: str, pairs: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_FETCH_ALLOW", text)
    assert load_settings().fetch_allow == pairs


def test_older_keys_are_a_list_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, 'previous_secret_keys = ["one"]')
    assert [key.get_secret_value() for key in load_settings().previous_secret_keys] == ["one"]
    monkeypatch.setenv("DIGEST_PREVIOUS_SECRET_KEYS", "two,three")
    assert [key.get_secret_value() for key in load_settings().previous_secret_keys] == ["two", "three"]


def test_a_broken_list_is_told_without_what_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_PREVIOUS_SECRET_KEYS", '["hunter2"')
    with pytest.raises(Misconfigured, match="DIGEST_PREVIOUS_SECRET_KEYS") as error:
        load_settings()
    assert "hunter2" not in str(error.value)


def test_templates_may_be_ones_own(folder: Path) -> None:
    assert load_settings(templates_dir=folder).templates == folder


def test_keys_stand_in_one_variable_with_their_line_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nMC4C AQAw\n-----END PRIVATE KEY-----\n"
    monkeypatch.setenv("DIGEST_DKIM_KEYS", f"a=/etc/a key.pem, b={pem},")
    read = [key.get_secret_value() for key in load_settings().dkim_keys]
    assert read == ["a=/etc/a key.pem", f"b={pem.strip()}"]
    monkeypatch.setenv("DIGEST_DKIM_KEYS", '["a=a.pem", "b=b.pem"]')
    assert [key.get_secret_value() for key in load_settings().dkim_keys] == ["a=a.pem", "b=b.pem"]
    monkeypatch.setenv("DIGEST_DKIM_KEYS", "")
    assert load_settings().dkim_keys == ()


def test_a_key_in_the_wrong_form_is_not_repeated(folder: Path) -> None:
    write(folder, "dkim_keys = { a = 'hunter2' }")
    with pytest.raises(Misconfigured) as refused:
        load_settings()
    assert "dkim_keys" in str(refused.value)
    assert "hunter2" not in str(refused.value)
