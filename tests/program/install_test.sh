#!/usr/bin/env bash
# Installs a build into a fresh folder and runs the program from there.
# usage: install_test.sh CMAKE BUILD_FOLDER
set -euo pipefail
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
"$1" --install "$2" --prefix "$prefix" >/dev/null
cd "$prefix"
for file in share/doc/flintgauge/LICENSE share/doc/flintgauge/README.md share/doc/flintgauge/metrics.md \
            share/flintgauge/deploy/kustomize/base/daemonset.yaml share/flintgauge/dashboards/application.json; do
  [ -s "$file" ] || { echo "not installed: $file" >&2; find . >&2; exit 1; }
done
version=$(bin/flintgauge --version)
[[ $version == "flintgauge, version "* ]] || { echo "no version: $version" >&2; exit 1; }
bin/flintgauge check-config /dev/null
echo "$(find . -type f | wc -l) files installed, bin/flintgauge runs"
