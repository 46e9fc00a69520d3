#!/usr/bin/env bash
# Builds the two libraries that are wanted otherwise than Debian builds them, from Debian's own source packages, patches
# included. docs/decisions.md has the evidence.
#
#   civetweb   Debian's binary crashes on the first TLS connection (it was made for OpenSSL 1.1) and has no IPv6
#   curl       Debian's brings LDAP, Kerberos, SSH, RTMP and GnuTLS: 3.6 MiB of memory and code that nobody here calls
#
#   cmake/debian_source.sh build [NAME]   build it, or both, unless there; prints the directory (15 to 40 s each, network)
#   cmake/debian_source.sh where [NAME]   prints the directory, or fails when it, or one of both, was not built
#
# Needs no root and changes nothing under /etc: apt works in a scratch directory with the deb-src twins of the
# sources that this machine already uses. Many checkouts share the result. What is there stays: after a security update
# of Debian remove its directory; an image, built from nothing, has the update.
set -euo pipefail

usage() { sed -n '2,13p' "$0" >&2; exit 2; }

# What is special about each: the upstream version (any Debian revision of it is taken, so that a security update of
# Debian is not refused), CMake's flags, the target, its archive, headers and licence.
# No path of the machine may get into the program: @work@ stands for the scratch directory, whose name is random.
c_flags="-fPIC -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -ffile-prefix-map=@work@=. -w"
describe() {
  case $1 in
    civetweb)
      upstream=1.15+dfsg target=civetweb-c-library archive=libcivetweb.a headers=include/civetweb.h licence=LICENSE.md
      c_flags="-DOPENSSL_API_3_0 -DNO_FILES $c_flags"
      cmake_flags=(
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
      ) ;;
    curl)  # the parser of proxies and of .netrc stays, because refusing both is an option of theirs
      upstream=7.88.1 target=libcurl archive=libcurl.a headers=include/curl licence=COPYING
      cmake_flags=(
        -DBUILD_CURL_EXE=OFF
        -DBUILD_TESTING=OFF
        -DHTTP_ONLY=ON
        -DCURL_USE_OPENSSL=ON
        -DCURL_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt
        -DCURL_CA_PATH=/etc/ssl/certs
        -DCURL_BROTLI=OFF
        -DCURL_ZLIB=OFF
        -DCURL_ZSTD=OFF
        -DCURL_USE_GSSAPI=OFF
        -DCURL_USE_LIBPSL=OFF
        -DCURL_USE_LIBSSH2=OFF
        -DCURL_DISABLE_ALTSVC=ON
        -DCURL_DISABLE_COOKIES=ON
        -DCURL_DISABLE_CRYPTO_AUTH=ON
        -DCURL_DISABLE_DOH=ON
        -DCURL_DISABLE_HSTS=ON
        -DCURL_DISABLE_MIME=ON
        -DENABLE_MANUAL=OFF
        -DENABLE_UNIX_SOCKETS=OFF
        -DUSE_LIBIDN2=OFF
        -DUSE_NGHTTP2=OFF
      ) ;;
    *) usage ;;
  esac
  cmake_flags+=(-DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF "-DCMAKE_C_FLAGS=$c_flags")
  hash=$(printf '%s\n' "$upstream" "${cmake_flags[@]}" "$(uname -m)" | sha256sum | cut -c1-12)
}
cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/flintgauge

where() {
  local dir
  for dir in "$cache/$1"-*-"$hash"; do
    [[ -f $dir/lib/$archive && -f $dir/LICENSE ]] && { echo "$dir"; return 0; }
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
  local name=$1 version dir
  work=$(mktemp -d "${TMPDIR:-/tmp}/$name.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  chmod 755 "$work"                                   # apt drops to the user _apt for the download
  mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/source"
  if ! write_sources "$work/sources.list"; then
    echo "debian_source.sh: no Debian 12 main repository in the apt sources of this machine" >&2
    return 1
  fi
  local apt=(apt-get -qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
             -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/archives" -o APT::Sandbox::User="$(id -un)"
             -o Acquire::Retries=3 -o Acquire::Languages=none)
  "${apt[@]}" update >&2
  (cd "$work/source" && "${apt[@]}" source "$name") >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
  version=$(sed -n 's/^Version: //p' "$work/source/${name}"_*.dsc | head -n 1)
  if [[ $version != "$upstream"-* ]]; then
    echo "debian_source.sh: the archive has $name $version, this project was checked with $upstream" >&2
    return 1
  fi
  { cmake -G Ninja -S "$work/source/$name"-*/ -B "$work/build" "${cmake_flags[@]//@work@/"$work"}" &&
      cmake --build "$work/build" --target "$target"; } >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
  mkdir -p "$work/out/lib" "$work/out/include" "$cache"
  cp "$(find "$work/build" -name "$archive")" "$work/out/lib/"
  cp -r "$work/source/$name"-*/"$headers" "$work/out/include/"
  cp "$work/source/$name"-*/"$licence" "$work/out/LICENSE"
  dir=$cache/$name-$version-$hash
  # Copy beside the goal, then rename: a second checkout never sees half a directory.
  cp -r "$work/out" "$dir.$$"
  mv -T "$dir.$$" "$dir" 2>/dev/null || rm -rf "$dir.$$"   # fails only when another checkout was faster
}

if (($# == 1)); then
  for name in civetweb curl; do "$0" "$1" "$name"; done
  exit
fi
(($# == 2)) || usage
describe "$2"
case $1 in
  where) where "$2" ;;
  build) if ! where "$2"; then build "$2"; where "$2"; fi ;;   # not `where || build`: that would switch set -e off inside
  *) usage ;;
esac
