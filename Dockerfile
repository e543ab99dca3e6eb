# One image for every process; the command says which: docker run cityward collect
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /source
RUN python -m venv /opt/cityward
COPY requirements.lock ./
RUN /opt/cityward/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY . .
RUN /opt/cityward/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:${PYTHON}
# openssl makes the broker's first certificate: deploy/certificates
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openssl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /home/cityward --create-home cityward \
    # Mosquitto's user owns what Cityward writes for it; a new volume takes the owner from here.
    && install --directory --owner 1883 --group 1883 /etc/mosquitto/cityward
COPY --from=build /opt/cityward /opt/cityward
COPY deploy /usr/share/cityward/deploy
ENV PATH=/opt/cityward/bin:$PATH PYTHONUNBUFFERED=1 CITYWARD_LOG_FORMAT=json
USER cityward
WORKDIR /home/cityward
ENTRYPOINT ["cityward"]
CMD ["--help"]
