"""The figures of a mail, for an issue of three."""

from dataclasses import asdict

from benchmarks.render import measure

ASKED_FOR = {
    *("compile_ms", "edition_ms", "recipient_ms", "recipient_rsa_ms", "recipient_ed25519_ms", "naive_ms"),
}


def test_every_step_of_a_mail_is_measured() -> None:
    costs = asdict(measure(3))
    assert set(costs) >= ASKED_FOR
    assert all(value > 0 for value in costs.values())
    assert costs["recipient_ms"] < costs["recipient_ed25519_ms"] < costs["recipient_rsa_ms"]
