"""The process that parser processes are forked from, each in milliseconds: see `starter`, which starts it.

    python -m digest.gather.parsing.forkserver

stdin is a socket from its parent. Over it comes a pickled function that prepares what all are to have (after
its length), then a request for each process: its limits, and with them three sockets. Over the first the
process is talked to (`child`), into the second goes what it says besides; the third is ours and the parent's:
when the parent ends its side we kill the process, and when the process is gone we say how it ended.

It has one thread, so a fork is safe, and reads nothing that a stranger wrote, so all forks start clean. Its
parent's death it sees by the end of stdin, and takes every process with it.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import os
import pickle
import signal
import socket
import struct
import sys
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ, DefaultSelector
from typing import NoReturn

from digest.gather.memory import give_back
from digest.gather.parsing.child import LENGTH, serve

WANTED = struct.Struct("!Id")
"""A request: megabytes, seconds."""
STATUS = struct.Struct("!i")
"""How a process ended: its exit status, or less than nothing for a signal."""

_PR_SET_PDEATHSIG = 1
_SOCKETS = 3
_TALK = 3  # the descriptor after stderr


def main() -> None:
    """Fork what is asked for until stdin ends."""
    _outlive_signals()
    requests = socket.socket(fileno=os.dup(0))
    if not (length := requests.recv(LENGTH.size, socket.MSG_WAITALL)):
        return
    prepare = pickle.loads(requests.recv(LENGTH.unpack(length)[0], socket.MSG_WAITALL))  # noqa: S301 (our parent's)
    prepare()
    _settle()
    server = _Forkserver(requests)
    server.serve()
    server.kill_all()
    os._exit(0)  # nothing is worth tidying up


def _outlive_signals() -> None:
    """Ctrl-C and a stopping service signal the whole group: our parent needs us to finish."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _settle() -> None:
    """Share memory with the forks for as long as it goes, and hold open nothing of whoever asked first."""
    gc.collect()
    give_back()
    gc.freeze()  # else the collector would write to every object, and so copy it
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)


class _Forkserver:
    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._children: dict[int, socket.socket] = {}
        self._selector = DefaultSelector()
        self._is_over = False

    def serve(self) -> None:
        woken, waker = socket.socketpair()
        for each in (woken, waker):
            each.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only to be woken
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._requests, EVENT_READ, self._take_request)
        self._selector.register(woken, EVENT_READ, partial(self._reap, woken))
        while not self._is_over:
            for key, _ in self._selector.select():
                key.data()

    def kill_all(self) -> None:
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)

    def _take_request(self) -> None:
        wanted, sockets, _, _ = socket.recv_fds(self._requests, WANTED.size, _SOCKETS)
        if len(wanted) < WANTED.size:
            self._is_over = True
            return
        try:
            self._fork(WANTED.unpack(wanted), *sockets)
        except OSError as exc:  # no process, or no memory for one, can be had
            os.write(sockets[1], f"no fork: {exc}".encode())
        finally:
            for each in sockets:
                os.close(each)

    def _fork(self, wanted: tuple[int, float], talk: int, words: int, control: int) -> None:
        ours = os.getpid()
        pid = os.fork()
        if pid == 0:
            _be_a_parser(ours, talk, words, *wanted)
        self._children[pid] = socket.socket(fileno=os.dup(control))
        self._selector.register(self._children[pid], EVENT_READ, partial(self._kill, pid))

    def _kill(self, pid: int) -> None:
        """Kill a process whose parent is done with it: its number is no other's, as it was not waited for."""
        if pid in self._children:
            self._selector.unregister(self._children[pid])
            os.kill(pid, signal.SIGKILL)

    def _reap(self, woken: socket.socket) -> None:
        woken.recv(4096)
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            with self._children.pop(pid) as control:
                with suppress(KeyError):  # it was killed
                    self._selector.unregister(control)
                with suppress(OSError):  # who asked for it is gone
                    control.send(STATUS.pack(os.waitstatus_to_exitcode(status)))


def _be_a_parser(forkserver: int, talk: int, words: int, memory_mb: int, seconds: float) -> NoReturn:
    """Never return to what the fork interrupted."""
    try:
        _keep_only(talk, words)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        faulthandler.enable()
        _live_for(forkserver)
        with (
            os.fdopen(_TALK, "rb", closefd=False) as requests,
            os.fdopen(_TALK, "wb", closefd=False) as answers,
        ):
            serve(requests, answers, memory_mb=memory_mb, seconds=seconds)
    except BaseException:  # noqa: BLE001 (what the interpreter does with an error that nobody caught)
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def _keep_only(talk: int, words: int) -> None:
    """Have no descriptor but ours; whoever prints speaks into `words`."""
    talk, words = os.dup(talk), os.dup(words)  # they may have one of the numbers that are now given
    for descriptor, number in ((words, 1), (words, 2), (talk, _TALK)):
        os.dup2(descriptor, number)
    os.closerange(_TALK + 1, os.sysconf("SC_OPEN_MAX"))


def _live_for(forkserver: int) -> None:
    """Die with who forked us. Where the kernel knows no death signal, the end of our requests does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != forkserver:
        os._exit(0)


if __name__ == "__main__":
    main()
