# The `placet` command in a small image: built from the hashed lock, run by nobody in particular.
FROM python:3.12-slim AS build
WORKDIR /src
RUN python -m venv /opt/placet
COPY requirements.lock ./
RUN /opt/placet/bin/pip install --no-cache-dir --require-hashes --requirement requirements.lock
# The build backend comes from the dev lock by its hashes, and stays behind in this stage.
COPY requirements-dev.lock ./
RUN python -m venv /opt/build && /opt/build/bin/pip install --no-cache-dir --require-hashes --requirement requirements-dev.lock
COPY pyproject.toml README.md LICENSE ./
COPY schemas ./schemas
COPY policies ./policies
COPY streams ./streams
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /opt/placet/bin/pip install --no-cache-dir --no-deps /wheels/placet-*.whl

FROM python:3.12-slim
# A volume that is laid over one of these folders begins with its owner and mode.
RUN useradd --system --uid 10001 --home-dir /var/lib/placet --create-home placet \
 && install -d -o placet -g placet -m 0700 /keys /desks /secrets
COPY --from=build /opt/placet /opt/placet
COPY --chown=root:root policies /usr/share/placet/policies
# One arena for each of librdkafka's threads would keep what a restore has freed.
ENV PATH=/opt/placet/bin:$PATH PYTHONUNBUFFERED=1 MALLOC_ARENA_MAX=2 PLACET_DATA=/var/lib/placet
# As a number, so that an orchestrator can tell that it is not root.
USER 10001
WORKDIR /var/lib/placet
VOLUME /var/lib/placet
ENTRYPOINT ["placet"]
CMD ["--help"]
