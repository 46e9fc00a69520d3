#!/bin/bash
# Fails when an object file needs a lock, a guard, a futex, a 16-byte atomic or an allocation.
# usage: store_symbols.sh NM OBJECT
set -euo pipefail
[ -s "$2" ] || { echo "no object file $2" >&2; exit 2; }
undefined=$("$1" --undefined-only "$2")
if found=$(grep -E 'pthread_mutex|pthread_cond|__cxa_guard|__atomic_.*_16|futex|malloc|calloc|realloc|_Zn[wa]' <<<"$undefined"); then
  echo "$2 must not need:" >&2
  echo "$found" >&2
  exit 1
fi
echo "$2: none of the forbidden symbols among $(wc -l <<<"$undefined") undefined ones"
