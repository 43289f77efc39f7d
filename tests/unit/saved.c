/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "saved.h"

struct vmt_collector *collector(const char *root)
{
	const struct vmt_collect_opts opts = { .root = root };
	struct vmt_collector *c = NULL;

	assert_int_equal(vmt_collector_new(&opts, &c, NULL), 0);
	return c;
}

struct vmt_sample *collect(struct vmt_collector *c, uint64_t sources, uint64_t pid)
{
	struct vmt_sample *s = NULL;

	assert_int_equal(vmt_collect(c, sources, pid ? &pid : NULL, pid ? 1 : 0, &s, NULL), 0);
	return s;
}

void save(struct unit_dir *d)
{
	unit_dir_make(d);
	unit_dir_write(d, "vmtop-fixture",
		       "page_size 4096\nuser_hz 100\nrelease 6.1.0-13-amd64\nmachine x86_64\n"
		       "realtime_ns 1700000000000000000\nmonotonic_ns 11\nboottime_ns 12\n"
		       "cpus 2\neuid 0\n");
	unit_dir_write(d, "proc/meminfo", "MemTotal: 1000 kB\nMemFree: 10 kB\nNew: 1 kB\n");
	unit_dir_write(d, "proc/vmstat", "pgfault 77\n");
	unit_dir_write(d, "etc/passwd", "alice:x:1000:1000::/:\n");
	unit_dir_write(d, "proc/42/stat",
		       "42 (a b) S 1 42 42 0 -1 0 5 0 6 0 0 0 0 0 20 0 1 0 300 0 0\n");
	unit_dir_write(d, "proc/42/statm", "3 1 0 0 0 0 0\n");
	unit_dir_write(
		d, "proc/42/status",
		"Name:\ta b\nUid:\t1000\t1000\t1000\t1000\nVmSize:\t 12 kB\nVmRSS:\t 4 kB\nRssAnon:\t 4 kB\n");
	unit_dir_write(
		d, "proc/42/maps",
		"1000-2000 r--p 00000000 fe:00 7 /bin/x\n2000-4000 rw-p 00000000 00:00 0 \n");
	unit_dir_write(d, "proc/42/smaps",
		       "1000-2000 r--p 00000000 fe:00 7 /bin/x\nRss: 4 kB\n"
		       "2000-4000 rw-p 00000000 00:00 0 \nRss: 0 kB\n");
	unit_dir_write(d, "proc/2/stat",
		       "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0\n");
	unit_dir_write(d, "proc/2/statm", "0 0 0 0 0 0 0\n");
	unit_dir_write(d, "proc/2/status", "Name:\tkthreadd\nUid:\t0\t0\t0\t0\n");
	unit_dir_write(d, "proc/50/stat",
		       "50 (z) Z 42 50 50 0 -1 0 1 0 0 0 0 0 0 0 20 0 1 0 400 0 0\n");
	unit_dir_write(d, "proc/50/statm", "0 0 0 0 0 0 0\n");
	unit_dir_write(d, "proc/50/status", "Name:\tz\nUid:\t7\t7\t7\t7\n");
	unit_dir_write(d, "proc/60/comm", "ending\n");
}
