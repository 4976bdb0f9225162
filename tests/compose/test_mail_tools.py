"""Templates and pages under the field's own linters: npm's mjml 5, html-validate and caniemail."""

import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from digest.domain.mail import Page
from tests.compose.editions import NAMES
from tests.samples import TEMPLATES
from tests.servers.mail_tools import MarkupReport, check_markup, run_node

ROOT = Path(__file__).resolve().parents[2]
ALLOWED: Mapping[str, str] = tomllib.loads(Path(__file__).with_name("mail_features.toml").read_text("utf-8"))

NAIVE = '<!doctype html><html><head><title>x</title></head><body><p style="display:grid">x</body></html>'
"""What no mail should be: each tool must find what is wrong with it, or it proves nothing."""


@pytest.fixture(scope="module")
def report(editions: Mapping[str, Page]) -> MarkupReport:
    return check_markup({**{name: page.html for name, page in editions.items()}, "naive": NAIVE})


def test_html_validate_finds_nothing_in_any_edition(report: MarkupReport) -> None:
    assert {name: report.faults[name] for name in NAMES} == {name: [] for name in NAMES}
    assert [fault.partition(",")[0] for fault in report.faults["naive"]] == [
        "element-required-attributes",
        "no-implicit-close",
    ], "the control: it does see a page without a language and what is never closed"


def test_whatever_a_mail_program_may_not_know_is_used_for_a_reason(report: MarkupReport) -> None:
    used = dict(report.unsupported)
    assert "outlook.windows" in used.pop("display:grid"), "the control: it does see a grid"
    assert {name: clients for name, clients in used.items() if name not in ALLOWED} == {}
    assert set(ALLOWED) - set(used) == set(), "no edition uses these any more"
    assert all(ALLOWED.values()), "each has its reason"


SPOILED = {
    "an element nobody knows": ("<mj-column>", "<mj-colum>", "<mj-colum> Element mj-colum doesn't exist"),
    "an attribute nobody knows": (
        'align="{{ mail.end }}"',
        'side="{{ mail.end }}"',
        "<mj-text> Attribute side is illegal",
    ),
    "a value of the wrong kind": ('font-size="14px"', 'font-size="small"', "font-size has invalid value"),
    "a side that is none": ('align="{{ mail.end }}"', 'align="end"', "align has invalid value: end"),
    "wrong nesting": ("<mj-section>", "<mj-section><mj-text>x</mj-text>", "cannot be used inside mj-section"),
    "an element out of place in a part": (
        "<mj-attributes>",
        "<mj-text>x</mj-text><mj-attributes>",
        "cannot be used",
    ),
    "a width that mrml would lose": (
        "<mj-column>",
        '<mj-column width="{{ issue.width }}">',
        "width has invalid value: {{ issue.width }}",
    ),
}


@pytest.mark.parametrize("fault", SPOILED)
def test_a_broken_template_is_named_with_its_line(fault: str, tmp_path: Path) -> None:
    old, new, message = SPOILED[fault]
    file = "parts/head.mjml" if fault == "an element out of place in a part" else "digest/body.mjml"
    shutil.copytree(TEMPLATES, tmp_path / "email")
    spoiled = tmp_path / "email" / file
    source = spoiled.read_text("utf-8")
    assert old in source
    spoiled.write_text(source.replace(old, new, 1), "utf-8")
    line = source[: source.index(old)].count("\n") + 1
    done = run_node("lint.mjs", str(tmp_path / "email/digest/body.mjml"))
    assert done.returncode == 1
    assert any(
        row.startswith(f"{spoiled} line {line}: ") and message in row for row in done.stdout.splitlines()
    )


def test_make_lint_fails_on_a_broken_template(tmp_path: Path) -> None:
    """The recipe as it stands in the Makefile, run where a broken template lies beside ours."""
    dry = subprocess.run(["make", "-n", "lint"], cwd=ROOT, capture_output=True, text=True, check=True)
    (recipe,) = [line for line in dry.stdout.splitlines() if "lint.mjs" in line]
    shutil.copytree(TEMPLATES, tmp_path / "templates/email")
    (tmp_path / "tools").symlink_to(ROOT / "tools")
    assert subprocess.run(recipe, shell=True, cwd=tmp_path).returncode == 0
    (tmp_path / "templates/email/other").mkdir()
    (tmp_path / "templates/email/other/body.mjml").write_text("<mjml><mj-body><mj-row /></mj-body></mjml>")
    assert subprocess.run(recipe, shell=True, cwd=tmp_path, capture_output=True).returncode == 1


def test_a_template_that_cannot_be_read_is_a_fault_and_none_at_all_a_mistake() -> None:
    assert run_node("lint.mjs", "/nonexistent.mjml").returncode == 1
    assert run_node("lint.mjs").returncode == 2
