"""How a command opens the runtime: quieter than a service does."""

from __future__ import annotations

from digest.logs import set_up_logs
from digest.runtime import Runtime
from digest.runtime import open_runtime as open_as_a_service


def open_runtime() -> Runtime:
    """Return the runtime, with logs from errors on unless the settings name a level.

    A command tells in its answer what a service can only log.
    """
    runtime = open_as_a_service()
    settings = runtime.settings
    if "log_level" not in settings.model_fields_set:
        set_up_logs(level="error", as_json=settings.log_format == "json")
    return runtime
