# SPDX-License-Identifier: GPL-2.0-or-later
# What scripts/run and scripts/test share. The trees are below the current
# directory, the top of the source tree.
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

# What fails below shows all that meson or ninja said; what does not is quiet.

# set_up_tree DIR [MESON-OPTION...]: where that was not done, or a package came since.
set_up_tree() {
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
}

# make_tree DIR [TARGET...]
make_tree() {
	local out
	out=$(as_builder ninja -C "$@" 2>&1) || {
		printf '%s\n' "$out" >&2
		note "$1 does not build"
		return 1
	}
}

# build_tree DIR [MESON-OPTION...]: all of it.
build_tree() {
	set_up_tree "$@" && make_tree "$1"
}
