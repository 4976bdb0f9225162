# syntax=docker/dockerfile:1
FROM python:3.12.11-slim-bookworm AS build
ENV UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PROJECT_ENVIRONMENT=/opt/digest
WORKDIR /src
# The version that tools/setup.sh installs too.
RUN pip install --no-cache-dir uv==0.13.9
# Dependencies change less often than our code: a layer of their own.
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/root/.cache/uv uv sync --frozen --no-dev --extra otel --extra sentry --no-install-project
COPY README.md LICENSE ./
COPY digest/ digest/
COPY worker/ worker/
COPY templates/ templates/
RUN --mount=type=cache,target=/root/.cache/uv uv sync --frozen --no-dev --extra otel --extra sentry --no-editable

FROM python:3.12.11-slim-bookworm
RUN useradd --uid 10001 --no-create-home --home-dir /var/lib/digest digest \
    && install --directory --owner digest --group digest /var/lib/digest /var/lib/digest/digest-state
COPY --from=build /opt/digest /opt/digest
ENV PATH=/opt/digest/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# Where the database lies when it is SQLite: give it a volume then.
WORKDIR /var/lib/digest
USER 10001
EXPOSE 8000
CMD ["digest", "web", "--host", "0.0.0.0", "--port", "8000"]
