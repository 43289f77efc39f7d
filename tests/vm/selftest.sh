#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What every guest promises to the suites that run in it.  usage: selftest RELEASE

release=$1

. "${0%/*}/check.sh"

is_release() {
	same release "$(uname -r)" "$release"
}

mounted() {
	grep -q "^[^ ]* $2 $1 " /proc/mounts || { echo "no $1 on $2"; return 1; }
}

file_systems() {
	mounted proc /proc && mounted sysfs /sys && mounted devtmpfs /dev &&
		mounted tmpfs /tmp && mounted tmpfs /dev/shm && mounted devpts /dev/pts &&
		mounted tracefs /sys/kernel/tracing && mounted debugfs /sys/kernel/debug &&
		mounted bpf /sys/fs/bpf && mounted cgroup2 /sys/fs/cgroup &&
		mounted ext4 / && mounted ext4 "$GUEST_SCRATCH"
}

# Programs run from a file system on a disk, so their pages are page cache and not shared memory.
programs_on_disk() {
	root=$(awk '$5 == "/" { split($3, n, ":"); printf "%02x:%02x", n[1], n[2] }' /proc/self/mountinfo)
	same "device of a program" "$(awk 'NR == 1 { print $4 }' /proc/self/maps)" "$root"
}

# Written, dropped from the page cache, and read back from the disk.
ext4_keeps() {
	file=$GUEST_SCRATCH/selftest
	dd if=/dev/urandom of="$file" bs=64k count=64 2> /dev/null || return 1
	before=$(sha256sum < "$file")
	sync
	echo 3 > /proc/sys/vm/drop_caches
	after=$(sha256sum < "$file")
	rm "$file"
	same "read back" "$after" "$before"
}

# A cgroup that may hold 16 MiB writes 32 MiB of shared memory: the rest has to go to the disk.
# Not zeros: since 6.12 a page of zeros is swapped out without being written.
swap_takes() {
	swapon "$GUEST_SWAP" || return 1
	grep -q "^$GUEST_SWAP " /proc/swaps || { echo "not in /proc/swaps"; return 1; }
	before=$(sed -n 's/^pswpout //p' /proc/vmstat)
	echo +memory > /sys/fs/cgroup/cgroup.subtree_control &&
		mkdir /sys/fs/cgroup/selftest &&
		echo 16777216 > /sys/fs/cgroup/selftest/memory.max || return 1
	sh -c 'echo $$ > /sys/fs/cgroup/selftest/cgroup.procs &&
		yes | head -c 33554432 > /dev/shm/selftest' ||
		{ echo "the writer was killed"; return 1; }
	after=$(sed -n 's/^pswpout //p' /proc/vmstat)
	rm /dev/shm/selftest
	rmdir /sys/fs/cgroup/selftest
	swapoff "$GUEST_SWAP"
	[ $((after - before)) -ge 2048 ] || { echo "$((after - before)) pages swapped out"; return 1; }
}

# A mount whose server never answers; it ends when the last descriptor of the device is closed.
fuse_mounts() {
	mkdir -p /tmp/fuse
	exec 4<> /dev/fuse || return 1
	mount -t fuse -o fd=4,rootmode=40000,user_id=0,group_id=0 selftest /tmp/fuse || return 1
	mounted fuse /tmp/fuse || return 1
	umount -l /tmp/fuse
	exec 4>&-
}

# BTF begins with the magic number 0xeb9f.
btf_there() {
	magic=$(dd if=/sys/kernel/btf/vmlinux bs=2 count=1 2> /dev/null | hexdump -e '1/2 "%04x"')
	same magic "$magic" eb9f
}

tracing_there() {
	for name in kprobe_events events/exceptions/page_fault_user/id; do
		[ -e /sys/kernel/tracing/$name ] || { echo "no $name"; return 1; }
	done
	# A kprobe set and taken away again by the tracing file system.
	echo 'p:selftest handle_mm_fault' >> /sys/kernel/tracing/kprobe_events || return 1
	[ -d /sys/kernel/tracing/events/kprobes/selftest ] || { echo "no event"; return 1; }
	echo '-:selftest' >> /sys/kernel/tracing/kprobe_events
}

two_cpus() {
	same CPUs "$(nproc)" 2
}

no_network() {
	same interfaces "$(ls /sys/class/net)" lo
}

unprivileged() {
	who=$(su -s /bin/sh nobody -c 'id -u') || { echo "su: $who"; return 1; }
	same user "$who" 65534
}

# For the host, which wants both: see selftest.suite.
leave_results() {
	mkdir -p "$GUEST_RESULTS/deep/er" &&
		uname -r > "$GUEST_RESULTS/deep/er/release" &&
		cat /proc/meminfo > "$GUEST_RESULTS/meminfo"
}

check release is_release
check file-systems file_systems
check programs-on-disk programs_on_disk
check ext4 ext4_keeps
check swap swap_takes
check fuse fuse_mounts
check btf btf_there
check tracing tracing_there
check cpus two_cpus
check no-network no_network
check unprivileged-user unprivileged
check results-directory leave_results
