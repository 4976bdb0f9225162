from pathlib import Path

from digest.settings import Settings
from digest.settings_doc import document

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"


def test_the_page_about_settings_is_what_the_code_says() -> None:
    assert PAGE.read_text("utf-8") == document(), "run: python -m digest.settings_doc > docs/settings.md"


def test_every_setting_has_a_description_a_variable_and_a_default() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description
        assert f"\n### `{name}`\n\n`DIGEST_{name.upper()}`, " in document()
