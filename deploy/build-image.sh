#!/bin/sh
# Builds the image with buildah, as root, without a container engine, and tries it:
#
#   sh deploy/build-image.sh [NAME:TAG]
#
# BACKUP=1 builds NAME-backup:TAG too, with PostgreSQL's programs, and runs them. BUILD_IMAGE, BASE_IMAGE and
# POSTGRES_IMAGE are the Dockerfile's arguments, BUILDAH a command with options of yours. TWICE=1 builds it a
# second time without a cache and compares the layers. Exits with 1 when something is not as it should be.
set -eu
cd "$(dirname "$0")/.."

# Node 24 from node_modules, where it is: an older one cannot read the TypeScript that tries the image.
PATH="$PWD/node_modules/.bin:$PATH"
node node-version.js

: "${POSTGRES_IMAGE:=docker.io/library/postgres:18-bookworm}"
: "${BUILDAH:=buildah}" "${BUILD_IMAGE:=docker.io/library/node:24-bookworm-slim}" "${BASE_IMAGE:=$BUILD_IMAGE}"
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
image=${1:-localhost/groundwork:$version}
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
# The same files produce the same image, whenever it is built.
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || echo 0)}"

build() {
  # Only the format of Docker has health checks.
  $BUILDAH bud --isolation chroot --network host --format docker --timestamp "$SOURCE_DATE_EPOCH" \
    --build-arg BUILD_IMAGE="$BUILD_IMAGE" --build-arg BASE_IMAGE="$BASE_IMAGE" \
    --build-arg POSTGRES_IMAGE="$POSTGRES_IMAGE" \
    --build-arg VERSION="$version" --build-arg REVISION="$revision" "$@" .
}
layers() {
  $BUILDAH inspect --type image --format '{{range .Docker.RootFS.DiffIDs}}{{println .}}{{end}}' "$1"
}

build --layers --tag "$image"
if [ "${BACKUP:-}" = 1 ]; then
  # Building it runs the programs once.
  build --layers --target backup --tag "${image%:*}-backup:${image##*:}"
fi
if [ "${TWICE:-}" = 1 ]; then
  build --layers --no-cache --tag "$image-again"
  if [ "$(layers "$image")" != "$(layers "$image-again")" ]; then
    echo 'Built again, it has other layers.' >&2
    exit 1
  fi
  echo 'Built again without a cache, it has the same layers.'
  $BUILDAH rmi "$image-again" >/dev/null
fi

directory=$(mktemp -d)
container=$($BUILDAH from --pull-never "$image")
clean() {
  $BUILDAH rm "$container" >/dev/null
  rm -r "$directory"
}
trap clean EXIT
trap 'exit 1' INT TERM
rootfs=$($BUILDAH mount "$container")
$BUILDAH inspect --type image "$image" >"$directory/image.json"

node deploy/check-image.ts "$rootfs"
node deploy/try-image.ts "$rootfs" "$directory/image.json"
echo "$image is built, and works."
