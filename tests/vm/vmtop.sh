#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vmtop on a kernel that the machine does not run: its figures against the files of /proc that
# they come from, read here by awk.  Needs root.

. "${0%/*}/check.sh"

work=$GUEST_SCRATCH/vmtop
mkdir -p "$work"

# meminfo KEY: the figure in bytes.
meminfo() {
	sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo | awk '{ print $1 * 1024 }'
}

# value COLUMN: one figure of vmtop free.
value() {
	vmtop free --csv --noheadings -o "$1"
}

prints_version() {
	vmtop --version | grep -q '^vmtop [0-9]' || { vmtop --version; return 1; }
}

counts_memory() {
	same "MemTotal" "$(value total_bytes)" "$(meminfo MemTotal)"
}

counts_swap() {
	same "no swap" "$(value swap_total_bytes)" 0 || return 1
	swapon "$GUEST_SWAP" || return 1
	same "SwapTotal" "$(value swap_total_bytes)" "$(meminfo SwapTotal)"
	result=$?
	swapoff "$GUEST_SWAP"
	return $result
}

# The terms are read from two files, so that a page that moves between shows; a quiet machine soon
# gives a pair that agrees, and then it has to agree to the byte.
explains_available() {
	for try in 1 2 3 4 5 6 7 8 9 10; do
		left=$(value available_residual_bytes)
		[ "$left" = 0 ] && return 0
		sleep 0.2
	done
	echo "$left bytes of available are not explained after $try tries"
	return 1
}

# A process that holds still, with a heap of some MiB, a program file on a disk and a stack.
start_victim() {
	cp /usr/bin/busybox "$work/busybox"
	"$work/busybox" sh -c 'held=$(head -c 3000000 /dev/zero | tr "\0" x); echo up; sleep 1000; :' \
		> "$work/up" &
	victim=$!
	until grep -q up "$work/up"; do
		sleep 0.1
	done
	kill -STOP $victim
}

# What smaps says, as CSV of the columns below; what the kernel does not have stays empty.
columns=start,perms,size_bytes,rss_bytes,pss_bytes,pss_dirty_bytes,anonymous_bytes,ksm_bytes,\
lazy_free_bytes,anon_huge_pages_bytes,swap_bytes,locked_bytes
smaps_csv() {
	awk '
	function row(i) {
		if (start == "")
			return
		line = start "," perms
		for (i = 1; i <= n; i++)
			line = line "," (key[i] in kb ? kb[key[i]] * 1024 : "")
		print line
	}
	# vmtop pads an address to 12 digits, the kernel to 8.
	function padded(address) {
		return substr("000000000000", 1, 12 - length(address)) address
	}
	BEGIN {
		n = split("Size Rss Pss Pss_Dirty Anonymous KSM LazyFree AnonHugePages Swap Locked", key)
	}
	/^[0-9a-f]+-[0-9a-f]+ / {
		row()
		split($1, range, "-")
		start = padded(range[1])
		perms = $2
		delete kb
		next
	}
	$3 == "kB" { kb[substr($1, 1, length($1) - 1)] = $2 }
	END { row() }
	' "/proc/$victim/smaps"
}

maps_equal_smaps() {
	smaps_csv > "$work/smaps" &&
		vmtop maps "$victim" --csv --noheadings -o "$columns" > "$work/maps" || return 1
	[ "$(wc -l < "$work/smaps")" -ge 5 ] || { echo "smaps has too few mappings"; return 1; }
	diff "$work/smaps" "$work/maps"
}

# Pss_Dirty came with 5.19, KSM with 6.6: before, they are unknown, which is not 0.
old_kernels_know_less() {
	for pair in pss_dirty_bytes:Pss_Dirty ksm_bytes:KSM; do
		vmtop maps "$victim" -J -o "start,${pair%:*}" > "$work/json" || return 1
		known=no
		grep -q "^${pair#*:}:" "/proc/$victim/smaps" && known=yes
		given=no
		grep -q "\"${pair%:*}\": *[0-9]" "$work/json" && given=yes
		same "a figure for ${pair%:*}" $given $known || return 1
	done
}

ps_equals_status() {
	wanted=$(awk '/^(VmSize|RssAnon|RssFile|RssShmem|VmSwap|VmPTE):/ { kb[$1] = $2 * 1024 }
		END { print kb["VmSize:"] "," kb["RssAnon:"] "," kb["RssFile:"] "," kb["RssShmem:"] "," \
		kb["VmSwap:"] "," kb["VmPTE:"] }' "/proc/$victim/status")
	same "status" "$(vmtop ps -p "$victim" --csv --noheadings \
		-o vsize_bytes,anonymous_bytes,file_bytes,shmem_bytes,swap_bytes,page_table_bytes)" "$wanted"
}

faults_equal_stat() {
	wanted=$(awk '{ sub(/.*\) /, ""); print $8 "," $10 }' "/proc/$victim/stat")
	same "stat" "$(vmtop ps -p "$victim" --csv --noheadings \
		-o minor_faults_total,major_faults_total)" "$wanted"
}

nobody_gets_a_list() {
	su -s /bin/sh nobody -c 'vmtop ps --csv --noheadings -o pid,comm' > "$work/list" ||
		{ echo "status $?"; return 1; }
	grep -q "^$victim," "$work/list" || { echo "$victim is not listed"; return 1; }
}

check version prints_version
check memory counts_memory
check swap counts_swap
check available explains_available
start_victim
check maps maps_equal_smaps
check unknown-is-not-0 old_kernels_know_less
check ps ps_equals_status
check faults-total faults_equal_stat
check unprivileged nobody_gets_a_list
kill -KILL $victim
