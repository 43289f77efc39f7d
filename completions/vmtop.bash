# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for vmtop                                  -*- shell-script -*-
#
# Made by 'vmtop completion bash' from the tables of the program.

# Each of these offers what fits to $cur.
_vmtop_words()
{
	local word
	for word in $1; do
		[[ $word == "$cur"* ]] && COMPREPLY+=("$word")
	done
}

# Words with commas between; + before the first adds columns, - turns an order round.
_vmtop_list()
{
	local word head= last=${cur##*,}
	head=${cur%"$last"}
	[[ $last == [-+]* ]] && head+=${last:0:1} last=${last:1}
	for word in $1; do
		[[ $word == "${last,,}"* ]] && COMPREPLY+=("$head$word")
	done
	compopt -o nospace
}

_vmtop_pids()
{
	local path words=
	for path in /proc/[0-9]*; do
		words+=" ${path#/proc/}"
	done
	"$1" "$words"
}

_vmtop_users()
{
	"$1" "$(compgen -u)"
}

# The options of command $1, and how many operands it takes.
_vmtop_options()
{
	case $1 in
	'')
		opts='--output --output-all --sort --filter --top --json --ndjson --csv --format --raw --noheadings --bytes --kibi --mebi --gibi --pages --human --ascii --write --strict --fail-empty --root --sandbox --timeout --quiet --verbose --help --version'
		takes='-o --output -s --sort -F --filter --top --format -w --write --root -t --timeout'
		most=0
		;;
	top)
		opts='--batch --delay --count --render --check-config --screen --pid --unit --ascii --no-mouse --color --size --root --sandbox --timeout --quiet --verbose --help --version'
		takes='-d --delay -n --count --render --screen -p --pid --unit --color --size --root -t --timeout'
		most=0
		;;
	free)
		opts='--cgroup --commit --budget --force --delay --count --output --output-all --sort --filter --json --ndjson --csv --format --raw --noheadings --bytes --kibi --mebi --gibi --pages --human --ascii --write --strict --fail-empty --root --sandbox --timeout --quiet --verbose --help --version'
		takes='--cgroup --budget -d --delay -n --count -o --output -s --sort -F --filter --format -w --write --root -t --timeout'
		most=0
		;;
	zones)
		opts='--orders --types --cpus --layout --delay --count --output --output-all --sort --filter --top --json --ndjson --csv --format --raw --noheadings --bytes --kibi --mebi --gibi --pages --human --ascii --write --strict --fail-empty --root --sandbox --timeout --quiet --verbose --help --version'
		takes='-d --delay -n --count -o --output -s --sort -F --filter --top --format -w --write --root -t --timeout'
		most=0
		;;
	kernel)
		opts='--slab --vmalloc --vmstat --layout --delay --count --output --output-all --sort --filter --top --json --ndjson --csv --format --raw --noheadings --bytes --kibi --mebi --gibi --pages --human --ascii --write --strict --fail-empty --root --sandbox --timeout --quiet --verbose --help --version'
		takes='-d --delay -n --count -o --output -s --sort -F --filter --top --format -w --write --root -t --timeout'
		most=256
		;;
	cgroups)
		opts='--tree --delay --count --output --output-all --sort --filter --top --json --ndjson --csv --format --raw --noheadings --bytes --kibi --mebi --gibi --pages --human --ascii --write --strict --fail-empty --root --sandbox --timeout --quiet --verbose --help --version'
		takes='-d --delay -n --count -o --output -s --sort -F --filter --top --format -w --write --root -t --timeout'
		most=1
		;;
	ps)
		opts='--pid --user --comm --cgroup --group --tree --pss --kernel-threads --budget --force --delay --count --output --output-all --sort --filter --top --json --ndjson --csv --format --raw --noheadings --bytes --kibi --mebi --gibi --pages --human --ascii --write --strict --fail-empty --root --sandbox --timeout --quiet --verbose --help --version'
		takes='-p --pid -u --user -c --comm --cgroup --group --budget -d --delay -n --count -o --output -s --sort -F --filter --top --format -w --write --root -t --timeout'
		most=0
		;;
	maps)
		opts='--all --user --pss --forecast --group --sharers --cow --interval --huge --list-only --budget --force --output --output-all --sort --filter --top --json --ndjson --csv --format --raw --noheadings --bytes --kibi --mebi --gibi --pages --human --ascii --write --strict --fail-empty --root --sandbox --timeout --quiet --verbose --help --version'
		takes='-u --user --group --interval --budget -o --output -s --sort -F --filter --top --format -w --write --root -t --timeout'
		most=1024
		;;
	pages)
		opts='--range --vma --runs --each --map --written-since --pfn --output --output-all --sort --filter --top --json --ndjson --csv --format --raw --noheadings --bytes --kibi --mebi --gibi --pages --human --ascii --write --strict --fail-empty --root --sandbox --timeout --quiet --verbose --help --version'
		takes='--range --vma --written-since -o --output -s --sort -F --filter --top --format -w --write --root -t --timeout'
		most=1
		;;
	addr)
		opts='--pfn --no-sharers --output --output-all --sort --filter --top --json --ndjson --csv --format --raw --noheadings --bytes --kibi --mebi --gibi --pages --human --ascii --write --strict --fail-empty --root --sandbox --timeout --quiet --verbose --help --version'
		takes='-o --output -s --sort -F --filter --top --format -w --write --root -t --timeout'
		most=65
		;;
	cache)
		opts='--all --mapped --open --pid --live --group --tree --xdev --delay --count --output --output-all --sort --filter --top --json --ndjson --csv --format --raw --noheadings --bytes --kibi --mebi --gibi --pages --human --ascii --write --strict --fail-empty --root --sandbox --timeout --quiet --verbose --help --version'
		takes='-p --pid --live --group --tree -d --delay -n --count -o --output -s --sort -F --filter --top --format -w --write --root -t --timeout'
		most=4096
		;;
	faults)
		opts='--pid --duration --summary --kind --rung --overhead --balance --stacks --min-latency --stream --rate-limit --output --output-all --sort --filter --top --json --ndjson --csv --format --raw --noheadings --bytes --kibi --mebi --gibi --pages --human --ascii --write --strict --fail-empty --root --sandbox --timeout --quiet --verbose --help --version'
		takes='-p --pid --duration --summary --kind --rung --overhead --min-latency --rate-limit -o --output -s --sort -F --filter --top --format -w --write --root -t --timeout'
		most=0
		;;
	run)
		opts='--budget --summary --kind --rung --overhead --balance --stacks --output --output-all --sort --filter --top --json --ndjson --csv --format --raw --noheadings --bytes --kibi --mebi --gibi --pages --human --ascii --write --strict --fail-empty --root --sandbox --timeout --quiet --verbose --help --version'
		takes='--budget --summary --kind --rung --overhead -o --output -s --sort -F --filter --top --format -w --write --root -t --timeout'
		most=4294967295
		;;
	events)
		opts='--pid --user --only --handled --duration --summary --touched --stacks --rate-limit --output --output-all --sort --filter --top --json --ndjson --csv --format --raw --noheadings --bytes --kibi --mebi --gibi --pages --human --ascii --write --strict --fail-empty --root --sandbox --timeout --quiet --verbose --help --version'
		takes='-p --pid -u --user --only --duration --rate-limit -o --output -s --sort -F --filter --top --format -w --write --root -t --timeout'
		most=4294967295
		;;
	report)
		opts='--pid --duration --only --budget --force --top --json --ndjson --csv --format --raw --noheadings --bytes --kibi --mebi --gibi --pages --human --ascii --write --strict --fail-empty --root --sandbox --timeout --quiet --verbose --help --version'
		takes='-p --pid --duration --only --budget --top --format -w --write --root -t --timeout'
		most=0
		;;
	record)
		opts='--write --delay --count --duration --procs --maps --faults --events --rotate --keep --frame --root --sandbox --timeout --quiet --verbose --help --version'
		takes='-w --write -d --delay -n --count --duration --maps --rotate --keep --frame --root -t --timeout'
		most=0
		;;
	replay)
		opts='--read --begin --end --batch --ndjson --screen --pid --unit --ascii --no-mouse --color --size --root --sandbox --timeout --quiet --verbose --help --version'
		takes='-r --read --begin --end --screen -p --pid --unit --color --size --root -t --timeout'
		most=0
		;;
	metrics)
		opts='--textfile --groups --state --pss --budget --force --root --sandbox --timeout --quiet --verbose --help --version'
		takes='--textfile --groups --state --budget --root -t --timeout'
		most=0
		;;
	check)
		opts='--warning --critical --pid --comm --cgroup --config --interval --state --lock --textfile --perfdata --list --quiet --timeout --json --ndjson --csv --format --write --root --sandbox --verbose --help --version'
		takes='-w --warning -c --critical -p --pid --comm --cgroup --config --interval --state --lock --textfile --perfdata -t --timeout --format --write --root'
		most=128
		;;
	diff)
		opts='--pid --by --by-name --all --output --output-all --sort --filter --top --json --ndjson --csv --format --raw --noheadings --bytes --kibi --mebi --gibi --pages --human --ascii --write --strict --fail-empty --root --sandbox --timeout --quiet --verbose --help --version'
		takes='-p --pid --by -o --output -s --sort -F --filter --top --format -w --write --root -t --timeout'
		most=2
		;;
	doctor)
		opts='--verify --setcap --output --output-all --sort --filter --json --ndjson --csv --format --raw --noheadings --bytes --kibi --mebi --gibi --pages --human --ascii --write --strict --fail-empty --root --sandbox --timeout --quiet --verbose --help --version'
		takes='--setcap -o --output -s --sort -F --filter --format -w --write --root -t --timeout'
		most=1024
		;;
	schema)
		opts='--root --sandbox --timeout --quiet --verbose --help --version'
		takes='--root -t --timeout'
		most=1
		;;
	completion)
		opts='--root --sandbox --timeout --quiet --verbose --help --version'
		takes='--root -t --timeout'
		most=1
		;;
	help)
		opts='--root --sandbox --timeout --quiet --verbose --help --version'
		takes='--root -t --timeout'
		most=1
		;;
	*) return 1 ;;
	esac
}

