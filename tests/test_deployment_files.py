from __future__ import annotations

import re
import subprocess
import sys
from fnmatch import fnmatch
from importlib.metadata import entry_points

import pytest

from digest.settings import PREFIX, Settings
from tests.servers.compose import COMPOSE_FILE, named_volumes, passed_on, services, variables_in

ROOT = COMPOSE_FILE.parent
REQUIRED = {"DIGEST_SECRET_KEY": "s", "POSTGRES_PASSWORD": "pg", "REDIS_PASSWORD": "rd"}
SERVICES = services(variables=REQUIRED)
OURS = [service for service in SERVICES.values() if service.is_ours]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ").splitlines()


def instructions(name: str) -> list[list[str]]:
    """The arguments of every such instruction of the Dockerfile, without its flags."""
    lines = [line.split() for line in DOCKERFILE if line.split()[:1] == [name]]
    return [[word for word in words[1:] if not word.startswith("--")] for words in lines]


# --- docker-compose.yml


def test_the_compose_file_follows_the_compose_specification() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, str(COMPOSE_FILE)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_variable_is_explained_in_the_example_environment() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    explained = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    assert variables_in(COMPOSE_FILE.read_text("utf-8")) | passed_on() == explained


@pytest.mark.parametrize("name", REQUIRED)
def test_a_secret_that_is_not_set_stops_everything(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} is not set: copy \.env\.example to \.env"):
        services(variables={**REQUIRED, name: ""})


def test_the_example_environment_has_no_secrets_in_it() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    assert {name for name in REQUIRED if f"\n{name}=\n" in example} == set(REQUIRED)


def test_services_depend_on_services_that_can_meet_the_condition() -> None:
    for service in SERVICES.values():
        for name, condition in service.depends_on.items():
            if condition == "service_healthy":
                assert SERVICES[name].check, (
                    f"{service.name} waits for the health of {name}, which has no check"
                )
            else:
                assert (name, condition) == ("migrate", "service_completed_successfully")


@pytest.mark.parametrize("name", ["migrate", "web", "worker", "beat"])
def test_every_documented_setting_reaches_our_containers(name: str) -> None:
    page = (ROOT / "docs/settings.md").read_text("utf-8")
    documented = re.findall(rf"^`({PREFIX}[A-Z_]+)`", page, re.MULTILINE)
    given = {variable: f"given-{variable}" for variable in documented}
    assert len(given) == len(Settings.model_fields)
    assert services(variables={**REQUIRED, **given})[name].environment == given


def test_what_is_not_set_is_left_to_its_default() -> None:
    """An empty variable would be an empty setting, and no number."""
    names = {name for service in OURS for name in service.environment}
    assert names == {f"{PREFIX}{name}_URL" for name in ("BROKER", "DATABASE", "MAIL", "PUBLIC")} | {
        "DIGEST_SECRET_KEY"
    }


def test_services_are_reached_by_names_that_exist() -> None:
    addresses = [value for service in OURS for value in service.environment.values()]
    hosts = {host for address in addresses for host in re.findall(r"[@/]([a-z][a-z-]*):\d+", address)}
    assert hosts == {"postgres", "redis", "mailpit"}
    assert hosts <= set(SERVICES)


def test_volumes_are_declared_and_used() -> None:
    assert {volume for service in SERVICES.values() for volume in service.volumes.values()} == named_volumes()


def test_what_must_survive_lies_on_a_volume() -> None:
    assert "/var/lib/postgresql/data" in SERVICES["postgres"].volumes
    assert "/data" in SERVICES["redis"].volumes


def test_ports_are_published_on_the_loopback_only() -> None:
    published = [port for service in SERVICES.values() for port in service.ports]
    assert published == [f"127.0.0.1:{port}:{port}" for port in (8000, 8024, 5555, 8025)]


def test_redis_keeps_a_log_and_wants_a_password() -> None:
    assert SERVICES["redis"].command == ("redis-server", "--appendonly", "yes", "--requirepass", "rd")


def test_every_lasting_service_can_tell_its_health() -> None:
    assert [service.name for service in SERVICES.values() if not service.check] == ["migrate"]


def test_commands_and_health_checks_begin_with_programs_the_image_has() -> None:
    scripts = {script.name for script in entry_points(group="console_scripts")}
    for service in OURS:
        assert service.command[0] in scripts, service.name
        if service.check:
            assert service.check[0] in {"python", "sh"}, service.name


@pytest.mark.parametrize("image", [service.image for service in SERVICES.values() if not service.is_ours])
def test_images_are_pinned(image: str) -> None:
    assert re.search(r":v?\d+\.\d+", image), f"{image} names no version"


# --- Dockerfile


def test_stages_stand_on_pinned_images() -> None:
    stages = instructions("FROM")
    assert all(re.search(r":\d+\.\d+\.\d+", words[0]) for words in stages)
    assert len({words[0] for words in stages}) == 1, "an environment moves only between equal Pythons"


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    copies = [words[:-1] for words in instructions("COPY") if not words[0].startswith("/")]
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for source in (source for sources in copies for source in sources):
        assert (ROOT / source).exists(), source
        assert any(fnmatch(source, pattern) for pattern in allowed), f"{source} is ignored by .dockerignore"


def test_the_wheel_finds_all_it_packages_among_the_copies() -> None:
    copied = {source.rstrip("/") for words in instructions("COPY") for source in words[:-1]}
    assert {"pyproject.toml", "uv.lock", "README.md", "LICENSE", "digest", "worker", "templates"} <= copied


def test_the_last_stage_does_not_run_as_root() -> None:
    last = DOCKERFILE[max(index for index, line in enumerate(DOCKERFILE) if line.startswith("FROM")) :]
    assert [line for line in last if line.startswith("USER")] == ["USER 10001"]


def test_the_image_and_setup_install_the_same_uv() -> None:
    pin = re.search(r"^uv_pin=(\S+)", (ROOT / "tools/setup.sh").read_text(), re.MULTILINE)
    assert pin is not None
    assert f"uv=={pin[1]}" in "\n".join(DOCKERFILE)
