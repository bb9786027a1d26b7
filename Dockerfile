# Any image with Node 24 and npm will do.
ARG BASE_IMAGE=node:24-trixie-slim

FROM ${BASE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="groundwork" \
      org.opencontainers.image.description="A schema-first HTTP service in TypeScript on Fastify" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production \
    APP_ENVIRONMENT=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
# The files belong to root: the service can read its code, and change nothing of it.
COPY package.json LICENSE app.ts server.ts ./
COPY cluster ./cluster
COPY commands/admin.ts commands/backup.ts commands/config.ts commands/doctor.ts commands/jobs.ts commands/keys.ts commands/migrate.ts commands/restore.ts ./commands/
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
# Without a shell or npm between, signals reach Node itself.
CMD ["node", "server.ts"]
