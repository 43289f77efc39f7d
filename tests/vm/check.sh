# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# For the scripts of suites in guests.

# check NAME COMMAND...: the command has to succeed; what it says is the reason when it does not.
check() {
	name=$1
	shift
	if why=$("$@" 2>&1); then
		echo "ok $name"
	else
		echo "not ok $name - $(echo "${why:-failed}" | head -n 20 | tr '\n' ' ')"
	fi
}

# same WHAT FOUND WANTED: two empty strings are not the same, but two that could not be had.
same() {
	if [ -z "$3" ] || [ "$2" != "$3" ]; then
		echo "$1: found '$2', wanted '$3'"
		return 1
	fi
}
