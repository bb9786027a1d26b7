# deploy/build-image.sh builds and tries it. The first image has Node 24 and npm, and installs the packages; the
# second is what runs, with the same C library, and needs neither npm nor a shell:
#   --build-arg BASE_IMAGE=gcr.io/distroless/nodejs24-debian12
ARG BUILD_IMAGE=node:24-bookworm-slim
ARG BASE_IMAGE=node:24-bookworm-slim

FROM ${BUILD_IMAGE} AS dependencies
WORKDIR /app
# Nothing but these, so that the packages are installed anew only when they change.
COPY package.json package-lock.json .npmrc ./
# The cache is no part of any layer. What only compilers and debuggers read is taken away.
RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --ignore-scripts --no-audit --no-fund && \
    find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.[cm]ts' \) -delete

FROM ${BASE_IMAGE}
# Where Node is in official images and in distroless ones; the latter's PATH lacks it.
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/nodejs/bin \
    NODE_ENV=production \
    APP_ENVIRONMENT=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
# The files belong to root: the service can read its code, and change nothing of it.
COPY package.json LICENSE app.ts server.ts ./
COPY cluster ./cluster
COPY commands/admin.ts commands/backup.ts commands/config.ts commands/doctor.ts commands/jobs.ts commands/keys.ts commands/migrate.ts commands/restore.ts commands/run-command.ts ./commands/
COPY commands/doctor ./commands/doctor
COPY config ./config
COPY deploy/probe.ts ./deploy/
COPY migrations ./migrations
COPY plugins ./plugins
COPY routes ./routes
COPY schemas ./schemas
COPY services ./services
# By number, so that orchestrators can see that it is not root; the image needs no such account.
USER 10001:10001
EXPOSE 8080
# /live and not /ready: a restart does not bring a database back.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD ["node", "deploy/probe.ts", "/live"]
# As `npm start` does it, but without npm or a shell between, so that signals reach Node itself; the base's own entry
# point is not needed.
ENTRYPOINT []
CMD ["node", "--max-semi-space-size=16", "server.ts"]
# Last, so that another revision of the same files shares every layer.
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="groundwork" \
      org.opencontainers.image.description="A schema-first HTTP service in TypeScript on Fastify" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
