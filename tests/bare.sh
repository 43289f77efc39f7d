# SPDX-License-Identifier: GPL-2.0-or-later
# A bare Debian 12 in a directory, for the tests that prove what a new machine needs: tests/chroot and
# tests/package. The mirror is that of this machine's apt.
# shellcheck shell=bash

bare_release=bookworm

# ORIGIN|MIRROR|RELEASE|COMPONENT of what apt knows of Debian, without the origin
bare_targets() {
	apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' \
		"Created-By: Packages" | sed -n 's/^Debian|//p' | sort -u
}

bare_mirror() {
	bare_targets | awk -F'|' -v r=$bare_release '$2 == r && $3 == "main" { print $1; exit }'
}

# bare_reason: why there can be none; nothing where there can
bare_reason() {
	if [ "$(id -u)" != 0 ]; then
		echo "needs root"
	elif ! command -v debootstrap >/dev/null; then
		echo "no debootstrap"
	elif [ -z "$(bare_mirror)" ]; then
		echo "apt knows no mirror of $bare_release"
	fi
}

# bare_make ROOT LOG: a minbase, whose apt gets its packages where this machine's does
bare_make() {
	local root=$1 log=$2
	debootstrap --variant=minbase "$bare_release" "$root" "$(bare_mirror)" >"$log" 2>&1 || return
	bare_targets | awk -F'|' -v r=$bare_release 'index($2, r) == 1 { print "deb", $1, $2, $3 }' \
		>"$root/etc/apt/sources.list"
	apt-config dump | grep -E '^Acquire::(http|https)::Proxy' >"$root/etc/apt/apt.conf.d/99proxy" || true
	cp -L /etc/resolv.conf "$root/etc/resolv.conf"
	cp -L /etc/hosts "$root/etc/hosts"
}

# bare_mount ROOT: for a mount namespace of the caller's own, with which the mounts end
bare_mount() {
	mount -t proc proc "$1/proc"
	mount --rbind /sys "$1/sys"
	mount --rbind /dev "$1/dev"
}

# bare_run ROOT COMMAND...: with an empty environment
bare_run() {
	local root=$1
	shift
	env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		chroot "$root" "$@" </dev/null
}
