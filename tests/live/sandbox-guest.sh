#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vmtop --sandbox on a kernel that the machine at hand does not have: what it reads there in other
# ways, and the rungs there, are no other system calls than the filter has. sandbox.py asks more, on
# the machine itself.
#
# sandbox-guest.sh VMTOP SHIM DIR

vmtop=$1
shim=$2
dir=$3/sandbox-guest
mkdir -p "$dir" || exit 1
# What the shell would say of a command that was killed.
KILLED=159 # 128 + SIGSYS

# say CASE PROBLEM
say() {
	if [ -z "$2" ]; then echo "ok sandbox/$1"; else echo "not ok sandbox/$1 - $2"; fi
}

# does CASE WORD...: ends well.
does() {
	name=$1
	shift
	"$vmtop" --sandbox "$@" >"$dir/out" 2>"$dir/err"
	status=$?
	if [ $status -eq 0 ]; then
		say "$name" ""
	else
		say "$name" "vmtop --sandbox $*: status $status: $(tail -n 3 "$dir/err" | tr '\n' ' ')"
	fi
}

# dies CASE CALL WORD...: is killed where it makes that call.
dies() {
	name=$1 call=$2
	shift 2
	LD_PRELOAD=$shim VMTOP_CALL=$call "$vmtop" --sandbox "$@" >"$dir/out" 2>"$dir/err"
	status=$?
	[ $status -eq $KILLED ] && said= || said="status $status: $(tail -n 3 "$dir/err" | tr '\n' ' ')"
	say "$name" "$said"
}

dd if=/dev/urandom of="$dir/file" bs=4096 count=16 2>/dev/null
does free free
does zones zones
does kernel kernel
does cgroups cgroups
does ps ps --pss
does maps maps --pss $$
does roles maps --group role $$
does pages pages $$
does cache cache "$dir/file"
does open cache --open
does metrics metrics
does top top -b -n 1
# Each rung of each probe.
does doctor doctor
does run run -- sh -c 'echo run'
does events events --summary -- true
does record record -v -v -d 0.1 -n 2 -w "$dir/tape"
does replay replay -b -r "$dir/tape"
# At the first write to stdout.
for call in socket fork open-write ioctl-type mmap-exec bpf-load; do
	dies "no-$call" "$call" free
done
dies nothing-loaded-late bpf-load events --summary -- true
exit 0
