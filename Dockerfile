# Tidemark as an image; how to run it: docs/deploy.md. The first stage installs, the second has only what serving needs.

FROM debian:bookworm-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-pip python3-venv \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/tidemark
COPY requirements/serve.lock requirements/serve.lock
# Wheels only, each with the hash of the lock: nothing is compiled here, and nothing else can come.
RUN python3 -m venv --without-pip .venv \
 && python3 -m pip --python .venv/bin/python install --no-cache-dir --disable-pip-version-check \
      --require-hashes --only-binary :all: -r requirements/serve.lock
COPY broker broker
COPY handlers handlers
COPY clients/python/tidemark_client tidemark_client
RUN .venv/bin/python -m compileall -q -j 0 broker handlers tidemark_client

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 tidemark \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin tidemark \
 && install -d -m 700 -o tidemark -g tidemark /data
COPY --from=build /opt/tidemark /opt/tidemark
# /data holds the signing key and the data of the embedded engine. The admin listener is reached from inside only; the
# healthcheck asks there, as it answers also while the server has all the connections that it may.
ENV PATH=/opt/tidemark/.venv/bin:$PATH \
    PYTHONPATH=/opt/tidemark \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TIDEMARK_SERVER__DATA=/data \
    TIDEMARK_SERVER__ADMIN_LISTEN=127.0.0.1:9001
WORKDIR /data
VOLUME /data
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-P", "-m", "handlers", "healthcheck"]
ENTRYPOINT ["python", "-P", "-m", "handlers"]
CMD ["serve", "--host", "0.0.0.0"]