# Offers values of option $2 of command $1; operands where $2 is empty.
_vmtop_values()
{
	case $1,$2 in
	'',--format) _vmtop_words 'text json ndjson csv' ;;
	'',-w | '',--write) compopt -o default ;;
	'',--root) compopt -o dirnames ;;
	'',) _vmtop_words 'top free zones kernel cgroups ps maps pages addr cache faults run events report record replay metrics check diff doctor schema completion help' ;;
	top,--render) _vmtop_words 'system procs vmas pages faults cache events' ;;
	top,--screen) _vmtop_words 'system procs vmas pages faults cache events' ;;
	top,-p | top,--pid) _vmtop_pids _vmtop_words ;;
	top,--unit) _vmtop_words 'auto bytes KiB MiB GiB pages' ;;
	top,--color) _vmtop_words 'auto always never' ;;
	top,--root) compopt -o dirnames ;;
	free,--cgroup) compopt -o dirnames ;;
	free,-o | free,--output) _vmtop_list 'total used free shared buff/cache available buffers cached swapcached active-file inactive-file active-anon inactive-anon unevictable mlocked anon mapped dirty writeback kreclaimable sreclaimable sunreclaim kstack pagetables percpu vmalloc hugetlb anonhuge commit-limit committed swap-total swap-free swap-used managed reserve low available-sum residual unaccounted slab secpagetables shadowstack shmemhuge filehuge zswap zswapped writebacktmp poisoned balloon gpuactive gpureclaim cmatotal cmafree unaccepted pcp zspages memmap zram zram-data pgfault pgmajfault pgfault/s pgmajfault/s oom-kills procs pswpin pswpout pgscan-kswapd pgscan-direct pgsteal-kswapd pgsteal-direct refault-anon refault-file compact-stall thp thp-fallback pgfree pswpin/s pswpout/s pgscan-kswapd/s pgscan-direct/s pgsteal-kswapd/s pgsteal-direct/s refault-anon/s refault-file/s compact-stall/s thp/s thp-fallback/s pgfree/s pgalloc pgpgin pgpgout numa-hint dirtied pgalloc/s pgpgin/s pgpgout/s numa-hint/s dirtied/s oom-kills/s minor/s pgsteal/s refault/s' ;;
	free,-s | free,--sort) _vmtop_list 'total used free shared buff/cache available buffers cached swapcached active-file inactive-file active-anon inactive-anon unevictable mlocked anon mapped dirty writeback kreclaimable sreclaimable sunreclaim kstack pagetables percpu vmalloc hugetlb anonhuge commit-limit committed swap-total swap-free swap-used managed reserve low available-sum residual unaccounted slab secpagetables shadowstack shmemhuge filehuge zswap zswapped writebacktmp poisoned balloon gpuactive gpureclaim cmatotal cmafree unaccepted pcp zspages memmap zram zram-data pgfault pgmajfault pgfault/s pgmajfault/s oom-kills procs pswpin pswpout pgscan-kswapd pgscan-direct pgsteal-kswapd pgsteal-direct refault-anon refault-file compact-stall thp thp-fallback pgfree pswpin/s pswpout/s pgscan-kswapd/s pgscan-direct/s pgsteal-kswapd/s pgsteal-direct/s refault-anon/s refault-file/s compact-stall/s thp/s thp-fallback/s pgfree/s pgalloc pgpgin pgpgout numa-hint dirtied pgalloc/s pgpgin/s pgpgout/s numa-hint/s dirtied/s oom-kills/s minor/s pgsteal/s refault/s' ;;
	free,--format) _vmtop_words 'text json ndjson csv' ;;
	free,-w | free,--write) compopt -o default ;;
	free,--root) compopt -o dirnames ;;
	zones,-o | zones,--output) _vmtop_list 'node zone start end spanned present managed free min low high promo boost cma protection protected reserve next distance free/s reached-in pcp pcp-high buddy largest free-blocks' ;;
	zones,-s | zones,--sort) _vmtop_list 'node zone start end spanned present managed free min low high promo boost cma protection protected reserve next distance free/s reached-in pcp pcp-high buddy largest free-blocks' ;;
	zones,--format) _vmtop_words 'text json ndjson csv' ;;
	zones,-w | zones,--write) compopt -o default ;;
	zones,--root) compopt -o dirnames ;;
	kernel,-o | kernel,--output) _vmtop_list 'what size delta in from note' ;;
	kernel,-s | kernel,--sort) _vmtop_list 'what size delta in from note' ;;
	kernel,--format) _vmtop_words 'text json ndjson csv' ;;
	kernel,-w | kernel,--write) compopt -o default ;;
	kernel,--root) compopt -o dirnames ;;
	kernel,) _vmtop_words 'pgfault pgmajfault pswpin pswpout pgscan_kswapd pgscan_direct compact_stall oom_kill' ;;
	cgroups,-o | cgroups,--output) _vmtop_list 'version id depth current limit available distance binds at-most t-limit t-current t-reclaimable anon file shmem kernel swap procs tightest peak reclaimable kept room min low high max soft swap-max swap-high memsw-max memsw memsw-peak kmem-max zswap-max unlimited h-limit use-hierarchy oom-group under-oom mapped dirty writeback swapcached anonhuge filehuge shmemhuge active-anon inactive-anon active-file inactive-file unevictable slab sreclaimable sunreclaim kstack pagetables sec-pagetables percpu vmalloc sock hugetlb zswap zswapped refault-anon refault-file activate-anon activate-file restore-anon restore-file nodereclaim scan steal faults majflt growth refault/s scan/s steal/s fault/s maj/s e-low e-high e-max e-oom oom-kills e-oom-group l-low l-high l-max l-oom l-oom-kills l-oom-group s-high s-max s-fail some10 some60 some300 some full10 full60 full300 full name cgroup' ;;
	cgroups,-s | cgroups,--sort) _vmtop_list 'version id depth current limit available distance binds at-most t-limit t-current t-reclaimable anon file shmem kernel swap procs tightest peak reclaimable kept room min low high max soft swap-max swap-high memsw-max memsw memsw-peak kmem-max zswap-max unlimited h-limit use-hierarchy oom-group under-oom mapped dirty writeback swapcached anonhuge filehuge shmemhuge active-anon inactive-anon active-file inactive-file unevictable slab sreclaimable sunreclaim kstack pagetables sec-pagetables percpu vmalloc sock hugetlb zswap zswapped refault-anon refault-file activate-anon activate-file restore-anon restore-file nodereclaim scan steal faults majflt growth refault/s scan/s steal/s fault/s maj/s e-low e-high e-max e-oom oom-kills e-oom-group l-low l-high l-max l-oom l-oom-kills l-oom-group s-high s-max s-fail some10 some60 some300 some full10 full60 full300 full name cgroup' ;;
	cgroups,--format) _vmtop_words 'text json ndjson csv' ;;
	cgroups,-w | cgroups,--write) compopt -o default ;;
	cgroups,--root) compopt -o dirnames ;;
	cgroups,) compopt -o dirnames ;;
	ps,-p | ps,--pid) _vmtop_pids _vmtop_list ;;
	ps,-u | ps,--user) _vmtop_users _vmtop_words ;;
	ps,--group) _vmtop_words 'user comm cgroup file' ;;
	ps,-o | ps,--output) _vmtop_list 'pid ppid nspid start uid user s class thr vsize rss anon file shmem swap peak locked pte data stack commit-est commit thp minflt majflt min/s maj/s rss-delta rss/s swap-delta maps maps-limit maps-pct maps-delta mm-of pss pss-dirty pss-anon pss-file pss-shmem uss shared-clean shared-dirty private-clean private-dirty referenced swap-pss rollup-rss rollup-anon lazyfree ksm anonhuge shmempmd filepmd shared-hugetlb private-hugetlb rollup-swap locked-pss reclaimable writeback needs-swap reclaim-slack freed freed-slack freed-swap other read quality consistent read-start read-end pss-read pss-cpu pss-behind cgroup oom oom-adj cmdline depth tree-rss command' ;;
	ps,-s | ps,--sort) _vmtop_list 'pid ppid nspid start uid user s class thr vsize rss anon file shmem swap peak locked pte data stack commit-est commit thp minflt majflt min/s maj/s rss-delta rss/s swap-delta maps maps-limit maps-pct maps-delta mm-of pss pss-dirty pss-anon pss-file pss-shmem uss shared-clean shared-dirty private-clean private-dirty referenced swap-pss rollup-rss rollup-anon lazyfree ksm anonhuge shmempmd filepmd shared-hugetlb private-hugetlb rollup-swap locked-pss reclaimable writeback needs-swap reclaim-slack freed freed-slack freed-swap other read quality consistent read-start read-end pss-read pss-cpu pss-behind cgroup oom oom-adj cmdline depth tree-rss command' ;;
	ps,--format) _vmtop_words 'text json ndjson csv' ;;
	ps,-w | ps,--write) compopt -o default ;;
	ps,--root) compopt -o dirnames ;;
	maps,-u | maps,--user) _vmtop_users _vmtop_words ;;
	maps,--group) _vmtop_words 'role kind file' ;;
	maps,-o | maps,--output) _vmtop_list 'pid address end perm offset device inode kind role deleted ipcns size kpage mmupage rss pss pss-sliced pss-dirty uss shared-clean shared-dirty private-clean private-dirty dirty referenced anon file ksm lazyfree anonhuge shmempmd filepmd shared-hugetlb private-hugetlb swap swap-pss locked reclaimable writeback needs-swap unevictable reclaim-slack freed freed-slack commit thpeligible uffd pkey vmflags other present swapped filepages exclusive softdirty cached absent minor-left minor-max major-left major-max policy nodes npage elf build-id ambiguous mapping' ;;
	maps,-s | maps,--sort) _vmtop_list 'pid address end perm offset device inode kind role deleted ipcns size kpage mmupage rss pss pss-sliced pss-dirty uss shared-clean shared-dirty private-clean private-dirty dirty referenced anon file ksm lazyfree anonhuge shmempmd filepmd shared-hugetlb private-hugetlb swap swap-pss locked reclaimable writeback needs-swap unevictable reclaim-slack freed freed-slack commit thpeligible uffd pkey vmflags other present swapped filepages exclusive softdirty cached absent minor-left minor-max major-left major-max policy nodes npage elf build-id ambiguous mapping' ;;
	maps,--format) _vmtop_words 'text json ndjson csv' ;;
	maps,-w | maps,--write) compopt -o default ;;
	maps,--root) compopt -o dirnames ;;
	maps,) _vmtop_pids _vmtop_words ;;
	pages,-o | pages,--output) _vmtop_list 'pid address end pages size offset state backing excl softdirty uffdwp huge swaptype swapoffset pfn physical mapcount flags kpageflags zone node region written perm kind mapping' ;;
	pages,-s | pages,--sort) _vmtop_list 'pid address end pages size offset state backing excl softdirty uffdwp huge swaptype swapoffset pfn physical mapcount flags kpageflags zone node region written perm kind mapping' ;;
	pages,--format) _vmtop_words 'text json ndjson csv' ;;
	pages,-w | pages,--write) compopt -o default ;;
	pages,--root) compopt -o dirnames ;;
	pages,) _vmtop_pids _vmtop_words ;;
	addr,-o | addr,--output) _vmtop_list 'pid address class explanation start end perm kind role device inode offset symbol symbol-offset symbol-size module-address state backing excl softdirty uffdwp huge swaptype swapoffset pfn physical mapcount flags kpageflags zone node region below below-distance below-mapping above above-distance above-mapping sharers sharer-pids mapping' ;;
	addr,-s | addr,--sort) _vmtop_list 'pid address class explanation start end perm kind role device inode offset symbol symbol-offset symbol-size module-address state backing excl softdirty uffdwp huge swaptype swapoffset pfn physical mapcount flags kpageflags zone node region below below-distance below-mapping above above-distance above-mapping sharers sharer-pids mapping' ;;
	addr,--format) _vmtop_words 'text json ndjson csv' ;;
	addr,-w | addr,--write) compopt -o default ;;
	addr,--root) compopt -o dirnames ;;
	addr,) _vmtop_pids _vmtop_words ;;
	cache,-p | cache,--pid) _vmtop_pids _vmtop_list ;;
	cache,--group) _vmtop_words 'dir fs' ;;
	cache,--tree) compopt -o dirnames ;;
	cache,-o | cache,--output) _vmtop_list 'cached size pct dirty writebk evicted recent mapped-by mappings open-by add/s del/s kind fs device inode deleted method read file' ;;
	cache,-s | cache,--sort) _vmtop_list 'cached size pct dirty writebk evicted recent mapped-by mappings open-by add/s del/s kind fs device inode deleted method read file' ;;
	cache,--format) _vmtop_words 'text json ndjson csv' ;;
	cache,-w | cache,--write) compopt -o default ;;
	cache,--root) compopt -o dirnames ;;
	cache,) compopt -o default ;;
	faults,-p | faults,--pid) _vmtop_pids _vmtop_list ;;
	faults,--summary) _vmtop_words 'vma proc file cgroup kind ip' ;;
	faults,--kind) _vmtop_list 'all unknown zero_fill zero_page cow_copy cow_reuse write_protect file_minor file_around file_major file_cow file_write shmem_page hugetlb thp thp_fallback swap_minor swap_major numa_hint userfault special gup retried failed_sigbus failed_sigsegv failed_oom failed_hwpoison failed_other' ;;
	faults,--rung) _vmtop_words 'auto fexit kprobe tracepoint perf proc' ;;
	faults,-o | faults,--output) _vmtop_list 'pid started owner address end size perm offset device inode kind state keys faults minor major read write exec user kernel anon file shmem gup failed retried served zero-fill zero-page cow-copy cow-reuse write-protect file-minor file-around file-major file-cow file-write shmem-page hugetlb thp thp-fallback swap-minor swap-major numa-hint userfault special unknown p50 p90 p99 max stall lock-wait lock-pct read-wait read-pct swap-wait swap-pct timed stands-for sampled histogram ip symbol cgroup command mapping' ;;
	faults,-s | faults,--sort) _vmtop_list 'pid started owner address end size perm offset device inode kind state keys faults minor major read write exec user kernel anon file shmem gup failed retried served zero-fill zero-page cow-copy cow-reuse write-protect file-minor file-around file-major file-cow file-write shmem-page hugetlb thp thp-fallback swap-minor swap-major numa-hint userfault special unknown p50 p90 p99 max stall lock-wait lock-pct read-wait read-pct swap-wait swap-pct timed stands-for sampled histogram ip symbol cgroup command mapping' ;;
	faults,--format) _vmtop_words 'text json ndjson csv folded' ;;
	faults,-w | faults,--write) compopt -o default ;;
	faults,--root) compopt -o dirnames ;;
	run,--summary) _vmtop_words 'vma proc file cgroup kind ip' ;;
	run,--kind) _vmtop_list 'all unknown zero_fill zero_page cow_copy cow_reuse write_protect file_minor file_around file_major file_cow file_write shmem_page hugetlb thp thp_fallback swap_minor swap_major numa_hint userfault special gup retried failed_sigbus failed_sigsegv failed_oom failed_hwpoison failed_other' ;;
	run,--rung) _vmtop_words 'auto fexit kprobe tracepoint perf proc' ;;
	run,-o | run,--output) _vmtop_list 'pid started owner address end size perm offset device inode kind state keys faults minor major read write exec user kernel anon file shmem gup failed retried served zero-fill zero-page cow-copy cow-reuse write-protect file-minor file-around file-major file-cow file-write shmem-page hugetlb thp thp-fallback swap-minor swap-major numa-hint userfault special unknown p50 p90 p99 max stall lock-wait lock-pct read-wait read-pct swap-wait swap-pct timed stands-for sampled histogram ip symbol cgroup command mapping' ;;
	run,-s | run,--sort) _vmtop_list 'pid started owner address end size perm offset device inode kind state keys faults minor major read write exec user kernel anon file shmem gup failed retried served zero-fill zero-page cow-copy cow-reuse write-protect file-minor file-around file-major file-cow file-write shmem-page hugetlb thp thp-fallback swap-minor swap-major numa-hint userfault special unknown p50 p90 p99 max stall lock-wait lock-pct read-wait read-pct swap-wait swap-pct timed stands-for sampled histogram ip symbol cgroup command mapping' ;;
	run,--format) _vmtop_words 'text json ndjson csv folded' ;;
	run,-w | run,--write) compopt -o default ;;
	run,--root) compopt -o dirnames ;;
	run,) compopt -o default ;;
	events,-p | events,--pid) _vmtop_pids _vmtop_list ;;
	events,--only) _vmtop_list 'map process crash pressure oom huge mmap munmap mprotect mremap brk madvise exit' ;;
	events,-o | events,--output) _vmtop_list 'pid command uid start-time ended kind event events failed bytes time mean' ;;
	events,-s | events,--sort) _vmtop_list 'pid command uid start-time ended kind event events failed bytes time mean' ;;
	events,--format) _vmtop_words 'text json ndjson csv folded' ;;
	events,-w | events,--write) compopt -o default ;;
	events,--root) compopt -o dirnames ;;
	events,) compopt -o default ;;
	report,-p | report,--pid) _vmtop_pids _vmtop_list ;;
	report,--only) _vmtop_list 'system processes events faults balance files maps flame heat' ;;
	report,--format) _vmtop_words 'text json ndjson csv html svg' ;;
	report,-w | report,--write) compopt -o default ;;
	report,--root) compopt -o dirnames ;;
	record,-w | record,--write) compopt -o default ;;
	record,--maps) _vmtop_pids _vmtop_list ;;
	record,--root) compopt -o dirnames ;;
	replay,-r | replay,--read) compopt -o default ;;
	replay,--screen) _vmtop_words 'system procs vmas pages faults cache events' ;;
	replay,-p | replay,--pid) _vmtop_pids _vmtop_words ;;
	replay,--unit) _vmtop_words 'auto bytes KiB MiB GiB pages' ;;
	replay,--color) _vmtop_words 'auto always never' ;;
	replay,--root) compopt -o dirnames ;;
	metrics,--textfile) compopt -o default ;;
	metrics,--groups) compopt -o default ;;
	metrics,--state) compopt -o default ;;
	metrics,--root) compopt -o dirnames ;;
	check,-p | check,--pid) _vmtop_pids _vmtop_list ;;
	check,--cgroup) compopt -o dirnames ;;
	check,--config) compopt -o default ;;
	check,--state) compopt -o default ;;
	check,--lock) compopt -o default ;;
	check,--textfile) compopt -o default ;;
	check,--perfdata) _vmtop_words 'yes no' ;;
	check,--format) _vmtop_words 'text json ndjson csv' ;;
	check,--write) compopt -o default ;;
	check,--root) compopt -o dirnames ;;
	check,) _vmtop_words 'available swap_used commit psi.some.avg10 psi.full.avg10 psi.some.avg60 psi.full.avg60 majflt refault direct_reclaim oom_kill thp_fallback zone.low zone.distance frag maps.count proc.rss proc.pss proc.swap proc.growth fault.p99 cgroup.available cgroup.distance source.missing' ;;
	diff,-p | diff,--pid) _vmtop_pids _vmtop_list ;;
	diff,--by) _vmtop_words 'vma role file proc' ;;
	diff,-o | diff,--output) _vmtop_list 'pid command match basis maps-before maps was was-end address end perm offset device inode kind role rss-before rss rss-delta size-before size size-delta anon-before anon anon-delta file-before file file-delta swap-before swap swap-delta pss-before pss pss-delta uss-before uss uss-delta dirty-before dirty dirty-delta mapping' ;;
	diff,-s | diff,--sort) _vmtop_list 'pid command match basis maps-before maps was was-end address end perm offset device inode kind role rss-before rss rss-delta size-before size size-delta anon-before anon anon-delta file-before file file-delta swap-before swap swap-delta pss-before pss pss-delta uss-before uss uss-delta dirty-before dirty dirty-delta mapping' ;;
	diff,--format) _vmtop_words 'text json ndjson csv html svg' ;;
	diff,-w | diff,--write) compopt -o default ;;
	diff,--root) compopt -o dirnames ;;
	diff,) compopt -o default ;;
	doctor,--setcap) _vmtop_words 'user observer pages physical' ;;
	doctor,-o | doctor,--output) _vmtop_list 'source status quality asked answered reads-what cost reads bytes cpu longest denied gone timeouts skipped unknown fix reason' ;;
	doctor,-s | doctor,--sort) _vmtop_list 'source status quality asked answered reads-what cost reads bytes cpu longest denied gone timeouts skipped unknown fix reason' ;;
	doctor,--format) _vmtop_words 'text json ndjson csv' ;;
	doctor,-w | doctor,--write) compopt -o default ;;
	doctor,--root) compopt -o dirnames ;;
	doctor,) _vmtop_pids _vmtop_words ;;
	schema,--root) compopt -o dirnames ;;
	schema,) _vmtop_words 'free zones kernel cgroups ps maps pages addr cache faults run events report check diff doctor recording' ;;
	completion,--root) compopt -o dirnames ;;
	completion,) _vmtop_words 'bash zsh fish' ;;
	help,--root) compopt -o dirnames ;;
	help,) _vmtop_words 'top free zones kernel cgroups ps maps pages addr cache faults run events report record replay metrics check diff doctor schema completion help' ;;
	esac
}

