#!/bin/sh
# Writes deploy/kubernetes/rendered.yaml: what the chart makes of examples/production.yaml. People without Helm use it,
# and so do the tests, which check it against the API's schemas where helm is missing too.
set -eu
cd "$(dirname "$0")"
helm template groundwork groundwork --namespace groundwork --kube-version 1.31.0 \
  --values examples/production.yaml 2>/dev/null >"${1:-rendered.yaml}"
