"""The folder that senders note in, and the disk it is on."""

from pathlib import Path

import pytest

from digest.doctor.state import kind_of_disk
from tests.doctor.looking import look

pytestmark = pytest.mark.usefixtures("folder")


def test_a_state_folder_that_nothing_can_be_noted_in_is_told(folder: Path) -> None:
    found = look("state folder", state_dir=str(folder / "digest.toml"))
    assert not found.is_well
    assert "Nothing is sent" in found.advice
    assert look("state folder", state_dir=str(folder / "notes")).found.startswith(str(folder / "notes"))
    assert not (folder / "notes").exists()


def test_a_disk_of_another_machine_or_in_memory_is_known_by_its_mount() -> None:
    mounts = (
        "21 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
        "33 21 0:40 / /mnt/their\\040files rw - nfs4 there:/ rw\n"
        "34 21 0:41 / /run rw shared:3 - tmpfs tmpfs rw\n"
    )
    places = ("/var/lib/digest", "/mnt/their files/state", "/run/digest", "/")
    assert [kind_of_disk(Path(place), mounts) for place in places] == ["ext4", "nfs4", "tmpfs", "ext4"]
    assert kind_of_disk(Path("/var"), "") == ""
