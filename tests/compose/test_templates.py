import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from digest.compose import sandbox
from digest.compose.letters import compile_letter
from digest.compose.templates import compile_template
from digest.domain.errors import Misconfigured
from digest.domain.letters import LetterKind
from tests.samples import TEMPLATES
from tests.waiting import PATIENCE


def spoiled(folder: Path, files: Mapping[str, str], name: str, old: str, new: str) -> int:
    """Write the template with `old` replaced by `new` in one file; return the line where it stood."""
    assert old in files[name]
    (folder / "parts").mkdir()
    for other, text in files.items():
        (folder / other).write_text(text, encoding="utf-8")
    (folder / name).write_text(files[name].replace(old, new, 1), encoding="utf-8")
    return files[name][: files[name].index(old)].count("\n") + 1


MJML_ERRORS = {
    "an element that MJML does not know": ("<mj-text padding", "<mj-txt padding", "<mj-txt>"),
    "an element that is closed out of turn": ("</h2>", "</h3>", "</h3>"),
    "an attribute without quotes": ('<mj-text padding="6px 32px 0">', "<mj-text padding=0>", "parse"),
    "a Jinja tag that is not closed": (
        "{% for paragraph in issue.intro %}",
        "{% for paragraph in %}",
        "Expected",
    ),
    "a Jinja tag that does not exist": ("{% if item.image %}", "{% iff item.image %}", "iff"),
    "a name that is not there": ("{{ item.title }}", "{{ item.headline }}", "headline"),
    "a phrase without what it speaks of": (", source=item.source) }}", ") }}", "no 'source'"),
    "a phrase said by a word that is not there": (
        "pgettext('view_online'",
        "pgetext('view_online'",
        "pgetext",
    ),
    "a filter that is not there": ("{{ item.day }}", "{{ item.day | fancy }}", "fancy"),
    "a sum that cannot be done": ("{{ item.day }}", "{{ item.minutes / 0 }}", "division"),
    "a look behind the sandbox": ("{{ item.day }}", "{{ item.day.__class__.mro() }}", "unsafe"),
}


@pytest.mark.parametrize("error", MJML_ERRORS)
def test_an_error_in_the_mjml_is_named_with_file_and_line(
    error: str, tmp_path: Path, template_files: Mapping[str, str]
) -> None:
    old, new, word = MJML_ERRORS[error]
    line = spoiled(tmp_path, template_files, "body.mjml", old, new)
    with pytest.raises(Misconfigured) as raised:
        compile_template(tmp_path)
    assert f"{tmp_path / 'body.mjml'} line {line}:" in str(raised.value)
    assert word in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("{% if item.url %}", "{% if item.url }", "unexpected"),
        ("{{ section.name | upper }}", "{{ section.title | upper }}", "title"),
    ],
)
def test_an_error_in_the_text_form_is_named_with_file_and_line(
    old: str, new: str, word: str, tmp_path: Path, template_files: Mapping[str, str]
) -> None:
    line = spoiled(tmp_path, template_files, "body.txt", old, new)
    with pytest.raises(Misconfigured, match=rf"body\.txt line {line}: .*{word}"):
        compile_template(tmp_path)


ENDLESS = {
    "loops in loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "a macro that calls itself twice": (
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}"
    ),
    "a macro that only calls itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a loop that writes too much": "{% for a in range(99999) %}{{ 'word ' * 99 }}{% endfor %}",
}
"""Each is told, and not waited for."""


@pytest.mark.parametrize("error", ENDLESS)
@pytest.mark.parametrize(
    ("name", "before"), [("body.mjml", "{% if item.image %}"), ("body.txt", "{% if item.takeaways %}")]
)
def test_a_template_without_end_is_named_with_file_and_line(
    error: str, name: str, before: str, tmp_path: Path, template_files: Mapping[str, str]
) -> None:
    line = spoiled(tmp_path, template_files, name, before, f"{ENDLESS[error]}{before}")
    began = time.thread_time()
    with pytest.raises(Misconfigured, match=rf"{name} line {line}: (it|maximum recursion)"):
        compile_template(tmp_path)
    assert time.thread_time() - began < PATIENCE


def test_a_template_that_is_slow_from_step_to_step_is_stopped_by_the_clock(
    tmp_path: Path, template_files: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "SECONDS_MAX", 0.05)
    slow = "{% for a in range(9999) %}{% set b = range(9999) | sum %}{% endfor %}"
    line = spoiled(tmp_path, template_files, "body.txt", "{% if item.url %}", f"{slow}{{% if item.url %}}")
    with pytest.raises(Misconfigured, match=rf"body\.txt line {line}: it takes more than 0.05 seconds"):
        compile_template(tmp_path)


def test_what_goes_on_without_end_in_a_part_is_named_by_the_part(tmp_path: Path) -> None:
    (tmp_path / "welcome").mkdir()
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "sender.txt").write_text(f"\n\n{ENDLESS['loops in loops']}")
    with pytest.raises(Misconfigured, match=r"parts/sender\.txt line 3: it goes on for more than"):
        compile_letter(LetterKind.WELCOME, tmp_path / "welcome", TEMPLATES / "welcome")


def test_an_unclosed_element_is_named_with_the_line_it_was_opened_in(
    tmp_path: Path, template_files: Mapping[str, str]
) -> None:
    spoiled(tmp_path, template_files, "body.mjml", "</mjml>", "")
    with pytest.raises(Misconfigured, match=r"body\.mjml line 1: <mjml> is never closed"):
        compile_template(tmp_path)


def test_a_missing_block_is_named(tmp_path: Path, template_files: Mapping[str, str]) -> None:
    files = {name: text.replace("endblock closing", "endblock") for name, text in template_files.items()}
    spoiled(tmp_path, files, "body.txt", "{% block closing %}", "{% block ending %}")
    with pytest.raises(Misconfigured, match=r"body\.txt line 1: it has no block 'closing'"):
        compile_template(tmp_path)


@pytest.mark.parametrize("name", ["body.mjml", "body.txt"])
def test_a_missing_file_is_named(name: str, tmp_path: Path, template_files: Mapping[str, str]) -> None:
    spoiled(tmp_path, template_files, name, "", "")
    (tmp_path / name).unlink()
    with pytest.raises(Misconfigured, match=f"{name}: cannot be read"):
        compile_template(tmp_path)


def test_every_template_we_ship_compiles() -> None:
    folders = {file.parent.name: file.parent for file in TEMPLATES.glob("*/body.mjml")}
    assert compile_template(folders.pop("digest")).name == "digest"
    assert set(folders) == set(LetterKind)
    assert {compile_letter(kind, folders[kind]).name for kind in LetterKind} == set(folders)
