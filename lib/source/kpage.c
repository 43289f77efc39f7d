/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/kpage.h"

#include <errno.h>
#include <unistd.h>

#include "source/root.h"

/* Frames that nobody asked for are read along where as few lie between two that somebody did: a
 * call costs more. */
#define GAP 64u

static int read_words(struct vmt_kpage *k, uint64_t first, size_t n, size_t *ret_n)
{
	uint64_t t0 = vmt_now_ns(CLOCK_MONOTONIC), ns;
	ssize_t got;

	if (first > (uint64_t)INT64_MAX / sizeof(*k->buf) - n)
		return -ERANGE;
	do
		got = (k->pread ? k->pread : pread)(k->fd, k->buf, n * sizeof(*k->buf),
						    (off_t)(first * sizeof(*k->buf)));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	ns = vmt_now_ns(CLOCK_MONOTONIC) - t0;
	k->reads++;
	k->bytes += (uint64_t)got;
	if (ns > k->longest_ns)
		k->longest_ns = ns;
	*ret_n = (size_t)got / sizeof(*k->buf);
	return 0;
}

int vmt_kpage_read(struct vmt_kpage *k, const uint64_t *frames, size_t n, uint64_t *values,
		   bool *known)
{
	size_t i, j, end;

	for (i = 0; i < n; i = end) {
		uint64_t first = frames[i], last = first;
		size_t got;
		int r;

		end = i + 1;
		values[i] = 0;
		known[i] = false;
		if (first == VMT_NO_FRAME)
			continue;
		for (; end < n; end++) {
			if (frames[end] == VMT_NO_FRAME || frames[end] < last ||
			    frames[end] - last > GAP || frames[end] - first >= k->n_buf)
				break;
			last = frames[end];
		}
		r = read_words(k, first, (size_t)(last - first) + 1, &got);
		if (r < 0)
			return r;
		/* Frames behind the last one of the machine are in no file: unplugged meanwhile. */
		for (j = i; j < end; j++) {
			known[j] = frames[j] - first < got;
			values[j] = known[j] ? k->buf[frames[j] - first] : 0;
		}
	}
	return 0;
}

void vmt_kpage_flags_text(struct vmt_buf *out, uint64_t flags)
{
	/* From 32 on they are for people who work on the kernel (fs/proc/page.c). */
	static const char *const names[] = {
		[0] = "LOCKED",		[1] = "ERROR",		[2] = "REFERENCED",
		[3] = "UPTODATE",	[4] = "DIRTY",		[5] = "LRU",
		[6] = "ACTIVE",		[7] = "SLAB",		[8] = "WRITEBACK",
		[9] = "RECLAIM",	[10] = "BUDDY",		[11] = "MMAP",
		[12] = "ANON",		[13] = "SWAPCACHE",	[14] = "SWAPBACKED",
		[15] = "COMPOUND_HEAD", [16] = "COMPOUND_TAIL", [17] = "HUGE",
		[18] = "UNEVICTABLE",	[19] = "HWPOISON",	[20] = "NOPAGE",
		[21] = "KSM",		[22] = "THP",		[23] = "OFFLINE",
		[24] = "ZERO_PAGE",	[25] = "IDLE",		[26] = "PGTABLE",
		[32] = "RESERVED",	[33] = "MLOCKED",	[34] = "OWNER_2",
		[35] = "PRIVATE",	[36] = "PRIVATE_2",	[37] = "OWNER_PRIVATE",
		[38] = "ARCH",		[39] = "UNCACHED",	[40] = "SOFTDIRTY",
		[41] = "ARCH_2",	[42] = "ARCH_3",
	};
	bool any = false;
	unsigned i;

	for (i = 0; i < 64; i++) {
		if (!(flags >> i & 1))
			continue;
		if (any)
			vmt_buf_addc(out, ',');
		any = true;
		if (i < VMT_ARRAY_LEN(names) && names[i])
			vmt_buf_adds(out, names[i]);
		else
			vmt_buf_addf(out, "bit%u", i);
	}
	if (!any)
		vmt_buf_addc(out, '-');
}
