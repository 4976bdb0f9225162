"""What `make phrases` would write, in a copy: other tests read the catalogues at the same moment."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def assert_up_to_date(name: str, folder: Path) -> None:
    """Assert that the tool, run in the empty `folder`, changes no catalogue `name`: mail or pages."""
    for part in ("templates", "tools"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run([sys.executable, folder / "tools/phrases.py"], check=True)
    ours, theirs = (_catalogues(root, name) for root in (ROOT, folder))
    assert len(ours) > 3
    assert ours == theirs


def _catalogues(root: Path, name: str) -> dict[str, str]:
    folder = root / "templates"
    return {str(file.relative_to(folder)): file.read_text("utf-8") for file in folder.rglob(f"{name}.po*")}
