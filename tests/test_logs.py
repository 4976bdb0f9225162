import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog
from pydantic import SecretStr

from digest.logs import hide_secrets, set_up_logs

URL = "postgresql+psycopg://digest:hunter2@db.example.org:5432/digest"


Told = Callable[[], str]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Iterator[Told]:
    """What was written to standard error, with the logging of other tests put back afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, structlog.get_config()
    yield lambda: capsys.readouterr().err
    root.handlers[:], root.level = before[0], before[1]
    structlog.configure(**before[2])


def crash() -> None:
    secret = "hunter2"
    raise RuntimeError(f"no answer from {URL}", len(secret))


def test_programs_get_one_json_object_a_line(told: Told) -> None:
    set_up_logs(level="info", as_json=True)
    structlog.get_logger("digest.test").info("issue.sent", issue=3)
    structlog.get_logger("digest.test").debug("not.this")
    (line,) = told().splitlines()
    entry = json.loads(line)
    assert (entry["event"], entry["issue"], entry["level"]) == ("issue.sent", 3, "info")
    assert entry["timestamp"].endswith("Z")


def test_people_get_a_line_they_can_read(told: Told) -> None:
    set_up_logs(level="warning", as_json=False)
    structlog.get_logger("digest.test").warning("source.failed", source="Meridian")
    structlog.get_logger("digest.test").info("not.this")
    written = told()
    assert "source.failed" in written
    assert "source=Meridian" in written
    assert "not.this" not in written


@pytest.mark.parametrize("as_json", [True, False])
def test_no_log_line_holds_a_password(told: Told, as_json: bool) -> None:
    set_up_logs(level="info", as_json=as_json)
    log = structlog.get_logger("digest.test")
    log.info(f"connecting to {URL}", reason=f"cannot reach {URL}", url=URL)
    log.info("nested", urls=[URL], more={"dsn": URL, "api_key": "hunter2"}, error=OSError(URL))
    log.info("named", secret_key="hunter2", Authorization="hunter2", password="hunter2", cookie="hunter2")
    log.info("settings", key=SecretStr("hunter2"))
    try:
        crash()
    except RuntimeError:
        log.exception("crashed")
    logging.getLogger("celery").error("cannot connect to %s", URL)
    try:
        crash()
    except RuntimeError:
        logging.getLogger("celery").exception("crashed")
    written = told()
    assert "hunter2" not in written
    assert "digest:***@db.example.org" in written
    assert written.count("RuntimeError") >= 2


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("redis://:hunter2@localhost:6379/0", "redis://:***@localhost:6379/0"),
        ("smtp://a%40b:hun@ter2@mail.example.org", "smtp://a%40b:***@mail.example.org"),
        (
            "see smtp://u:hunter2@a.example.org and a@example.org",
            "see smtp://u:***@a.example.org and a@example.org",
        ),
        ("http://127.0.0.1:8000/issues/3", "http://127.0.0.1:8000/issues/3"),
        ("mailto:anna@example.org", "mailto:anna@example.org"),
        ("at 10:30 to anna@example.org", "at 10:30 to anna@example.org"),
    ],
)
def test_a_password_inside_an_address_is_hidden_and_nothing_else(text: str, hidden: str) -> None:
    assert hide_secrets(None, "info", {"event": text}) == {"event": hidden}


def test_a_count_of_tokens_is_no_secret_and_a_token_is() -> None:
    told = {"tokens": 4711, "token": "hunter2", "tokens_of": {"tokens": 3, "secret": "hunter2"}}
    assert hide_secrets(None, "info", told) == {"tokens": 4711, "token": "***", "tokens_of": "***"}
