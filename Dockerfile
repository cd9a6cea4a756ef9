# Builds the program with the Swift runtime inside it, and ships it with nothing but the C libraries it calls.
FROM swift:6.3.1-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends librdkafka-dev libssl-dev libcurl4-openssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Package.swift ./
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --product reseal --static-swift-stdlib \
    && cp "$(swift build -c release --show-bin-path)/reseal" /reseal \
    && strip /reseal

FROM debian:12.12-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends librdkafka1 libssl3 libcurl4 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home reseal
COPY --from=build /reseal /usr/local/bin/reseal
USER 10001
ENTRYPOINT ["reseal"]
