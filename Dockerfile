# The image holds the program, the C library it is linked with, the roots of trust for TLS and one user, and nothing
# else: no shell, no packages.
#
#   docker build -t watchbell .
#   docker run -p 9093:9093 -v watchbell-data:/var/lib/watchbell \
#     -v ./alertmanager.yml:/etc/watchbell/alertmanager.yml:ro watchbell --config.file=/etc/watchbell/alertmanager.yml
#
# Without a configuration it prints notifications on standard output. State is kept in data/ of the volume. The health
# check asks port 9093; where it listens elsewhere, give another one (--health-cmd, or healthcheck: in a compose file).
#
# A program that is compiled already is taken as it is, if it was linked on the same or an older Debian:
#
#   mkdir image && cp Dockerfile target/release/watchbell image/
#   docker build -t watchbell --build-arg PROGRAM=built image

# `build` compiles the program, `built` takes it from the context.
ARG PROGRAM=build
ARG RUST=docker.io/library/rust:1.95-bookworm
ARG DEBIAN=docker.io/library/debian:bookworm-slim

FROM ${RUST} AS build
WORKDIR /source
COPY . .
RUN cargo build --release --locked && cp target/release/watchbell /usr/local/bin/watchbell

FROM ${DEBIAN} AS built
COPY --chmod=0755 watchbell /usr/local/bin/watchbell
RUN test -e /etc/ssl/certs/ca-certificates.crt \
    || { apt-get update && apt-get install --yes --no-install-recommends ca-certificates; }

# What goes into the image: what the program is linked with, found by the linker itself.
FROM ${PROGRAM} AS root
RUN set -eu \
    && install -D --target-directory=/root-of-image/usr/local/bin /usr/local/bin/watchbell \
    && for library in $(ldd /usr/local/bin/watchbell | grep --only-matching '/[^ ]*'); do \
         install -D "$(readlink --canonicalize "$library")" "/root-of-image$library"; \
       done \
    && install -D --mode=0644 --target-directory=/root-of-image/etc/ssl/certs /etc/ssl/certs/ca-certificates.crt \
    && echo 'watchbell:x:9093:9093::/var/lib/watchbell:/nonexistent' > /root-of-image/etc/passwd \
    && echo 'watchbell:x:9093:' > /root-of-image/etc/group \
    && echo 'hosts: files dns' > /root-of-image/etc/nsswitch.conf \
    && install --directory --mode=1777 /root-of-image/tmp \
    && install --directory --owner=9093 --group=9093 --mode=0750 /root-of-image/var/lib/watchbell

FROM scratch
COPY --from=root /root-of-image/ /
USER 9093:9093
WORKDIR /var/lib/watchbell
VOLUME /var/lib/watchbell
EXPOSE 9093 9094
# A node that starts in a cluster is well while it waits for the others.
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s CMD ["/usr/local/bin/watchbell", "health"]
ENTRYPOINT ["/usr/local/bin/watchbell"]
