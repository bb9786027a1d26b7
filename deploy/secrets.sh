#!/bin/sh
# Makes the secrets of deploy/compose.yaml and compose.prod.yaml, random ones, in deploy/secrets/ (not in git). Those
# that exist stay.
set -eu
cd "$(dirname "$0")"

# Nobody else gets into the folder. The files are open, because each is mounted by itself into a container
# whose user has another number than yours.
mkdir -p secrets
chmod 700 secrets

random() {
  head -c 36 /dev/urandom | base64 | tr '+/' '-_'
}

write() {
  [ -s "secrets/$1" ] && return
  (umask 022 && cat >"secrets/$1.new")
  mv "secrets/$1.new" "secrets/$1"
  echo "Made deploy/secrets/$1"
}

random | write jwt_secret
random | write metrics_token
random | write postgres_password
random | write database_password
random | write redis_password
random | write grafana_password
printf 'postgres://groundwork:%s@postgres:5432/groundwork\n' "$(cat secrets/database_password)" |
  write database_url
printf 'redis://:%s@redis:6379/0\n' "$(cat secrets/redis_password)" |
  write redis_url
# What Redis reads as its configuration.
printf 'requirepass %s\n' "$(cat secrets/redis_password)" |
  write redis_conf
printf 'nats://groundwork:%s@nats:4222\n' "$(random)" |
  write nats_url
# NATS keeps what it has acknowledged: it writes to the disk first.
write nats_conf <<EOF
listen: "0.0.0.0:4222"
http: "127.0.0.1:8222"
jetstream { store_dir: "/data", sync_interval: always, max_mem: 16M, max_file: 4G }
authorization { user: "groundwork", password: "$(sed 's/.*:\(.*\)@.*/\1/' secrets/nats_url)" }
EOF
