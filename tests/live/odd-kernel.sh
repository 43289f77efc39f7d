#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vmtop on kernels that were told to give less than they can, and in places where less is seen:
# without BTF, without ftrace, locked down, with a /proc that hides, in namespaces, with processors
# that are off, with cgroups of version 1. Whatever is withheld, faults are counted exactly by the
# best way that is left, the figures of /proc are whole, and what is missing is said. For guests: it
# is done to the machine.
#
# odd-kernel.sh VMTOP SCRATCH PART...: the last part is lockdown, which stays.

. "${0%/*}/check.sh"

vmtop=$1
work=$2/odd-kernel
touch=${0%/*}/odd-kernel
shift 2
mkdir -p "$work"
chmod 1777 "$work"

# member NAME FILE: the first value of that name in a document, without its quotes.
member() {
	grep -o "\"$1\":\(\"[^\"]*\"\|[^,}]*\)" "$2" | head -n 1 | cut -d: -f2- | tr -d '"'
}

# try RUNG: its row of the document, where each rung that was tried says what came of it.
try() {
	grep -o "{\"probe\":\"fault\",\"rung\":\"$1\",\"hook\":null,[^}]*}" "$work/run.json"
}

# Where vmtop is run, a function that is given the command.
here() { "$@"; }
place=here

# told RUNGS COMMAND...: vmtop run counts by one of these rungs, and every better one says why it is
# not the one.
told() {
	rungs=$1
	shift
	rm -f "$work/run.json"
	$place "$vmtop" run -J -w "$work/run.json" -- "$@" > "$work/said" 2> "$work/err" ||
		{ echo "status $?: $(cat "$work/err")"; return 1; }
	rung=$(member rung "$work/run.json")
	case " $rungs " in
	*" $rung "*) ;;
	*)
		echo "rung $rung, not one of $rungs: $(try "$rungs")"
		return 1
		;;
	esac
	for better in fexit kprobe tracepoint perf; do
		[ "$better" = "$rung" ] && break
		try "$better" | grep -q '"reason":"[^"]' ||
			{ echo "$better is not used, and no word why: $(try "$better")"; return 1; }
	done
}

# exact RUNGS COMMAND...: and a child of it has as many faults as wait4() says.
exact() {
	told "$@" || return 1
	read -r pid minor major < "$work/said"
	row=$(grep -o "{\"pid\":$pid,[^{}]*\"residual_faults\":[^{}]*}" "$work/run.json")
	echo "$row" > "$work/row"
	same "faults of $pid" "$(member kernel_faults_total "$work/row")" $((minor + major)) &&
		same "what is left of them" "$(member residual_faults "$work/row")" 0
}

# The figures that need no more than /proc: all there, and they add up.
proc_is_whole() {
	same "MemTotal" "$($place "$vmtop" free --csv --noheadings -o total_bytes)" \
		"$(awk '$1 == "MemTotal:" { print $2 * 1024 }' /proc/meminfo)" &&
		process_is_whole "$victim"
}

process_is_whole() {
	same "RSS of a process" "$($place "$vmtop" ps -p "$1" --csv --noheadings -o rss_bytes)" \
		"$(awk '/^VmRSS:/ { print $2 * 1024 }' "/proc/$1/status")" || return 1
	$place "$vmtop" maps "$1" --csv --noheadings -o rss_bytes,pss_bytes > "$work/maps" ||
		{ echo "maps: status $?"; return 1; }
	same "RSS of its mappings" "$(awk -F, '{ n += $1 } END { print n }' "$work/maps")" \
		"$(awk '/^Rss:/ { n += $2 * 1024 } END { print n }' "/proc/$1/smaps")"
}

report_is_there() {
	"$vmtop" report --duration 0.1 -J -w "$work/report.json" 2> "$work/err" ||
		{ echo "status $?: $(cat "$work/err")"; return 1; }
}

# doctor ends well, and the rung that is tried first says this.
doctor_says() {
	"$vmtop" doctor > "$work/doctor" 2>&1 || { echo "status $?: $(cat "$work/doctor")"; return 1; }
	grep -q "^fault .*$1" "$work/doctor" ||
		{ echo "no word of $1: $(grep '^fault .* - ' "$work/doctor")"; return 1; }
}

# ends_with STATUS WORDS COMMAND...: it ends with that status, and says this.
ends_with() {
	status=$1 word=$2
	shift 2
	"$@" > "$work/out" 2> "$work/err"
	same "status" $? "$status" || { cat "$work/err"; return 1; }
	grep -q "$word" "$work/out" "$work/err" ||
		{ echo "no word of '$word': $(cat "$work/err")"; return 1; }
}

# cannot NAME: the test cannot be made, and it should; why is in the file of errors.
cannot() {
	echo "not ok $1 - $(tail -n 1 "$work/err")"
}

as_nobody() {
	su -s /bin/sh nobody -c "$*"
}

# No BTF: programs that read structs cannot be had, events of perf can.
part_btf() {
	mount -t tmpfs none /sys/kernel/btf 2> "$work/err" || { cannot E13/no-BTF; return; }
	check E13/no-BTF/faults exact perf "$touch" 200
	check E13/no-BTF/proc proc_is_whole
	check E13/no-BTF/report report_is_there
	check E13/no-BTF/doctor doctor_says "no BTF"
	check E13/no-BTF/events ends_with 1 BTF "$vmtop" events --duration 0.1
	umount /sys/kernel/btf
}

# Without ftrace, programs around functions attach and are silent, are refused, or need none of it.
part_ftrace() {
	echo 0 2> "$work/err" > /proc/sys/kernel/ftrace_enabled || { cannot F02/no-ftrace; return; }
	check F02/no-ftrace/faults exact "fexit kprobe tracepoint" "$touch" 200
	echo 1 > /proc/sys/kernel/ftrace_enabled
}

# Others' processes are hidden from users, not from root.
hides() {
	as_nobody "$vmtop" ps --csv --noheadings -o user,pid > "$work/list" 2> "$work/err" ||
		{ echo "status $?: $(cat "$work/err")"; return 1; }
	# With hidepid=1 they are listed, and their files are not to be opened.
	same "users" "$(cut -d, -f1 "$work/list" | sort -u)" nobody || return 1
	ends_with 0 hidepid as_nobody "$vmtop" ps || return 1
	"$vmtop" ps --csv --noheadings -o pid > "$work/list" || return 1
	grep -q "^$victim$" "$work/list" || { echo "$victim is hidden from root"; return 1; }
	proc_is_whole
}

part_hidepid() {
	for mode in 1 2; do
		mount -o remount,hidepid=$mode /proc 2> "$work/err" || cannot E06/hidepid
		check E06/hidepid-$mode hides
	done
	mount -o remount,hidepid=0 /proc
}

# Processes there have other numbers than the machine's.
in_pid_namespace() {
	unshare -m -p -f sh -c 'mount -t proc proc /proc && { "$@"; exit $?; }' sh "$@"
}

in_user_namespace() {
	as_nobody unshare -U -r "$@"
}

of_a_namespace() {
	place=in_pid_namespace
	exact perf "$touch" 200 || return 1
	grep -q '"id":"in_pid_namespace"' "$work/run.json" || { echo "it does not say where it is"; return 1; }
	try tracepoint | grep -q "PID namespace" || { echo "not counted, and why: $(try tracepoint)"; return 1; }
	same "first process" "$(in_pid_namespace "$vmtop" ps --csv --noheadings -o pid --top 1 -s pid)" 1
}

of_a_user_namespace() {
	place=in_user_namespace
	told "perf proc" "$touch" 200 &&
		ends_with 4 "denied" in_user_namespace "$vmtop" maps "$victim"
}

part_namespaces() {
	check E08/PID-namespace of_a_namespace
	if in_user_namespace true 2> "$work/err"; then
		check E09/user-namespace of_a_user_namespace
	else
		echo "skip E09/user-namespace - $(tail -n 1 "$work/err")"
	fi
}

# A process of nobody's that stands still; its number is in $own.
start_own() {
	as_nobody "sleep 1000 2> /dev/null & echo \$!" > "$work/own"
	own=$(cat "$work/own")
}

# yama decides who may attach, not who may read.
reads_with_yama() {
	proc_is_whole && same "RSS of a mapping" "$(as_nobody "$vmtop" maps "$own" --csv --noheadings \
		-o rss_bytes | awk '{ n += $1 } END { print (n > 0) }')" 1
}

part_yama() {
	start_own
	for mode in 1 2 3; do
		echo $mode 2> "$work/err" > /proc/sys/kernel/yama/ptrace_scope || { cannot E10/yama; break; }
		check E10/ptrace-scope-$mode reads_with_yama
	done
	kill -KILL "$own"
}

# What users may count by events of perf, whatever they may load; root may do both.
part_settings() {
	place=as_nobody
	for mode in 4 2 1; do
		echo $mode 2> "$work/err" > /proc/sys/kernel/perf_event_paranoid ||
			{ cannot E16/perf-event-paranoid; break; }
		case $mode in
		1) check E16/perf-event-paranoid-1 exact perf "$touch" 200 ;;
		2) check E16/perf-event-paranoid-2 told "perf proc" "$touch" 200 ;;
		4) check E16/perf-event-paranoid-4 told proc "$touch" 200 ;;
		esac
	done
	for mode in 0 2; do
		echo $mode 2> "$work/err" > /proc/sys/kernel/unprivileged_bpf_disabled ||
			{ cannot E16/unprivileged-bpf-disabled; break; }
		check E16/unprivileged-bpf-disabled-$mode exact perf "$touch" 200
	done
	place=here
	echo 3 > /proc/sys/kernel/perf_event_paranoid
}

# Addresses above 47 bits, in a mapping that was asked for there.
high=4000000000000
top=40000000c8000
faults_up_there() {
	exact fexit "$touch" 200 $high || return 1
	grep -q "\"start\":\"0x$high\",\"end\":\"0x$top\",.*\"faults_total\":200," "$work/run.json" ||
		{ echo "no row of 200 faults at $high"; return 1; }
}

# Calls a function while a process that touched pages is there: $2 pages at $3. Nothing of it goes
# where check() would wait for its end.
while_there() {
	"$touch" "$2" "$3" stay > "$work/said" 2> "$work/err" || { cat "$work/err"; return 1; }
	read -r pid minor major < "$work/said"
	"$1"
	seen=$?
	kill -KILL "$pid"
	return $seen
}

shown_up_there() {
	while_there seen_up_there 200 $high
}

seen_up_there() {
	"$vmtop" maps "$pid" --csv --noheadings -o start,end,rss_bytes > "$work/maps" &&
		same "mapping" "$(grep "^$high," "$work/maps")" "$high,$top,819200" || return 1
	"$vmtop" pages "$pid" --range $high-$top --csv --noheadings -o start,length_pages,state > "$work/pages" &&
		same "pages" "$(cat "$work/pages")" "$high,200,present" || return 1
	"$vmtop" addr "$pid" $high > "$work/addr" || return 1
	grep -q "^ *mapping  *$high-$top rw-p" "$work/addr" || { cat "$work/addr"; return 1; }
	process_is_whole "$pid"
}

mapped_up_there() {
	"$vmtop" events --only map --csv --noheadings -w "$work/events" -- "$touch" 200 $high > "$work/said" ||
		{ echo "status $?"; return 1; }
	read -r pid minor major < "$work/said"
	grep -q ",$pid,odd-kernel,mmap,$high,819200," "$work/events" || { echo "no mmap at $high"; return 1; }
}

part_la57() {
	if ! "$touch" 1 $high > "$work/said"; then
		echo "skip C04/57-bits - this kernel has no addresses above 47 bits"
		return
	fi
	check C04/57-bits/faults faults_up_there
	check C04/57-bits/pages shown_up_there
	check C04/57-bits/events mapped_up_there
}

# remove CGROUP: a process that was killed is in it until it has ended.
remove() {
	for _ in $(seq 600); do
		rmdir "$1" 2> "$work/err" && return
		sleep 0.1
	done
	cat "$work/err"
}

# Swap in compressed memory: what it holds, in how much, and faults that bring it back.
comes_from_zram() {
	exact fexit "$touch" 4096 || return 1
	grep -o '"command":{.*' "$work/run.json" > "$work/command"
	[ "$(member swap_major "$work/command")" -ge 1000 ] ||
		{ echo "$(member swap_major "$work/command") faults from swap"; return 1; }
}

held_by_zram() {
	same "SwapTotal" "$("$vmtop" free --csv --noheadings -o swap_total_bytes)" \
		"$(awk '$1 == "SwapTotal:" { print $2 * 1024 }' /proc/meminfo)" || return 1
	while_there seen_in_zram 4096 100000000000
}

seen_in_zram() {
	same "zram" "$("$vmtop" free --csv --noheadings -o zram_data_bytes,zram_bytes)" \
		"$(awk '{ print $1 "," $3 }' /sys/block/zram0/mm_stat)" || return 1
	same "part of zram" "$("$vmtop" free -b | awk '$1 == "zram" { print $2 }')" \
		"$(awk '{ print $3 }' /sys/block/zram0/mm_stat)" || return 1
	swapped=$(awk '/^Swap:/ { n += $2 * 1024 } END { print n }' "/proc/$pid/smaps")
	[ "$swapped" -ge $((8 << 20)) ] || { echo "$swapped bytes are in swap"; return 1; }
	same "swap of its mappings" "$("$vmtop" maps "$pid" --csv --noheadings -o swap_bytes |
		awk '{ n += $1 } END { print n }')" "$swapped" || return 1
	same "swap" "$("$vmtop" ps -p "$pid" --csv --noheadings -o swap_bytes)" \
		"$(awk '/^VmSwap:/ { print $2 * 1024 }' "/proc/$pid/status")" || return 1
	process_is_whole "$pid"
}

part_zram() {
	while read -r module; do
		insmod "/guest/modules/$module"
	done < /guest/modules.extra
	if [ ! -e /sys/block/zram0 ]; then
		echo "skip C15/zram - this kernel's cache has no zram: tests/vm/fetch-kernels --update"
		return
	fi
	{ echo 64M > /sys/block/zram0/disksize && mkswap /dev/zram0 && swapon /dev/zram0; } \
		> "$work/out" 2> "$work/err" || { cannot C15/zram; return; }
	check C15/zram/faults comes_from_zram
	check C15/zram/figures held_by_zram
	swapoff /dev/zram0
	echo 1 > /sys/block/zram0/reset
}

# A processor that is off at the start, and comes while faults are counted: those on it are counted.
cpu=/sys/devices/system/cpu/cpu1/online
comes_meanwhile() {
	exact fexit sh -c "echo 1 > $cpu; taskset 2 $touch 200; exec sleep 1" || return 1
	came=$(member cpus_back_total "$work/run.json") blind=$(member cpus_blind_total "$work/run.json")
	same "processors that came" $((came + blind)) 1
}

part_cpus() {
	echo 0 2> "$work/err" > $cpu || { cannot F12/off-at-the-start; return; }
	check F12/off-at-the-start comes_meanwhile
	echo 1 > $cpu
}

# A hierarchy of version 1 has the memory controller, beside one of version 2 that has the rest.
one_of_version_1() {
	mkdir "$v1/odd-kernel" || return 1
	sh -c "echo 0 > $v1/odd-kernel/cgroup.procs; exec $touch 200 100000000000 stay" > "$work/said" \
		2> "$work/err" || { cat "$work/err"; return 1; }
	read -r pid minor major < "$work/said"
	# What ended before may be freed only now.
	for _ in $(seq 50); do
		before=$(cat "$v1/odd-kernel/memory.usage_in_bytes")
		"$vmtop" cgroups --csv --noheadings -o version,current_bytes,path > "$work/cgroups"
		usage=$(cat "$v1/odd-kernel/memory.usage_in_bytes")
		[ "$before" = "$usage" ] && break
	done
	same "cgroup" "$(grep /odd-kernel "$work/cgroups")" "v1,$usage,/odd-kernel"
	seen=$?
	kill -KILL "$pid"
	remove "$v1/odd-kernel"
	return $seen
}

part_cgroup1() {
	v1=/tmp/cgroup1
	mkdir -p $v1
	if ! mount -t cgroup -o memory none $v1 2> "$work/err"; then
		# A kernel that has none has no such thing to be busy.
		if grep -q busy "$work/err"; then
			cannot cgroup-v1
		else
			echo "skip cgroup-v1 - $(tail -n 1 "$work/err")"
		fi
		return
	fi
	# As systemd has it; without it, 5.10 counts each cgroup for itself.
	echo 1 2> "$work/err" > $v1/memory.use_hierarchy || { cannot cgroup-v1; return; }
	check cgroup-v1/cgroups one_of_version_1
	for program in "cgroup-limits $vmtop /scratch" "cgroups fexit"; do
		# shellcheck disable=SC2086
		"${0%/*}"/$program > "$work/out" ||
			echo "not ok cgroup-v1/${program%% *} - ended with status $?"
		sed 's/^\(ok\|not ok\|skip\) /&cgroup-v1\//' "$work/out"
	done
	umount $v1
}

# What was locked down is given by this kernel to nobody, root too.
faults_locked_down() {
	exact perf "$touch" 200 || return 1
	for better in fexit kprobe tracepoint; do
		try $better | grep -q "lockdown=confidentiality" ||
			{ echo "no word of it: $(try $better)"; return 1; }
	done
}

part_lockdown() {
	mount -t securityfs none /sys/kernel/security
	for mode in integrity confidentiality; do
		if ! echo $mode > /sys/kernel/security/lockdown; then
			echo "skip E12/lockdown-$mode - this kernel has none"
			return
		fi
		check E12/lockdown-$mode/proc proc_is_whole
	done
	check E12/lockdown-confidentiality/faults faults_locked_down
	check E12/lockdown-confidentiality/kernel ends_with 0 "page tables" "$vmtop" kernel
	check E12/lockdown-confidentiality/events ends_with 1 "lockdown=confidentiality" \
		"$vmtop" events --duration 0.1
}

# A process that holds still.
sleep 1000 &
victim=$!
until grep -q '^sleep$' /proc/$victim/comm; do :; done
kill -STOP $victim

for part; do
	"part_$part"
	echo "# $part: $(cut -d' ' -f1 /proc/uptime)"
done
kill -KILL $victim
