#!/usr/bin/env bash
# Builds civetweb from Debian's own source package, because Debian's binary of 1.15 crashes on the first TLS
# connection (it was made for OpenSSL 1.1) and has no IPv6. docs/decisions.md has the evidence.
#
#   cmake/civetweb.sh build   build it unless it is there; prints the directory (about 15 s, network needed)
#   cmake/civetweb.sh where   prints the directory, or fails when it was not built (used by cmake/Civetweb.cmake)
#
# Needs no root and changes nothing under /etc: apt works in a scratch directory with the deb-src twins of the
# sources that this machine already uses. Many checkouts share the result.
set -euo pipefail

upstream=1.15+dfsg      # any Debian revision of it is taken, so that a security update of Debian is not refused
cmake_flags=(
  -DCMAKE_BUILD_TYPE=Release
  -DBUILD_SHARED_LIBS=OFF
  -DCIVETWEB_BUILD_TESTING=OFF
  -DCIVETWEB_ENABLE_ASAN=OFF
  -DCIVETWEB_ENABLE_CXX=OFF
  -DCIVETWEB_ENABLE_IPV6=ON
  -DCIVETWEB_ENABLE_LUA=OFF
  -DCIVETWEB_ENABLE_SERVER_EXECUTABLE=OFF
  -DCIVETWEB_ENABLE_SSL=ON
  -DCIVETWEB_ENABLE_SSL_DYNAMIC_LOADING=OFF
  -DCIVETWEB_ENABLE_WEBSOCKETS=OFF
  -DCIVETWEB_DISABLE_CGI=ON
  -DCIVETWEB_SSL_OPENSSL_API_1_1=OFF
  "-DCMAKE_C_FLAGS=-DOPENSSL_API_3_0 -DNO_FILES -fPIC -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -w"
)
cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/flintgauge
hash=$(printf '%s\n' "$upstream" "${cmake_flags[@]}" "$(uname -m)" | sha256sum | cut -c1-12)

where() {
  local dir
  for dir in "$cache"/civetweb-*-"$hash"; do
    [[ -f $dir/lib/libcivetweb.a && -f $dir/include/civetweb.h ]] && { echo "$dir"; return 0; }
  done
  return 1
}

# The deb lines of this machine as deb-src lines, whatever mirror they name. indextargets knows both file formats.
write_sources() {
  # shellcheck disable=SC2016  # apt's own placeholders
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' | sort -u |
    awk '{ print "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] " $1, $2, $3 }' |
    grep -E ' (bookworm|oldstable|stable)[^ ]* main$' > "$1"
}

build() {
  local version dir
  work=$(mktemp -d "${TMPDIR:-/tmp}/civetweb.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  chmod 755 "$work"                                   # apt drops to the user _apt for the download
  mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/source"
  if ! write_sources "$work/sources.list"; then
    echo "civetweb.sh: no Debian 12 main repository in the apt sources of this machine" >&2
    return 1
  fi
  local apt=(apt-get -qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
             -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/archives" -o APT::Sandbox::User="$(id -un)"
             -o Acquire::Retries=3 -o Acquire::Languages=none)
  "${apt[@]}" update >&2
  (cd "$work/source" && "${apt[@]}" source civetweb) >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
  version=$(sed -n 's/^Version: //p' "$work"/source/civetweb_*.dsc | head -n 1)
  if [[ $version != "$upstream"-* ]]; then
    echo "civetweb.sh: the archive has civetweb $version, this project was checked with $upstream" >&2
    return 1
  fi
  { cmake -G Ninja -S "$work"/source/civetweb-*/ -B "$work/build" "${cmake_flags[@]}" &&
      cmake --build "$work/build" --target civetweb-c-library; } >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
  mkdir -p "$work/out/lib" "$work/out/include" "$cache"
  cp "$(find "$work/build" -name libcivetweb.a)" "$work/out/lib/"
  cp "$work"/source/civetweb-*/include/civetweb.h "$work/out/include/"
  cp "$work"/source/civetweb-*/LICENSE.md "$work/out/"
  dir=$cache/civetweb-$version-$hash
  # Copy beside the goal, then rename: a second checkout never sees half a directory.
  cp -r "$work/out" "$dir.$$"
  mv -T "$dir.$$" "$dir" 2>/dev/null || rm -rf "$dir.$$"   # fails only when another checkout was faster
}

case ${1:-} in
  where) where ;;
  build) if ! where; then build; where; fi ;;   # not `where || build`: that would switch set -e off inside build
  *) sed -n '2,9p' "$0" >&2; exit 2 ;;
esac
