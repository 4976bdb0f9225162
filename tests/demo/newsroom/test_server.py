import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from digest.demo.newsroom import Newsroom
from tests.demo.web import get
from tests.servers.processes import free_port
from tests.waiting import PATIENCE

NOW = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)


def command(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "digest.demo.newsroom", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


def test_there_are_five_sources_on_loopback_and_four_can_be_read(newsroom: Newsroom) -> None:
    assert [(source.name, source.kind) for source in newsroom.sources] == [
        ("The Meridian Post", "feed"),
        ("Northlight", "feed"),
        ("Harbour Ledger", "feed"),
        ("The Allotment", "page"),
        ("Tideline", "feed"),
    ]
    assert all(source.url.startswith(f"http://{newsroom.host_port}/") for source in newsroom.sources)


def test_an_article_that_is_gone_is_404_though_its_feed_lists_it(newsroom: Newsroom) -> None:
    (gone,) = (entry for entry in newsroom.catalogue.published if entry.article.page_gone)
    answer = get(gone.url)
    assert answer.status == 404
    assert "Nothing here but background radiation" in answer.text
    assert gone.url in get(newsroom.sources[1].url).text


@pytest.mark.parametrize("path", ["/", "/nowhere/", "/meridian/nothing", "/meridian/../../etc/passwd", "//"])
def test_an_unknown_path_is_404(newsroom: Newsroom, path: str) -> None:
    assert get(newsroom.url + path).status == 404


def test_head_gives_the_headers_of_get_without_a_body(newsroom: Newsroom) -> None:
    url = newsroom.sources[0].url
    assert get(url, method="HEAD").body == b""
    assert get(url, method="HEAD").headers["Content-Length"] == str(len(get(url).body))


def test_the_same_moment_gives_the_same_pages(newsroom: Newsroom) -> None:
    def body(port: int) -> str:
        with Newsroom.start(now=NOW, port=port) as started:
            return get(started.sources[1].url).text

    port = free_port()
    assert body(port) == body(port)


def test_a_closed_newsroom_answers_nobody() -> None:
    with Newsroom.start(now=NOW) as started:
        url = started.sources[0].url
        assert get(url).status == 200
    with pytest.raises(ConnectionRefusedError):
        get(url)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="naive datetime"):
        Newsroom.start(now=datetime(2026, 11, 20))


def test_the_command_prints_its_sources_and_serves_them_until_it_is_told_to_stop() -> None:
    with command("--zone", "Europe/Paris") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().split() for _ in range(5)]
        statuses = [get(url).status for _, url, *_ in lines]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 0
    assert [kind for kind, *_ in lines] == ["feed", "feed", "feed", "page", "feed"]
    assert statuses == [200] * 5


def test_the_command_says_what_is_wrong_with_a_zone_or_a_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for arguments, problem in (
            (("--port", port), f"port {port} cannot be served"),
            (("--zone", "Moon"), "--zone"),
        ):
            with command(*arguments) as process:
                _, errors = process.communicate(timeout=PATIENCE)
            assert process.returncode == 2
            assert problem in errors
            assert "Traceback" not in errors
