# Gatecast, for any of its commands: `docker compose up --build`, or alone and on SQLite
#   docker build -t gatecast .
#   docker run --rm -p 127.0.0.1:8000:8000 -e GATECAST_OPEN=1 -v gatecast:/var/lib/gatecast gatecast

FROM python:3.11-slim-bookworm AS build
WORKDIR /srv/gatecast
# pip works on the environment from outside it, so that the environment holds no pip.
ENV PIP_PYTHON=/opt/venv/bin/python PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv --without-pip /opt/venv
COPY pyproject.toml constraints.txt LICENSE ./
COPY client/pyproject.toml client/LICENSE client/
COPY wheels wheels

# torch by itself: on PyPI its Linux build is the one for CUDA, several gigabytes, so it comes from wheels/ if
# that holds one, else from an index of CPU builds. For CUDA: `docker compose build --build-arg TORCH_INDEX=`.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN --mount=type=cache,target=/root/.cache/pip \
    if ls wheels/torch-*.whl >/dev/null 2>&1; then from="--no-index --find-links wheels"; \
    else from="${TORCH_INDEX:+--index-url $TORCH_INDEX}"; fi; \
    pip install --no-deps --constraint constraints.txt $from torch || \
    { echo "Found no torch for this machine: put its wheel into wheels/, or name an index with" \
           "--build-arg TORCH_INDEX=URL" >&2; exit 1; }

# The rest. An editable install notes where the packages lie, not what is in them: empty ones do, and this
# layer, the large one, stays as it is when the source changes.
COPY client/src/gatecast_client/_version.py client/src/gatecast_client/
RUN --mount=type=cache,target=/root/.cache/pip \
    mkdir app models migrations && touch README.md app/__init__.py models/__init__.py && \
    touch client/README.md client/src/gatecast_client/__init__.py && \
    pip install --find-links wheels --constraint constraints.txt --editable ./client --editable .


FROM python:3.11-slim-bookworm
# docker-compose.yml makes the database's password readable for this user id.
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/gatecast gatecast && \
    install -d -o gatecast -g gatecast /var/lib/gatecast
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH GATECAST_HOST=0.0.0.0
WORKDIR /srv/gatecast
COPY LICENSE ./
COPY examples examples
COPY migrations migrations
COPY models models
COPY client client
COPY app app
RUN python -m compileall -q migrations models client/src app
USER gatecast
# Where the SQLite file comes to lie if no other database is named.
WORKDIR /var/lib/gatecast
EXPOSE 8000
ENTRYPOINT ["gatecast"]
CMD ["serve"]
