"""Templates of all newsletters and of single ones."""

import shutil
from pathlib import Path

import pytest

from tests.doctor.looking import TEMPLATES, look

pytestmark = pytest.mark.usefixtures("folder")


def test_a_template_that_does_not_compile_is_told_with_its_line_beside_one_that_does(folder: Path) -> None:
    ours = Path(__file__).parents[2] / "templates/email"
    for name, copied in (("broken", "digest"), ("whole", "digest"), ("parts", "parts")):
        shutil.copytree(ours / copied, folder / "templates/email" / name)
    (folder / "templates/email/broken/body.txt").write_text("{% if %}")
    found = look("template broken", templates_dir=str(folder / "templates"))
    assert not found.is_well
    assert "body.txt line 1" in found.advice
    assert look("template whole", templates_dir=str(folder / "templates")).is_well
    assert "templates_dir" in look("templates", templates_dir=str(folder / "none")).advice


def test_templates_of_single_newsletters_are_looked_at(folder: Path) -> None:
    own = folder / "own"
    for name, body in (("harbour/digest", "{% if %}"), ("quay/digst", "")):
        (own / name).mkdir(parents=True)
        (own / name / "body.txt").write_text(body)
    found = look("template digest of harbour", newsletter_templates_dir=str(own))
    assert not found.is_well
    assert "harbour/digest/body.txt line 1" in found.advice
    stray = look("template digst of quay", newsletter_templates_dir=str(own))
    assert not stray.is_well
    assert f"those it may stand for are {', '.join(TEMPLATES)}" in stray.advice
    assert "newsletter_templates_dir" in look("templates", newsletter_templates_dir=str(own / "no")).advice
