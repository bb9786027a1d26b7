#!/bin/sh
# Writes deploy/kubernetes/rendered.yaml: what the chart makes of examples/production.yaml, for those without Helm, and
# for the tests, which hold it against the API's schemas where there is no helm either.
set -eu
cd "$(dirname "$0")"
helm template groundwork groundwork --namespace groundwork --kube-version 1.31.0 \
  --values examples/production.yaml 2>/dev/null >"${1:-rendered.yaml}"
