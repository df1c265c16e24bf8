#!/bin/bash
# SPDX-License-Identifier: MIT
# Build every test with glibc and musl and run it on this machine, as the guest would: as root,
# in a mount and pid namespace of its own, tmpfs on /tmp, stdin /dev/null.
# usage: run-host.sh [-v] [-n ROUNDS] [PATTERN...]	(PATTERN: substring of topic/name)
here=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-/var/tmp/kevlar-tests-user}
verbose= rounds=1
while getopts vn: o; do
	case $o in v) verbose=1 ;; n) rounds=$OPTARG ;; *) exit 2 ;; esac
done
shift $((OPTIND - 1))
export here out verbose

build() {	# $1 = source, relative
	local bin=${1%.c} opts=$(sed -n '1,2s/.*TEST: *\(.*[^ ]\) *\*\/.*/\1/p' "$here/$1") libc libs
	libs=$(sed -n 's/.*libs=\([^ ]*\).*/\1/p' <<<"$opts")
	for libc in glibc musl; do
		case "$opts" in *musl-only*) [ $libc = glibc ] && continue ;; esac
		case "$opts" in *glibc-only*) [ $libc = musl ] && continue ;; esac
		local dst=$out/$libc/$bin cc=gcc
		[ $libc = musl ] && cc="musl-gcc -idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu"
		if [ -x "$dst" ] && [ "$dst" -nt "$here/$1" ] && [ "$dst" -nt "$here/tap.h" ] &&
		    [ "$dst" -nt "$here/compat.h" ]; then continue; fi
		mkdir -p "$(dirname "$dst")"
		$cc -static -O2 -Wall -Wextra -Werror -pthread -o "$dst" "$here/$1" ${libs//,/ } ||
			{ rm -f "$dst"; echo "BUILD FAILED $libc $1"; }
	done
}
export -f build

run() {		# in the namespace; $@ = sources
	local pass=0 fail=0 checks=0 src libc log t0 ms limit
	mount -t tmpfs tmpfs /tmp && mount -t proc proc /proc && cd /tmp || exit 2
	for src in "$@"; do
		for libc in glibc musl; do
			local bin=$out/$libc/${src%.c}
			[ -x "$bin" ] || continue
			limit=$(sed -n '1,2s/.*TEST:.*timeout=\([0-9]*\).*/\1/p' "$here/$src")
			log=$out/$libc/${src%.c}.log t0=$(date +%s%N)
			timeout -k 1 "${limit:-10}" "$bin" </dev/null >"$log" 2>&1
			local rc=$?
			ms=$((($(date +%s%N) - t0) / 1000000))
			local n=$(grep -c '^ok' "$log") bad=$(grep -c '^not ok' "$log")
			checks=$((checks + n + bad))
			if [ $rc = 0 ] && [ "$bad" = 0 ] && [ "$n" -gt 0 ] && tail -1 "$log" | grep -q "^1\.\.$n$"
			then pass=$((pass + 1)); [ -n "$verbose" ] && echo "pass $libc $src ($n, $ms ms)"
			else fail=$((fail + 1)); echo "FAIL $libc $src (rc=$rc, $ms ms)"
				grep -A2 -E '^not ok|^Bail|^#' "$log" | head -30; tail -2 "$log"
			fi
			[ $ms -gt 5000 ] && echo "slow $libc $src $ms ms"
			[ -n "$(ls -A /tmp)" ] && { echo "LEFT $libc $src: $(ls -A /tmp)"; rm -rf /tmp/*; }
		done
		for libc in glibc; do	# names must not depend on the C library
			cmp -s <(grep -E '^(not )?ok' "$out/glibc/${src%.c}.log" 2>/dev/null) \
			    <(grep -E '^(not )?ok' "$out/musl/${src%.c}.log" 2>/dev/null) ||
			grep -q -E 'musl-only|glibc-only' "$here/$src" || echo "NAMES DIFFER $src"
		done
	done
	echo "programs run: $((pass + fail)), failed: $fail, checks: $checks"
	[ $fail = 0 ]
}
export -f run

cd "$here" || exit 2
list=$(find . -mindepth 2 -name '*.c' | sed 's,^\./,,' | sort)
[ $# -gt 0 ] && list=$(for p; do grep -F -- "$p" <<<"$list"; done | sort -u)
[ -n "$list" ] || { echo "no test matches"; exit 2; }
xargs -P "$(nproc)" -I{} bash -c 'build {}' <<<"$list"
status=0
for ((i = 0; i < rounds; i++)); do
	unshare -mpf --propagation private bash -c 'run "$@"' run $list || status=1
done
exit $status
