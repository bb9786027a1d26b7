# deploy/build-image.sh builds and tries it. The first image has Node 24 and npm, and installs the packages; the
# second is what runs, with the same C library, and needs neither npm nor a shell:
#   --build-arg BASE_IMAGE=gcr.io/distroless/nodejs24-debian12
# `--target backup` is the same with PostgreSQL's client programs, which come from an image of PostgreSQL: of the
# server's major version or newer, and of no newer Debian than the base.
ARG BUILD_IMAGE=node:24-bookworm-slim
ARG BASE_IMAGE=node:24-bookworm-slim
ARG POSTGRES_IMAGE=postgres:18-bookworm

FROM ${BUILD_IMAGE} AS dependencies
WORKDIR /app
# Nothing but these, so that the packages are installed again only when they change.
COPY package.json package-lock.json .npmrc ./
# The cache is not part of any layer. Files that only compilers and debuggers read are removed.
RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --ignore-scripts --no-audit --no-fund && \
    mkdir -p -m 770 /volumes/files && \
    find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.[cm]ts' \) -delete

FROM ${BASE_IMAGE} AS service
# Where Node is in official images and in distroless ones; the latter's PATH lacks it.
# glibc keeps memory for each thread; two arenas are as fast (docs/decisions/132).
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/nodejs/bin \
    MALLOC_ARENA_MAX=2 \
    NODE_ENV=production \
    APP_ENVIRONMENT=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
# The files belong to root: the service can read its code, and change nothing of it.
COPY package.json LICENSE app.ts node-version.js server.ts ./
COPY admin ./admin
COPY commands/admin.ts commands/audit-log.ts commands/backup.ts commands/config.ts commands/confirm.ts commands/doctor.ts commands/encryption.ts commands/events.ts commands/files.ts commands/jobs.ts commands/keys.ts commands/migrate.ts commands/read-time.ts commands/restore-contents.ts commands/restore.ts commands/run-command.ts commands/table.ts commands/timing.ts commands/with-app.ts ./commands/
COPY commands/doctor ./commands/doctor
COPY config ./config
COPY deploy/probe.ts ./deploy/
COPY lib ./lib
COPY migrations ./migrations
COPY plugins ./plugins
COPY process ./process
COPY routes ./routes
COPY schemas ./schemas
COPY services ./services
# /files, for the local store: a volume that is mounted here for the first time takes owner and mode from it. Group 0,
# because OpenShift runs the image as any user of that group.
COPY --from=dependencies --chown=10001:0 /volumes /
# By number, so that orchestrators can see that it is not root; the image needs no such account.
USER 10001:10001
EXPOSE 8080
# /live and not /ready: a restart does not bring a database back.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD ["node", "deploy/probe.ts", "/live"]
# As `npm start` does it, but without npm or a shell between, so that signals reach Node itself; the base's own entry
# point is not needed.
ENTRYPOINT []
CMD ["node", "--max-semi-space-size=16", "--heap-growing-percent=100", "server.ts"]
# Last, so that another revision of the same files shares every layer.
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="groundwork" \
      org.opencontainers.image.description="A schema-first HTTP service in TypeScript on Fastify" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# What pg_dump, pg_restore and psql need beside the C library, so that they run on a base without any package.
FROM ${POSTGRES_IMAGE} AS client
RUN mkdir -p /client/bin /client/lib /client/volumes/backups && \
    for program in pg_dump pg_restore psql; do cp /usr/lib/postgresql/*/bin/$program /client/bin/; done && \
    for library in $(ldd /client/bin/* | awk '$2 == "=>" { print $3 }' | sort -u); do \
      case ${library##*/} in libc.so.*|libm.so.*|libdl.so.*|librt.so.*|libpthread.so.*|libresolv.so.*|libgcc_s.so.*) ;; \
      *) cp -L "$library" /client/lib/ ;; esac; \
    done && \
    chmod 770 /client/volumes/backups

FROM service AS backup
COPY --from=client /client/bin /opt/postgresql/bin
COPY --from=client /client/lib /opt/postgresql/lib
# /backups: a volume that is mounted here for the first time takes owner and mode from it, as of /files.
COPY --from=client --chown=10001:0 /client/volumes /
ENV PATH=/opt/postgresql/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/nodejs/bin \
    LD_LIBRARY_PATH=/opt/postgresql/lib
# The build fails where the base has an older C library than the programs need.
RUN ["pg_dump", "--version"]
RUN ["psql", "--version"]
HEALTHCHECK NONE
CMD ["node", "commands/backup.ts", "--to", "/backups", "--keep", "14", "--every", "24h"]

# The service is what is built where no target is named.
FROM service
