from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BARE = ("sh", "awk", "cat", "cksum", "dirname", "id", "mkdir", "tr")

WORKING_PYTHON = f'exec {sys.executable} "$@"'

PYTHON_WITHOUT_PIP = f"""
case "$*" in
*_base_executable*) echo "$0" ;;
*ensurepip*|*pip*) exit 1 ;;
*) exec {sys.executable} "$@" ;;
esac"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A checkout without an environment, beside a `bin` that has next to nothing in it."""
    shutil.copytree(ROOT / "tools", tmp_path / "clone/tools")
    for name in ("pyproject.toml", "uv.lock", "Makefile"):
        shutil.copy(ROOT / name, tmp_path / "clone")
    (tmp_path / "bin").mkdir()
    for name in BARE:
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or "")
    return tmp_path / "clone"


def run(clone: Path, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script of the clone with nothing but its bare `bin` to draw on."""
    environment = {"PATH": str(clone.parent / "bin"), **environment}
    return subprocess.run([str(clone / script)], env=environment, capture_output=True, text=True)


def provide(clone: Path, name: str, script: str) -> None:
    program = clone.parent / "bin" / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_setup_without_python_says_what_to_install(clone: Path) -> None:
    done = run(clone, "tools/setup.sh")
    assert done.returncode == 1
    assert "no complete Python 3.11 or newer" in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr


def test_setup_passes_over_a_python_that_does_not_work(clone: Path) -> None:
    provide(clone, "python3", "exit 127")
    provide(clone, "python3.11", WORKING_PYTHON)
    provide(clone, "uv", 'case $1 in --version) echo uv 0.13.9 ;; *) echo "uv got: $*"; mkdir .venv ;; esac')
    done = run(clone, "tools/setup.sh")
    assert re.search(r"uv got: sync --frozen --python /\S*python3", done.stdout), done.stderr


def test_setup_does_not_trust_an_old_uv(clone: Path) -> None:
    provide(clone, "python3", PYTHON_WITHOUT_PIP)
    provide(clone, "uv", "echo uv 0.7.22")
    done = run(clone, "tools/setup.sh")
    assert done.returncode == 1
    assert "this user may not install packages" in done.stderr
    assert "put uv 0.8 or newer on PATH" in done.stderr


def test_setup_is_done_once_until_the_lock_file_changes(clone: Path) -> None:
    provide(clone, "python3", WORKING_PYTHON)
    provide(
        clone,
        "uv",
        'case $1 in --version) echo uv 1.0.0 ;; *) echo synced; "$4" -m venv --without-pip .venv ;; esac',
    )
    assert "synced" in run(clone, "tools/setup.sh").stdout
    assert run(clone, "tools/setup.sh").stdout == ""
    with (clone / "uv.lock").open("a") as lock:
        lock.write("# changed\n")
    assert "synced" in run(clone, "tools/setup.sh").stdout


def test_without_a_home_caches_stay_in_the_project(clone: Path) -> None:
    provide(clone, "python3", WORKING_PYTHON)
    provide(
        clone,
        "uv",
        'case $1 in --version) echo uv 1.0.0 ;; *) echo "cache: $UV_CACHE_DIR"; mkdir .venv ;; esac',
    )
    assert f"cache: {clone}/.bootstrap/uv-cache" in run(clone, "tools/setup.sh", HOME="/nonexistent").stdout


def test_missing_test_servers_are_named_when_they_may_not_be_installed(clone: Path) -> None:
    done = run(clone, "tools/test-servers.sh")
    assert done.returncode == 2
    assert "apt-get install --no-install-recommends redis-server" in done.stderr
    assert "chromium" in done.stderr


def test_make_lists_its_targets() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony is not None
    listed = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True).stdout
    assert set(re.findall(r"^  make (\w+)", listed, re.MULTILINE)) == set(phony[1].split())
