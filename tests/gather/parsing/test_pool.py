"""Parser processes are real ones here, and so are the faults they are given."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Thread
from typing import TypeVar

import pytest
from structlog.testing import capture_logs

from digest.domain.articles import Article
from digest.domain.errors import Refused, Unavailable
from digest.gather.feeds.entries import NotAFeed
from digest.gather.feeds.formats import read_feed
from digest.gather.pages.extract import read_page
from digest.gather.parsing import starter
from digest.gather.parsing.pool import Parsers
from tests.gather.parsing import faults

T = TypeVar("T")

URL = "https://meridian.example.org/tides"


def run(act: Callable[[Parsers], Awaitable[T]], **options: object) -> T:
    async def main() -> T:
        async with Parsers(**({"processes": 1, "prepare": faults.pid} | options)) as parsers:  # type: ignore[arg-type]
            return await act(parsers)

    return asyncio.run(main())


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until_gone(*pids: int) -> bool:
    deadline = time.monotonic() + 10
    while any(map(is_there, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(is_there, pids))


def refusal(function: Callable[..., object], *args: object, **options: object) -> str:
    """Return why a document is refused, having seen that the next one is read by another process."""

    async def act(parsers: Parsers) -> str:
        before = await parsers.call(faults.pid)
        with pytest.raises(Refused) as caught:
            await parsers.call(function, *args, url=URL)  # type: ignore[arg-type]
        assert await parsers.call(faults.pid) != before
        assert until_gone(before)
        return str(caught.value)

    return run(act, **options)


def test_a_value_comes_back_equal_whatever_it_is_made_of() -> None:
    assert run(lambda parsers: parsers.call(faults.article, b"x" * 3_000_000, url=URL)) == faults.ARTICLE


def test_a_page_is_read_as_it_would_be_here() -> None:
    page = b"<html lang=en><title>Tides</title><article>" + b"<p>The tide came in over the sand.</p>" * 9

    async def main() -> Article:
        async with Parsers() as parsers:
            return await parsers.call(read_page, page, url=URL)

    assert asyncio.run(main()) == read_page(page, url=URL)


def test_a_feed_s_own_error_is_raised_here() -> None:
    with pytest.raises(NotAFeed, match="is not a feed: it is an HTML page"):
        run(lambda parsers: parsers.call(read_feed, b"<html><p>News</p>", url=URL))


def test_an_error_keeps_its_type_words_and_attributes() -> None:
    with pytest.raises(faults.Later) as caught:
        run(lambda parsers: parsers.call(faults.later, URL))
    assert (str(caught.value), caught.value.seconds) == (f"{URL} asks to wait", 1.5)
    assert (caught.value.until.year, caught.value.links) == (2026, (URL,))


def test_a_document_that_takes_too_long_is_refused_and_its_process_replaced() -> None:
    assert refusal(faults.spin, seconds=1) == f"{URL} took longer than 1 s to read"


def test_a_process_that_stands_still_is_replaced_too() -> None:
    assert refusal(faults.stop, seconds=1) == f"{URL} took longer than 1 s to read"


def test_a_document_that_needs_too_much_memory_is_refused() -> None:
    assert refusal(faults.grow, 1_000, memory_mb=200) == f"{URL} needs more than 200 MB to read"


def test_a_page_that_libxml2_cannot_hold_is_refused_for_its_memory() -> None:
    assert refusal(faults.table, 500_000, memory_mb=200) == f"{URL} needs more than 200 MB to read"


@pytest.mark.parametrize(
    ("function", "words"), [(faults.leave, "exit status 0"), (faults.segfault, "SIGSEGV")]
)
def test_a_document_that_ends_its_process_is_refused(function: Callable[..., int], words: str) -> None:
    assert refusal(function) == f"{URL} could not be read: it brought down our reader ({words})"


def test_a_process_that_speaks_rubbish_is_replaced() -> None:
    assert refusal(faults.rubbish) == f"{URL} could not be read: it brought down our reader (nonsense)"


@pytest.mark.parametrize("lie", [faults.wrong_type, faults.wrong_value, faults.stranger])
def test_an_answer_of_another_type_is_not_believed(lie: Callable[..., object]) -> None:
    with pytest.raises(Refused, match="answered with nonsense"):
        run(lambda parsers: parsers.call(lie, URL))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("act", "name"),
    [
        (lambda parsers: parsers.call(faults.crash, url=URL), "ValueError"),
        (lambda parsers: parsers.call(faults.nested, 0), "RecursionError"),
        (lambda parsers: parsers.call(faults.unpicklable_error), "ValueError"),
    ],
)
def test_a_fault_of_a_parser_is_refused_in_words(act: Callable[[Parsers], Awaitable[int]], name: str) -> None:
    with pytest.raises(Refused, match=rf"brought down our reader \({name}\)"):
        run(act)


def test_the_memory_of_a_large_parent_is_not_its_process_s() -> None:
    ballast = b"x" * (300 << 20)
    with pytest.raises(Refused, match="brought down our reader"):
        run(lambda parsers: parsers.call(faults.crash, url=URL), memory_mb=300)
    assert ballast


def test_a_function_whose_answer_cannot_cross_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="a value of type object cannot be answered"):
        run(lambda parsers: parsers.call(faults.no_hint, URL))


def test_other_calls_go_on_beside_one_that_hangs_and_one_that_dies() -> None:
    async def act(parsers: Parsers) -> list[object]:
        calls = [parsers.call(faults.spin, URL), parsers.call(faults.leave, URL)]
        calls += [parsers.call(faults.length, b"x" * size) for size in range(20)]
        return list(await asyncio.gather(*calls, return_exceptions=True))

    hung, died, *lengths = run(act, processes=2, seconds=1)
    assert isinstance(hung, Refused)
    assert isinstance(died, Refused)
    assert lengths == list(range(20))


def test_two_hundred_calls_on_two_processes_each_get_their_own_answer() -> None:
    async def act(parsers: Parsers) -> tuple[list[int], set[int]]:
        lengths = await asyncio.gather(*(parsers.call(faults.length, b"x" * n) for n in range(200)))
        pids = await asyncio.gather(*(parsers.call(faults.sleep, 0.01) for _ in range(20)))
        return lengths, set(pids)

    lengths, pids = run(act, processes=2)
    assert lengths == list(range(200))
    assert len(pids) == 2


def test_calls_are_taken_up_in_the_order_they_came() -> None:
    done: list[int] = []

    async def act(parsers: Parsers) -> None:
        async def one(number: int) -> None:
            await parsers.call(faults.length, b"")
            done.append(number)

        await asyncio.gather(*map(one, range(30)))

    run(act)
    assert done == list(range(30))


def test_no_process_is_started_before_it_is_needed() -> None:
    async def act(parsers: Parsers) -> set[int]:
        return {await parsers.call(faults.pid) for _ in range(5)}

    assert len(run(act, processes=8)) == 1


def test_a_process_is_replaced_after_its_calls_and_after_a_large_document() -> None:
    async def act(parsers: Parsers) -> tuple[int, ...]:
        first = await parsers.call(faults.pid)
        await parsers.call(faults.pid)
        second = await parsers.call(faults.pid)
        await parsers.call(faults.grow, 150)
        return first, second, await parsers.call(faults.pid)

    assert len(set(run(act, calls=2))) == 3
    assert len(set(run(act, calls=100, memory_mb=300))) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process holds")
def test_a_process_gives_back_the_memory_of_a_large_document() -> None:
    async def act(parsers: Parsers) -> tuple[int, int, bool]:
        first, before = await parsers.call(faults.pid), await parsers.call(faults.held_mb)
        await parsers.call(faults.table, 120_000, url=URL)
        return before, await parsers.call(faults.held_mb), first == await parsers.call(faults.pid)

    before, after, is_same = run(act, memory_mb=1_000)
    assert is_same
    assert after < before + 16


def test_a_process_that_died_idle_is_no_document_s_fault() -> None:
    async def act(parsers: Parsers) -> int:
        pid = await parsers.call(faults.pid)
        os.kill(pid, signal.SIGKILL)
        while is_there(pid):
            await asyncio.sleep(0.01)
        return await parsers.call(faults.length, b"xyz")

    assert run(act) == 3


def test_a_cancelled_call_leaves_no_process_busy() -> None:
    async def act(parsers: Parsers) -> float:
        before = await parsers.call(faults.pid)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await parsers.call(faults.spin, URL)
        assert until_gone(before)
        start = time.monotonic()
        await parsers.call(faults.pid)
        return time.monotonic() - start

    assert run(act) < 15


def test_nothing_is_left_when_the_parsers_are_closed() -> None:
    async def act(parsers: Parsers) -> tuple[int, asyncio.Task[int]]:
        pid = await parsers.call(faults.pid)
        busy = asyncio.create_task(parsers.call(faults.spin, URL))
        await asyncio.sleep(0.1)
        return pid, busy

    async def main() -> int:
        async with Parsers(processes=1, prepare=faults.pid) as parsers:
            pid, busy = await act(parsers)
        with pytest.raises(Unavailable, match="was not read: the parser processes were closed"):
            await busy
        with pytest.raises(Unavailable, match="are closed"):
            await parsers.call(faults.pid)
        return pid

    assert until_gone(asyncio.run(main()))


def test_a_parent_that_is_killed_leaves_no_process() -> None:
    script = (
        "import asyncio\n"
        "from digest.gather.parsing.pool import Parsers\n"
        "from tests.gather.parsing import faults\n"
        "async def main():\n"
        "    async with Parsers(processes=2, prepare=faults.pid) as parsers:\n"
        "        pids = await asyncio.gather(*[parsers.call(faults.sleep, .1) for _ in range(25)])\n"
        "        pids.append(await parsers.call(faults.forkserver))\n"
        "        print(*pids, flush=True)\n"
        "        await asyncio.gather(*[parsers.call(faults.spin, '') for _ in '12'])\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(set(pids)) == 3
    time.sleep(0.2)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert until_gone(*pids)


def test_what_stops_the_group_leaves_the_process_to_its_parent() -> None:
    async def act(parsers: Parsers) -> tuple[int, int]:
        pid = await parsers.call(faults.pid)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(pid, number)
        return pid, await parsers.call(faults.pid)

    before, after = run(act)
    assert before == after


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_process_has_no_secrets_and_none_of_our_descriptors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_SECRET_KEY", "canary")
    ours = set[str]()

    async def act(parsers: Parsers) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        seen = await asyncio.gather(*(parsers.call(faults.surroundings) for _ in range(30)))
        ours.update(str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink())
        return seen

    with (tmp_path / "open").open("w"), socket.create_server(("127.0.0.1", 0)):
        seen = run(act, processes=2)
    assert {
        name for names, _ in seen for name in names if name.startswith(("DIGEST", "PATH", "HOME"))
    } == set()
    sockets = {frozenset(links) - {"/dev/null"} for _, links in seen}
    assert [len(each) for each in sockets] == [2, 2]
    assert all(each.startswith("socket:") for each in frozenset().union(*sockets))
    assert frozenset().union(*sockets).isdisjoint(ours)
    assert frozenset.intersection(*sockets) == frozenset()


def test_a_process_can_write_no_file(tmp_path: Path) -> None:
    assert run(lambda parsers: parsers.call(faults.write_file, str(tmp_path / "x"))) is False


def test_what_is_printed_in_a_process_is_no_answer() -> None:
    assert run(lambda parsers: parsers.call(faults.chatter)) == 1


def test_every_event_loop_has_parsers_of_its_own() -> None:
    lengths: list[int] = []

    def work(size: int) -> None:
        lengths.append(run(lambda parsers: parsers.call(faults.length, b"x" * size)))

    threads = [Thread(target=work, args=(size,)) for size in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(lengths) == [1, 2, 3]


def test_a_process_that_cannot_start_is_nobody_s_document_s_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter, "_MODULE", "digest.no_such_module")
    with pytest.raises(Unavailable, match="the document was not read: a parser process did not start"):
        run(lambda parsers: parsers.call(faults.pid))
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(Unavailable, match="no parser process could be started"):
        run(lambda parsers: parsers.call(faults.pid))


def test_why_the_readers_could_not_be_loaded_is_logged() -> None:
    with capture_logs() as logs, pytest.raises(Unavailable, match="did not start; see the log"):
        run(lambda parsers: parsers.call(faults.pid), prepare=faults.refuse_to_prepare)
    assert [log["event"] for log in logs] == ["parser.not_started"]
    assert logs[0]["said"].endswith("RuntimeError: no readers here\n")


def test_readers_are_loaded_once_in_one_thread_and_kept_for_the_next_event_loop() -> None:
    async def act(parsers: Parsers) -> tuple[int, int, int, int]:
        return await parsers.call(faults.family)

    first, second = run(act, prepare=faults.prepare), run(act, prepare=faults.prepare)
    assert first[0] == first[1] == second[0] == second[1]
    assert first[2] == second[2] == 1
    assert len({first[1], first[3], second[3]}) == 3


def test_what_nobody_uses_any_more_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter, "KEPT_SECONDS", 0.0)
    assert until_gone(run(lambda parsers: parsers.call(faults.forkserver)))


def test_a_document_is_read_later_when_what_starts_the_processes_dies() -> None:
    async def act(parsers: Parsers) -> tuple[int, int]:
        before = await parsers.call(faults.forkserver)
        reading = asyncio.create_task(parsers.call(faults.spin, URL))
        await asyncio.sleep(0)
        os.kill(before, signal.SIGKILL)
        with pytest.raises(Unavailable, match="what starts the parser processes ended"):
            await reading
        return before, await parsers.call(faults.forkserver)

    before, after = run(act)
    assert before != after
    assert until_gone(before)


def test_a_fork_of_ours_has_no_part_in_our_processes() -> None:
    async def act(parsers: Parsers) -> tuple[int, int]:
        before = await parsers.call(faults.pid)
        if (fork := os.fork()) == 0:
            os._exit(len(starter._starters))
        return os.waitpid(fork, 0)[1], await parsers.call(faults.pid) - before

    assert run(act) == (0, 0)