_vmtop()
{
	local cur=${COMP_WORDS[COMP_CWORD]} cmd= opt= opts= takes= most=0
	local word i=1 operands=0 only_operands= before= IFS=$' \t\n'
	COMPREPLY=()
	_vmtop_options ''
	while ((i < COMP_CWORD)); do
		word=${COMP_WORDS[i++]}
		if [[ -n $only_operands || $word != -?* ]]; then
			if [[ -z $cmd ]]; then
				cmd=$word
				_vmtop_options "$cmd" || return 0
			else
				((operands++))
			fi
		elif [[ $word == -- ]]; then
			only_operands=1
		elif [[ " $takes " == *" $word "* ]]; then
			# readline may have made a word of the = behind it
			[[ ${COMP_WORDS[i]} == = ]] && ((i++))
			((i >= COMP_CWORD)) && opt=$word
			((i++))
		fi
	done
	if [[ -n $opt ]]; then
		[[ $cur == = ]] && cur=
	elif [[ -z $only_operands && $cur == --*=* ]]; then
		opt=${cur%%=*} before=${cur%%=*}= cur=${cur#*=}
		[[ " $takes " == *" $opt "* ]] || return 0
	fi
	if [[ -n $opt ]]; then
		_vmtop_values "$cmd" "$opt"
	elif [[ -z $only_operands && $cur == -* ]]; then
		_vmtop_words "$opts"
	elif [[ -z $cmd ]]; then
		_vmtop_values '' ''
	elif ((operands < most)); then
		_vmtop_values "$cmd" ''
	fi
	[[ -n $before ]] && COMPREPLY=("${COMPREPLY[@]/#/$before}")
	return 0
}

complete -F _vmtop vmtop
