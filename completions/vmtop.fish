# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for vmtop
#
# Made by 'vmtop completion fish' from the tables of the program.

# The command on the line so far, - before there is one.
function __vmtop_command
	set -l skip 0
	for word in (commandline -opc)[2..-1]
		if test $skip = 1
			set skip 0
		else if contains -- $word $__vmtop_taking
			set skip 1
		else if not string match -q -- '-*' $word
			echo $word
			return
		end
	end
	echo -
end

function __vmtop_at
	contains -- (__vmtop_command) $argv
end

# Words with commas between; + before the first adds columns, - turns an order round.
function __vmtop_list
	set -l token (string replace -r -- '^--[^=]*=' '' (commandline -ct))
	set -l before (string match -r -- '^(?:.*,)?[-+]?' "$token")
	printf '%s\n' "$before"$argv
end

function __vmtop_pids
	string replace -f -r '^/proc/([0-9]+)$' '$1' /proc/*
end

function __vmtop_dirs
	__fish_complete_directories (string replace -r -- '^--[^=]*=' '' (commandline -ct)) ''
end

complete -c vmtop -f

# Options whose value is the next word, before the command.
set -g __vmtop_taking -o --output -s --sort --top --format -w --write --root -t --timeout

# before a command
complete -c vmtop -n '__vmtop_at -' -s o -l output -x -d 'columns, with commas between; +LIST adds; help lists them'
complete -c vmtop -n '__vmtop_at -' -l output-all -d 'all columns, and their cost'
complete -c vmtop -n '__vmtop_at -' -s s -l sort -x -d 'order of the rows; -COLUMN descends'
complete -c vmtop -n '__vmtop_at -' -l top -x -d 'the first N rows'
complete -c vmtop -n '__vmtop_at -' -s J -l json -d 'JSON, sizes in bytes (--format json)'
complete -c vmtop -n '__vmtop_at -' -l ndjson -d 'one JSON object a line (--format ndjson)'
complete -c vmtop -n '__vmtop_at -' -l csv -d 'the first table as CSV (--format csv)'
complete -c vmtop -n '__vmtop_at -' -l format -x -a 'text json ndjson csv' -d 'text, json, ndjson or csv'
complete -c vmtop -n '__vmtop_at -' -l raw -d 'columns with one blank between'
complete -c vmtop -n '__vmtop_at -' -l noheadings -d 'no headings'
complete -c vmtop -n '__vmtop_at -' -s b -l bytes -d 'sizes in bytes'
complete -c vmtop -n '__vmtop_at -' -s k -l kibi -d 'sizes in KiB'
complete -c vmtop -n '__vmtop_at -' -s m -l mebi -d 'sizes in MiB'
complete -c vmtop -n '__vmtop_at -' -s g -l gibi -d 'sizes in GiB'
complete -c vmtop -n '__vmtop_at -' -l pages -d 'sizes in pages'
complete -c vmtop -n '__vmtop_at -' -l human -d 'sizes with a unit; the default on a terminal'
complete -c vmtop -n '__vmtop_at -' -l ascii -d 'nothing but ASCII'
complete -c vmtop -n '__vmtop_at -' -s w -l write -r -F -d 'write to FILE, which is replaced once the output is complete'
complete -c vmtop -n '__vmtop_at -' -l strict -d 'exit 5 when something could not be read'
complete -c vmtop -n '__vmtop_at -' -l fail-empty -d 'exit 3 when there is no row'
complete -c vmtop -n '__vmtop_at -' -l root -x -a '(__vmtop_dirs)' -d 'read the saved proc/ and sys/ below DIR'
complete -c vmtop -n '__vmtop_at -' -s t -l timeout -x -d 'give up after SEC seconds (exit 124)'
complete -c vmtop -n '__vmtop_at -' -s q -l quiet -d 'no notes on standard error'
complete -c vmtop -n '__vmtop_at -' -s v -l verbose -d 'say what is done; more when given twice'
complete -c vmtop -n '__vmtop_at -' -s h -l help -d 'print help and exit'
complete -c vmtop -n '__vmtop_at -' -s V -l version -d 'print the version and exit'

# free
complete -c vmtop -n '__vmtop_at -' -a free -d 'the machine\'s memory, and what available is made of'
complete -c vmtop -n '__vmtop_at free' -s o -l output -x -a '(__vmtop_list total used free shared buff/cache available buffers cached swapcached active-file inactive-file active-anon inactive-anon unevictable mlocked anon mapped dirty writeback kreclaimable sreclaimable sunreclaim kstack pagetables percpu vmalloc hugetlb anonhuge commit-limit committed swap-total swap-free swap-used managed reserve low available-sum residual unaccounted pgfault pgmajfault pgfault/s pgmajfault/s oom-kills procs)' -d 'columns, with commas between; +LIST adds; help lists them'
complete -c vmtop -n '__vmtop_at free' -l output-all -d 'all columns, and their cost'
complete -c vmtop -n '__vmtop_at free' -s s -l sort -x -a '(__vmtop_list total used free shared buff/cache available buffers cached swapcached active-file inactive-file active-anon inactive-anon unevictable mlocked anon mapped dirty writeback kreclaimable sreclaimable sunreclaim kstack pagetables percpu vmalloc hugetlb anonhuge commit-limit committed swap-total swap-free swap-used managed reserve low available-sum residual unaccounted pgfault pgmajfault pgfault/s pgmajfault/s oom-kills procs)' -d 'order of the rows; -COLUMN descends'
complete -c vmtop -n '__vmtop_at free' -s J -l json -d 'JSON, sizes in bytes (--format json)'
complete -c vmtop -n '__vmtop_at free' -l ndjson -d 'one JSON object a line (--format ndjson)'
complete -c vmtop -n '__vmtop_at free' -l csv -d 'the first table as CSV (--format csv)'
complete -c vmtop -n '__vmtop_at free' -l format -x -a 'text json ndjson csv' -d 'text, json, ndjson or csv'
complete -c vmtop -n '__vmtop_at free' -l raw -d 'columns with one blank between'
complete -c vmtop -n '__vmtop_at free' -l noheadings -d 'no headings'
complete -c vmtop -n '__vmtop_at free' -s b -l bytes -d 'sizes in bytes'
complete -c vmtop -n '__vmtop_at free' -s k -l kibi -d 'sizes in KiB'
complete -c vmtop -n '__vmtop_at free' -s m -l mebi -d 'sizes in MiB'
complete -c vmtop -n '__vmtop_at free' -s g -l gibi -d 'sizes in GiB'
complete -c vmtop -n '__vmtop_at free' -l pages -d 'sizes in pages'
complete -c vmtop -n '__vmtop_at free' -l human -d 'sizes with a unit; the default on a terminal'
complete -c vmtop -n '__vmtop_at free' -l ascii -d 'nothing but ASCII'
complete -c vmtop -n '__vmtop_at free' -s w -l write -r -F -d 'write to FILE, which is replaced once the output is complete'
complete -c vmtop -n '__vmtop_at free' -l strict -d 'exit 5 when something could not be read'
complete -c vmtop -n '__vmtop_at free' -l fail-empty -d 'exit 3 when there is no row'
complete -c vmtop -n '__vmtop_at free' -l root -x -a '(__vmtop_dirs)' -d 'read the saved proc/ and sys/ below DIR'
complete -c vmtop -n '__vmtop_at free' -s t -l timeout -x -d 'give up after SEC seconds (exit 124)'
complete -c vmtop -n '__vmtop_at free' -s q -l quiet -d 'no notes on standard error'
complete -c vmtop -n '__vmtop_at free' -s v -l verbose -d 'say what is done; more when given twice'
complete -c vmtop -n '__vmtop_at free' -s h -l help -d 'print help and exit'
complete -c vmtop -n '__vmtop_at free' -s V -l version -d 'print the version and exit'

# ps
complete -c vmtop -n '__vmtop_at -' -a ps -d 'processes by the memory they hold'
complete -c vmtop -n '__vmtop_at ps' -s p -l pid -x -a '(__vmtop_list (__vmtop_pids))' -d 'only these processes'
complete -c vmtop -n '__vmtop_at ps' -s u -l user -x -a '(__fish_complete_users)' -d 'only processes of this user (name or id)'
complete -c vmtop -n '__vmtop_at ps' -s c -l comm -x -d 'only processes of this name; *, ? and [] as in the shell'
complete -c vmtop -n '__vmtop_at ps' -l cgroup -x -d 'only processes in this cgroup or below it'
complete -c vmtop -n '__vmtop_at ps' -l group -x -a 'user comm cgroup' -d 'sums by user, comm (the name) or cgroup in place of processes'
complete -c vmtop -n '__vmtop_at ps' -l tree -d 'children below their parents'
complete -c vmtop -n '__vmtop_at ps' -l pss -d 'add PSS and USS, which read smaps_rollup of every process shown'
complete -c vmtop -n '__vmtop_at ps' -l kernel-threads -d 'kernel threads too; they have no memory of their own'
complete -c vmtop -n '__vmtop_at ps' -s d -l delay -x -d 'again every SEC seconds, with what changed in between'
complete -c vmtop -n '__vmtop_at ps' -s n -l count -x -d 'N times; every second where -d says nothing else'
complete -c vmtop -n '__vmtop_at ps' -s o -l output -x -a '(__vmtop_list pid ppid start uid user s class thr vsize rss anon file shmem swap peak locked pte minflt majflt min/s maj/s rss-delta swap-delta maps pss pss-dirty pss-anon pss-file pss-shmem uss shared-clean shared-dirty private-clean private-dirty referenced swap-pss rollup-rss rollup-anon lazyfree anonhuge shared-hugetlb private-hugetlb rollup-swap locked-pss reclaimable writeback needs-swap reclaim-slack freed freed-slack freed-swap read read-start read-end cgroup depth tree-rss command)' -d 'columns, with commas between; +LIST adds; help lists them'
complete -c vmtop -n '__vmtop_at ps' -l output-all -d 'all columns, and their cost'
complete -c vmtop -n '__vmtop_at ps' -s s -l sort -x -a '(__vmtop_list pid ppid start uid user s class thr vsize rss anon file shmem swap peak locked pte minflt majflt min/s maj/s rss-delta swap-delta maps pss pss-dirty pss-anon pss-file pss-shmem uss shared-clean shared-dirty private-clean private-dirty referenced swap-pss rollup-rss rollup-anon lazyfree anonhuge shared-hugetlb private-hugetlb rollup-swap locked-pss reclaimable writeback needs-swap reclaim-slack freed freed-slack freed-swap read read-start read-end cgroup depth tree-rss command)' -d 'order of the rows; -COLUMN descends'
complete -c vmtop -n '__vmtop_at ps' -l top -x -d 'the first N rows'
complete -c vmtop -n '__vmtop_at ps' -s J -l json -d 'JSON, sizes in bytes (--format json)'
complete -c vmtop -n '__vmtop_at ps' -l ndjson -d 'one JSON object a line (--format ndjson)'
complete -c vmtop -n '__vmtop_at ps' -l csv -d 'the first table as CSV (--format csv)'
complete -c vmtop -n '__vmtop_at ps' -l format -x -a 'text json ndjson csv' -d 'text, json, ndjson or csv'
complete -c vmtop -n '__vmtop_at ps' -l raw -d 'columns with one blank between'
complete -c vmtop -n '__vmtop_at ps' -l noheadings -d 'no headings'
complete -c vmtop -n '__vmtop_at ps' -s b -l bytes -d 'sizes in bytes'
complete -c vmtop -n '__vmtop_at ps' -s k -l kibi -d 'sizes in KiB'
complete -c vmtop -n '__vmtop_at ps' -s m -l mebi -d 'sizes in MiB'
complete -c vmtop -n '__vmtop_at ps' -s g -l gibi -d 'sizes in GiB'
complete -c vmtop -n '__vmtop_at ps' -l pages -d 'sizes in pages'
complete -c vmtop -n '__vmtop_at ps' -l human -d 'sizes with a unit; the default on a terminal'
complete -c vmtop -n '__vmtop_at ps' -l ascii -d 'nothing but ASCII'
complete -c vmtop -n '__vmtop_at ps' -s w -l write -r -F -d 'write to FILE, which is replaced once the output is complete'
complete -c vmtop -n '__vmtop_at ps' -l strict -d 'exit 5 when something could not be read'
complete -c vmtop -n '__vmtop_at ps' -l fail-empty -d 'exit 3 when there is no row'
complete -c vmtop -n '__vmtop_at ps' -l root -x -a '(__vmtop_dirs)' -d 'read the saved proc/ and sys/ below DIR'
complete -c vmtop -n '__vmtop_at ps' -s t -l timeout -x -d 'give up after SEC seconds (exit 124)'
complete -c vmtop -n '__vmtop_at ps' -s q -l quiet -d 'no notes on standard error'
complete -c vmtop -n '__vmtop_at ps' -s v -l verbose -d 'say what is done; more when given twice'
complete -c vmtop -n '__vmtop_at ps' -s h -l help -d 'print help and exit'
complete -c vmtop -n '__vmtop_at ps' -s V -l version -d 'print the version and exit'

# maps
complete -c vmtop -n '__vmtop_at -' -a maps -d 'the mappings of a process, with what is resident of each'
complete -c vmtop -n '__vmtop_at maps' -s a -l all -d 'all processes'
complete -c vmtop -n '__vmtop_at maps' -s u -l user -x -a '(__fish_complete_users)' -d 'all processes of this user (name or id); with PID only those of them'
complete -c vmtop -n '__vmtop_at maps' -l pss -d 'add PSS, for which the kernel walks a mapping in one hold of its lock; or an estimate that is read in slices'
complete -c vmtop -n '__vmtop_at maps' -l group -x -a 'role kind file' -d 'sums over the mappings of one role, kind or file'
complete -c vmtop -n '__vmtop_at maps' -l sharers -d 'who maps each file, memfd and SysV segment; with PID those that it maps'
complete -c vmtop -n '__vmtop_at maps' -l list-only -d 'read maps alone: no residency, and no walk of page tables'
complete -c vmtop -n '__vmtop_at maps' -s o -l output -x -a '(__vmtop_list pid address end perm offset device inode kind role deleted ipcns size kpage mmupage rss pss pss-sliced pss-dirty uss shared-clean shared-dirty private-clean private-dirty dirty referenced anon file ksm lazyfree anonhuge shmempmd filepmd shared-hugetlb private-hugetlb swap swap-pss locked reclaimable writeback needs-swap unevictable reclaim-slack freed freed-slack thpeligible pkey vmflags present swapped filepages exclusive softdirty elf build-id mapping)' -d 'columns, with commas between; +LIST adds; help lists them'
complete -c vmtop -n '__vmtop_at maps' -l output-all -d 'all columns, and their cost'
complete -c vmtop -n '__vmtop_at maps' -s s -l sort -x -a '(__vmtop_list pid address end perm offset device inode kind role deleted ipcns size kpage mmupage rss pss pss-sliced pss-dirty uss shared-clean shared-dirty private-clean private-dirty dirty referenced anon file ksm lazyfree anonhuge shmempmd filepmd shared-hugetlb private-hugetlb swap swap-pss locked reclaimable writeback needs-swap unevictable reclaim-slack freed freed-slack thpeligible pkey vmflags present swapped filepages exclusive softdirty elf build-id mapping)' -d 'order of the rows; -COLUMN descends'
complete -c vmtop -n '__vmtop_at maps' -l top -x -d 'the first N rows'
complete -c vmtop -n '__vmtop_at maps' -s J -l json -d 'JSON, sizes in bytes (--format json)'
complete -c vmtop -n '__vmtop_at maps' -l ndjson -d 'one JSON object a line (--format ndjson)'
complete -c vmtop -n '__vmtop_at maps' -l csv -d 'the first table as CSV (--format csv)'
complete -c vmtop -n '__vmtop_at maps' -l format -x -a 'text json ndjson csv' -d 'text, json, ndjson or csv'
complete -c vmtop -n '__vmtop_at maps' -l raw -d 'columns with one blank between'
complete -c vmtop -n '__vmtop_at maps' -l noheadings -d 'no headings'
complete -c vmtop -n '__vmtop_at maps' -s b -l bytes -d 'sizes in bytes'
complete -c vmtop -n '__vmtop_at maps' -s k -l kibi -d 'sizes in KiB'
complete -c vmtop -n '__vmtop_at maps' -s m -l mebi -d 'sizes in MiB'
complete -c vmtop -n '__vmtop_at maps' -s g -l gibi -d 'sizes in GiB'
complete -c vmtop -n '__vmtop_at maps' -l pages -d 'sizes in pages'
complete -c vmtop -n '__vmtop_at maps' -l human -d 'sizes with a unit; the default on a terminal'
complete -c vmtop -n '__vmtop_at maps' -l ascii -d 'nothing but ASCII'
complete -c vmtop -n '__vmtop_at maps' -s w -l write -r -F -d 'write to FILE, which is replaced once the output is complete'
complete -c vmtop -n '__vmtop_at maps' -l strict -d 'exit 5 when something could not be read'
complete -c vmtop -n '__vmtop_at maps' -l fail-empty -d 'exit 3 when there is no row'
complete -c vmtop -n '__vmtop_at maps' -l root -x -a '(__vmtop_dirs)' -d 'read the saved proc/ and sys/ below DIR'
complete -c vmtop -n '__vmtop_at maps' -s t -l timeout -x -d 'give up after SEC seconds (exit 124)'
complete -c vmtop -n '__vmtop_at maps' -s q -l quiet -d 'no notes on standard error'
complete -c vmtop -n '__vmtop_at maps' -s v -l verbose -d 'say what is done; more when given twice'
complete -c vmtop -n '__vmtop_at maps' -s h -l help -d 'print help and exit'
complete -c vmtop -n '__vmtop_at maps' -s V -l version -d 'print the version and exit'
complete -c vmtop -n '__vmtop_at maps' -a '(__vmtop_pids)'

# faults
complete -c vmtop -n '__vmtop_at -' -a faults -d 'page faults by mapping: how many, of which kind, how long each took'
complete -c vmtop -n '__vmtop_at faults' -s p -l pid -x -a '(__vmtop_list (__vmtop_pids))' -d 'only these processes; ends early when all of them have ended'
complete -c vmtop -n '__vmtop_at faults' -l duration -x -d 'count for SEC seconds (default 5); SIGINT ends it early'
complete -c vmtop -n '__vmtop_at faults' -l summary -x -a 'vma proc file' -d 'a row for each mapping (vma, the default), process or file'
complete -c vmtop -n '__vmtop_at faults' -l rung -x -a 'auto fexit kprobe tracepoint perf proc' -d 'how to count; auto takes the best that works'
complete -c vmtop -n '__vmtop_at faults' -l balance -d 'show the sum of each process in text, too'
complete -c vmtop -n '__vmtop_at faults' -s o -l output -x -a '(__vmtop_list pid started owner address end size perm offset device inode kind state keys faults minor major read write exec user kernel anon file shmem gup failed retried p50 p90 p99 max stall timed histogram command mapping)' -d 'columns, with commas between; +LIST adds; help lists them'
complete -c vmtop -n '__vmtop_at faults' -l output-all -d 'all columns, and their cost'
complete -c vmtop -n '__vmtop_at faults' -s s -l sort -x -a '(__vmtop_list pid started owner address end size perm offset device inode kind state keys faults minor major read write exec user kernel anon file shmem gup failed retried p50 p90 p99 max stall timed histogram command mapping)' -d 'order of the rows; -COLUMN descends'
complete -c vmtop -n '__vmtop_at faults' -l top -x -d 'the first N rows'
complete -c vmtop -n '__vmtop_at faults' -s J -l json -d 'JSON, sizes in bytes (--format json)'
complete -c vmtop -n '__vmtop_at faults' -l ndjson -d 'one JSON object a line (--format ndjson)'
complete -c vmtop -n '__vmtop_at faults' -l csv -d 'the first table as CSV (--format csv)'
complete -c vmtop -n '__vmtop_at faults' -l format -x -a 'text json ndjson csv' -d 'text, json, ndjson or csv'
complete -c vmtop -n '__vmtop_at faults' -l raw -d 'columns with one blank between'
complete -c vmtop -n '__vmtop_at faults' -l noheadings -d 'no headings'
complete -c vmtop -n '__vmtop_at faults' -s b -l bytes -d 'sizes in bytes'
complete -c vmtop -n '__vmtop_at faults' -s k -l kibi -d 'sizes in KiB'
complete -c vmtop -n '__vmtop_at faults' -s m -l mebi -d 'sizes in MiB'
complete -c vmtop -n '__vmtop_at faults' -s g -l gibi -d 'sizes in GiB'
complete -c vmtop -n '__vmtop_at faults' -l pages -d 'sizes in pages'
complete -c vmtop -n '__vmtop_at faults' -l human -d 'sizes with a unit; the default on a terminal'
complete -c vmtop -n '__vmtop_at faults' -l ascii -d 'nothing but ASCII'
complete -c vmtop -n '__vmtop_at faults' -s w -l write -r -F -d 'write to FILE, which is replaced once the output is complete'
complete -c vmtop -n '__vmtop_at faults' -l strict -d 'exit 5 when something could not be read'
complete -c vmtop -n '__vmtop_at faults' -l fail-empty -d 'exit 3 when there is no row'
complete -c vmtop -n '__vmtop_at faults' -l root -x -a '(__vmtop_dirs)' -d 'read the saved proc/ and sys/ below DIR'
complete -c vmtop -n '__vmtop_at faults' -s t -l timeout -x -d 'give up after SEC seconds (exit 124)'
complete -c vmtop -n '__vmtop_at faults' -s q -l quiet -d 'no notes on standard error'
complete -c vmtop -n '__vmtop_at faults' -s v -l verbose -d 'say what is done; more when given twice'
complete -c vmtop -n '__vmtop_at faults' -s h -l help -d 'print help and exit'
complete -c vmtop -n '__vmtop_at faults' -s V -l version -d 'print the version and exit'

# report
complete -c vmtop -n '__vmtop_at -' -a report -d 'one document with all of it: memory, processes, faults'
complete -c vmtop -n '__vmtop_at report' -s p -l pid -x -a '(__vmtop_list (__vmtop_pids))' -d 'only these processes, with PSS of each'
complete -c vmtop -n '__vmtop_at report' -l duration -x -d 'count faults for SEC seconds (default 3; 0 for not at all)'
complete -c vmtop -n '__vmtop_at report' -l only -x -a '(__vmtop_list system processes faults balance files)' -d 'only these sections'
complete -c vmtop -n '__vmtop_at report' -l top -x -d 'the first N rows'
complete -c vmtop -n '__vmtop_at report' -s J -l json -d 'JSON, sizes in bytes (--format json)'
complete -c vmtop -n '__vmtop_at report' -l ndjson -d 'one JSON object a line (--format ndjson)'
complete -c vmtop -n '__vmtop_at report' -l csv -d 'the first table as CSV (--format csv)'
complete -c vmtop -n '__vmtop_at report' -l format -x -a 'text json ndjson csv' -d 'text, json, ndjson or csv'
complete -c vmtop -n '__vmtop_at report' -l raw -d 'columns with one blank between'
complete -c vmtop -n '__vmtop_at report' -l noheadings -d 'no headings'
complete -c vmtop -n '__vmtop_at report' -s b -l bytes -d 'sizes in bytes'
complete -c vmtop -n '__vmtop_at report' -s k -l kibi -d 'sizes in KiB'
complete -c vmtop -n '__vmtop_at report' -s m -l mebi -d 'sizes in MiB'
complete -c vmtop -n '__vmtop_at report' -s g -l gibi -d 'sizes in GiB'
complete -c vmtop -n '__vmtop_at report' -l pages -d 'sizes in pages'
complete -c vmtop -n '__vmtop_at report' -l human -d 'sizes with a unit; the default on a terminal'
complete -c vmtop -n '__vmtop_at report' -l ascii -d 'nothing but ASCII'
complete -c vmtop -n '__vmtop_at report' -s w -l write -r -F -d 'write to FILE, which is replaced once the output is complete'
complete -c vmtop -n '__vmtop_at report' -l strict -d 'exit 5 when something could not be read'
complete -c vmtop -n '__vmtop_at report' -l fail-empty -d 'exit 3 when there is no row'
complete -c vmtop -n '__vmtop_at report' -l root -x -a '(__vmtop_dirs)' -d 'read the saved proc/ and sys/ below DIR'
complete -c vmtop -n '__vmtop_at report' -s t -l timeout -x -d 'give up after SEC seconds (exit 124)'
complete -c vmtop -n '__vmtop_at report' -s q -l quiet -d 'no notes on standard error'
complete -c vmtop -n '__vmtop_at report' -s v -l verbose -d 'say what is done; more when given twice'
complete -c vmtop -n '__vmtop_at report' -s h -l help -d 'print help and exit'
complete -c vmtop -n '__vmtop_at report' -s V -l version -d 'print the version and exit'

# doctor
complete -c vmtop -n '__vmtop_at -' -a doctor -d 'what this kernel, build and these rights can give, and what would change it'
complete -c vmtop -n '__vmtop_at doctor' -s o -l output -x -a '(__vmtop_list source status reads-what cost reads bytes cpu longest denied gone timeouts skipped unknown fix reason)' -d 'columns, with commas between; +LIST adds; help lists them'
complete -c vmtop -n '__vmtop_at doctor' -l output-all -d 'all columns, and their cost'
complete -c vmtop -n '__vmtop_at doctor' -s s -l sort -x -a '(__vmtop_list source status reads-what cost reads bytes cpu longest denied gone timeouts skipped unknown fix reason)' -d 'order of the rows; -COLUMN descends'
complete -c vmtop -n '__vmtop_at doctor' -s J -l json -d 'JSON, sizes in bytes (--format json)'
complete -c vmtop -n '__vmtop_at doctor' -l ndjson -d 'one JSON object a line (--format ndjson)'
complete -c vmtop -n '__vmtop_at doctor' -l csv -d 'the first table as CSV (--format csv)'
complete -c vmtop -n '__vmtop_at doctor' -l format -x -a 'text json ndjson csv' -d 'text, json, ndjson or csv'
complete -c vmtop -n '__vmtop_at doctor' -l raw -d 'columns with one blank between'
complete -c vmtop -n '__vmtop_at doctor' -l noheadings -d 'no headings'
complete -c vmtop -n '__vmtop_at doctor' -s b -l bytes -d 'sizes in bytes'
complete -c vmtop -n '__vmtop_at doctor' -s k -l kibi -d 'sizes in KiB'
complete -c vmtop -n '__vmtop_at doctor' -s m -l mebi -d 'sizes in MiB'
complete -c vmtop -n '__vmtop_at doctor' -s g -l gibi -d 'sizes in GiB'
complete -c vmtop -n '__vmtop_at doctor' -l pages -d 'sizes in pages'
complete -c vmtop -n '__vmtop_at doctor' -l human -d 'sizes with a unit; the default on a terminal'
complete -c vmtop -n '__vmtop_at doctor' -l ascii -d 'nothing but ASCII'
complete -c vmtop -n '__vmtop_at doctor' -s w -l write -r -F -d 'write to FILE, which is replaced once the output is complete'
complete -c vmtop -n '__vmtop_at doctor' -l strict -d 'exit 5 when something could not be read'
complete -c vmtop -n '__vmtop_at doctor' -l fail-empty -d 'exit 3 when there is no row'
complete -c vmtop -n '__vmtop_at doctor' -l root -x -a '(__vmtop_dirs)' -d 'read the saved proc/ and sys/ below DIR'
complete -c vmtop -n '__vmtop_at doctor' -s t -l timeout -x -d 'give up after SEC seconds (exit 124)'
complete -c vmtop -n '__vmtop_at doctor' -s q -l quiet -d 'no notes on standard error'
complete -c vmtop -n '__vmtop_at doctor' -s v -l verbose -d 'say what is done; more when given twice'
complete -c vmtop -n '__vmtop_at doctor' -s h -l help -d 'print help and exit'
complete -c vmtop -n '__vmtop_at doctor' -s V -l version -d 'print the version and exit'

# schema
complete -c vmtop -n '__vmtop_at -' -a schema -d 'JSON Schema of a command\'s document'
complete -c vmtop -n '__vmtop_at schema' -l root -x -a '(__vmtop_dirs)' -d 'read the saved proc/ and sys/ below DIR'
complete -c vmtop -n '__vmtop_at schema' -s t -l timeout -x -d 'give up after SEC seconds (exit 124)'
complete -c vmtop -n '__vmtop_at schema' -s q -l quiet -d 'no notes on standard error'
complete -c vmtop -n '__vmtop_at schema' -s v -l verbose -d 'say what is done; more when given twice'
complete -c vmtop -n '__vmtop_at schema' -s h -l help -d 'print help and exit'
complete -c vmtop -n '__vmtop_at schema' -s V -l version -d 'print the version and exit'
complete -c vmtop -n '__vmtop_at schema' -a 'free ps maps faults report doctor'

# completion
complete -c vmtop -n '__vmtop_at -' -a completion -d 'completion script of a shell'
complete -c vmtop -n '__vmtop_at completion' -l root -x -a '(__vmtop_dirs)' -d 'read the saved proc/ and sys/ below DIR'
complete -c vmtop -n '__vmtop_at completion' -s t -l timeout -x -d 'give up after SEC seconds (exit 124)'
complete -c vmtop -n '__vmtop_at completion' -s q -l quiet -d 'no notes on standard error'
complete -c vmtop -n '__vmtop_at completion' -s v -l verbose -d 'say what is done; more when given twice'
complete -c vmtop -n '__vmtop_at completion' -s h -l help -d 'print help and exit'
complete -c vmtop -n '__vmtop_at completion' -s V -l version -d 'print the version and exit'
complete -c vmtop -n '__vmtop_at completion' -a 'bash zsh fish'

# help
complete -c vmtop -n '__vmtop_at -' -a help -d 'help of vmtop or of a command'
complete -c vmtop -n '__vmtop_at help' -l root -x -a '(__vmtop_dirs)' -d 'read the saved proc/ and sys/ below DIR'
complete -c vmtop -n '__vmtop_at help' -s t -l timeout -x -d 'give up after SEC seconds (exit 124)'
complete -c vmtop -n '__vmtop_at help' -s q -l quiet -d 'no notes on standard error'
complete -c vmtop -n '__vmtop_at help' -s v -l verbose -d 'say what is done; more when given twice'
complete -c vmtop -n '__vmtop_at help' -s h -l help -d 'print help and exit'
complete -c vmtop -n '__vmtop_at help' -s V -l version -d 'print the version and exit'
complete -c vmtop -n '__vmtop_at help' -a 'free ps maps faults report doctor schema completion help'
