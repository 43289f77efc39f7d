#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vmtop cache on a kernel that the machine at hand does not have: which programs load and what they
# say, against files of which it is known what is cached. cache.py asks more, on the machine itself.
#
# cache-guest.sh VMTOP DIR

vmtop=$1
dir=$2/cache-guest
mkdir -p "$dir/deep/down" "$dir/shm" || exit 1

# say CASE PROBLEM
say() {
	if [ -z "$2" ]; then echo "ok cache/$1"; else echo "not ok cache/$1 - $2"; fi
}

# the cell of a column, of the row of a file
cell() {
	"$vmtop" cache "$@" --csv --noheadings 2>>"$dir/err"
}

page=4096
dd if=/dev/urandom of="$dir/deep/down/closed" bs=$page count=300 2>/dev/null
dd if=/dev/urandom of="$dir/open" bs=$page count=64 2>/dev/null
mount -t tmpfs none "$dir/shm" && dd if=/dev/zero of="$dir/shm/memory" bs=$page count=50 2>/dev/null
sync
exec 7<"$dir/open"

# Bytes of a file: 300 pages that were just written are cached.
said=$(cell "$dir/deep/down/closed" -o cached -b)
[ "$said" = $((300 * page)) ] && said=
say named "$said"

"$vmtop" cache --all --csv --output-all >"$dir/all.csv" 2>"$dir/all.err" ||
	cat "$dir/all.err" "$dir/err"
for name in deep/down/closed:300 open:64 shm/memory:50; do
	file=$dir/${name%:*} pages=${name#*:}
	said=$(awk -F, -v file="$file" '$NF == file { print $1 }' "$dir/all.csv")
	[ "$said" = $((pages * page)) ] && said= || said="'$said', not $((pages * page)): $(cat "$dir/all.err")"
	say "all-$(basename "${name%:*}")" "$said"
done

# At least 95 of 100 bytes of Cached, and no more than what came since.
said=$("$vmtop" cache --all --top 1 -k 2>&1 | sed -n 's/.* of Cached (\([0-9]*\)\..*/\1/p')
[ "${said:-0}" -ge 95 ] && [ "$said" -le 110 ] && said= || said="$said percent are explained"
say explained "$said"

said=$(cell --open -o file -F "file = '$dir/open'")
[ "$said" = "$dir/open" ] && said= || said="'$said': $(tail -n 2 "$dir/err")"
say opened "$said"

# The mapping of a program, which this shell is one of: on 5.10 the kernel has no such list.
said=$(cell --mapped -o mapped-by --top 1)
case $said in
[1-9]*) echo "ok cache/mapped" ;;
*)
	if grep -q 'Linux 5.12' "$dir/err"; then
		echo "skip cache/mapped - this kernel has no list of all mappings"
	else
		say mapped "'$said': $(tail -n 2 "$dir/err")"
	fi
	;;
esac

exec 7<&-
umount "$dir/shm"
rm -rf "$dir"
