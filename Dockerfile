# Two stages: the first compiles, the second holds the program and the roots of trust for TLS.
#
#   docker build -t watchbell .
#   docker run -p 9093:9093 -v watchbell-data:/var/lib/watchbell \
#     -v ./alertmanager.yml:/etc/watchbell/alertmanager.yml:ro watchbell --config.file=/etc/watchbell/alertmanager.yml
#
# Without a configuration it prints notifications on standard output. State is kept in data/ of the volume.

FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 9093 --home-dir /var/lib/watchbell --shell /usr/sbin/nologin watchbell \
    && install --directory --owner=watchbell --group=watchbell --mode=0750 /var/lib/watchbell
COPY --from=build /source/target/release/watchbell /usr/local/bin/watchbell
USER 9093:9093
WORKDIR /var/lib/watchbell
VOLUME /var/lib/watchbell
EXPOSE 9093
ENTRYPOINT ["/usr/local/bin/watchbell"]
