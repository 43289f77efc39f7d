# SPDX-License-Identifier: GPL-2.0-or-later
# What scripts/run and scripts/test share. build_tree wants the top of the source tree as the current
# directory.
# shellcheck shell=bash

note() {
	printf '%s: %s\n' "${0##*/}" "$1" >&2
}

# A build by root in somebody else's tree would leave files there that its owner cannot remove; so
# under sudo the one who called it builds, where the tree is theirs.
as_builder() {
	local owner
	owner=$(stat -c %u .)
	if [ "$(id -u)" = 0 ] && [ "$owner" != 0 ] && [ "${SUDO_UID-}" = "$owner" ]; then
		setpriv --reuid "$SUDO_UID" --regid "$SUDO_GID" --init-groups --reset-env \
			env LC_ALL=C.UTF-8 ${CC:+"CC=$CC"} "$@"
	else
		env LC_ALL=C.UTF-8 "$@"
	fi
}

# build_tree DIR [MESON-OPTION...]: sets DIR up where that was not done, and builds it. Quiet unless
# it fails: then all that meson or ninja said is shown. A package that came since is looked at again.
build_tree() {
	local dir=$1 out
	shift
	set -- -Dauto_features=enabled "$@"
	if [ ! -f "$dir/build.ninja" ]; then
		# A set-up that was broken off leaves a directory that meson does not take.
		rm -rf -- "$dir"
		set -- meson setup "$dir" "$@"
	elif [ /var/lib/dpkg/status -nt "$dir/build.ninja" ]; then
		set -- meson setup --reconfigure "$dir" "$@"
	else
		set -- true
	fi
	out=$(as_builder "$@" 2>&1) || {
		printf '%s\n' "$out" >&2
		note "meson could not set up $dir"
		return 1
	}
	out=$(as_builder ninja -C "$dir" 2>&1) || {
		printf '%s\n' "$out" >&2
		note "$dir does not build"
		return 1
	}
}
