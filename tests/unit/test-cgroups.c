/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "model/cgroup.h"
#include "saved.h"
#include "source/collect-cgroups.h"

#define MIB UINT64_C(1048576)
#define TOP "sys/fs/cgroup"

/* A saved machine of 1 GiB, half of it available. */
static void machine(struct unit_dir *d, const char *mounts)
{
	unit_dir_make(d);
	unit_dir_write(d, "vmtop-fixture", "page_size 4096\nuser_hz 100\n");
	unit_dir_write(d, "proc/meminfo",
		       "MemTotal: 1048576 kB\nMemFree: 262144 kB\nMemAvailable: 524288 kB\n");
	unit_dir_write(d, "proc/self/mountinfo", mounts);
}

static const char v2[] = "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";
static const char v1[] = "29 1 0:25 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
			 "30 1 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
			 "31 1 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n";

static void put(const struct unit_dir *d, const char *cgroup, const char *file, const char *text)
{
	char path[400];

	snprintf(path, sizeof(path), TOP "%s/%s", cgroup, file);
	unit_dir_write(d, path, text);
}

static void put_number(const struct unit_dir *d, const char *cgroup, const char *file, uint64_t v)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 "\n", v);
	if (v == UINT64_MAX)
		strcpy(text, "max\n");
	put(d, cgroup, file, text);
}

/* A cgroup of version 2, in MiB. */
static void cgroup(const struct unit_dir *d, const char *path, uint64_t current, uint64_t file,
		   uint64_t high, uint64_t max, uint64_t min)
{
	char stat[200];

	snprintf(stat, sizeof(stat),
		 "anon 0\ninactive_file %" PRIu64 "\nactive_file 0\nslab_reclaimable 0\n",
		 file * MIB);
	put(d, path, "memory.stat", stat);
	put_number(d, path, "memory.current", current * MIB);
	put_number(d, path, "memory.high", high ? high * MIB : UINT64_MAX);
	put_number(d, path, "memory.max", max ? max * MIB : UINT64_MAX);
	put_number(d, path, "memory.min", min * MIB);
	put(d, path, "cgroup.procs", "7\n8\n");
}

struct looked {
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct vmt_model *m;
	int r;
	struct vmt_err err;
};

/* Of the levels of each cgroup the one that decides is marked, it leaves least, and it is what the
 * cgroup has; its parts sum up to what is charged to it. */
static void assert_sums(struct vmt_model *m)
{
	struct vmt_cgroup_part parts[VMT_CGROUP_PART_COUNT];
	struct vmt_cgroup_level *levels;
	size_t i, k, n, binds;
	int64_t sum;

	for (i = 0; i < m->n_cgroups; i++) {
		const struct vmt_cgroup *c = &m->cgroups[i];

		assert_int_equal(vmt_cgroup_levels(m, i, &levels, &n), 0);
		for (k = binds = 0; k < n; k++) {
			if (VMT_HAS(cgroup_level, available_bytes, &levels[k]) &&
			    VMT_HAS(cgroup, available_bytes, c))
				assert_true(levels[k].available_bytes >= c->available_bytes);
			if (!levels[k].binds)
				continue;
			binds++;
			assert_field(cgroup_level, available_bytes, &levels[k], c->available_bytes);
			assert_true(vmt_bytes_equal(levels[k].kind, c->binds));
		}
		assert_int_equal(binds, VMT_HAS(cgroup, binds, c));
		vmt_cgroup_parts(c, parts);
		for (k = 0, sum = 0; k < VMT_CGROUP_PART_COUNT; k++)
			if (VMT_HAS(cgroup_part, size_bytes, &parts[k]))
				sum += parts[k].size_bytes;
		if (VMT_HAS(cgroup_part, size_bytes, &parts[VMT_CGROUP_UNACCOUNTED]))
			assert_int_equal(sum, c->current_bytes);
	}
}

static void look(struct looked *l, const struct unit_dir *d, const char *path, size_t most)
{
	const struct vmt_cgroup_want want = { .files = vmt_cgroup_all_files(),
					      .path = path,
					      .most = most };

	*l = (struct looked){ .c = collector(d->path) };
	l->s = collect(l->c, VMT_SOURCE_BIT(MEMINFO), 0);
	l->r = vmt_collect_cgroups(l->c, l->s, &want, &l->err);
	vmt_sample_settle(l->s);
	assert_int_equal(vmt_model_build(l->s, NULL, NULL, &l->m, NULL), 0);
	assert_sums(l->m);
}

static void done(struct looked *l, struct unit_dir *d)
{
	vmt_model_free(l->m);
	vmt_sample_free(l->s);
	vmt_collector_free(l->c);
	if (d)
		unit_dir_remove(d);
}

static const struct vmt_cgroup *find_any(const struct looked *l, const char *path)
{
	for (size_t i = 0; i < l->m->n_cgroups; i++)
		if (vmt_bytes_is(l->m->cgroups[i].path, path))
			return &l->m->cgroups[i];
	return NULL;
}

static const struct vmt_cgroup *find(const struct looked *l, const char *path)
{
	const struct vmt_cgroup *c = find_any(l, path);

	if (c)
		return c;
	fail_msg("there is no cgroup %s", path);
	abort();
}

static void assert_binds(const struct looked *l, const char *path, const char *binds,
			 const char *tightest, uint64_t available, int64_t distance)
{
	const struct vmt_cgroup *c = find(l, path);

	assert_text(cgroup, binds, c, binds);
	if (tightest)
		assert_text(cgroup, tightest, c, tightest);
	else
		assert_unknown(cgroup, tightest, c);
	assert_field(cgroup, available_bytes, c, available * MIB);
	assert_field(cgroup, distance_bytes, c, distance * (int64_t)MIB);
	assert_int_equal(c->tightest_limit_bytes - c->tightest_current_bytes, c->distance_bytes);
}

static void the_least_of_all_levels(void **state)
{
	struct unit_dir d;
	struct looked l;

	machine(&d, v2);
	put(&d, "", "memory.stat", "anon 0\ninactive_file 0\nactive_file 0\nslab_reclaimable 0\n");
	put(&d, "", "cgroup.procs", "1\n");
	cgroup(&d, "/a", 70, 10, 0, 100, 0);
	cgroup(&d, "/a/own", 20, 4, 0, 30, 0);
	cgroup(&d, "/a/above", 40, 4, 0, 90, 0);
	cgroup(&d, "/a/none", 1, 0, 0, 0, 0);
	cgroup(&d, "/a/high", 5, 0, 12, 20, 0);
	cgroup(&d, "/a/over", 30, 2, 20, 0, 0);
	cgroup(&d, "/large", 50, 8, 0, 2000, 0);
	cgroup(&d, "/free", 2, 1, 0, 0, 0);
	look(&l, &d, NULL, 0);
	assert_int_equal(l.r, 0);
	assert_int_equal(l.m->n_cgroups, 9);
	assert_int_equal(l.s->sources[VMT_SOURCE_MEMCG].state, VMT_STATE_OK);
	/* 100 - 70 + 10 */
	assert_binds(&l, "/a", "max", "/a", 40, 30);
	assert_binds(&l, "/a/own", "max", "/a/own", 14, 10);
	/* 90 - 40 + 4 is more. */
	assert_binds(&l, "/a/above", "max", "/a", 40, 30);
	assert_binds(&l, "/a/none", "max", "/a", 40, 30);
	assert_binds(&l, "/a/high", "high", "/a/high", 7, 7);
	/* Above memory.high: nothing is left, and it is 10 MiB too far. */
	assert_binds(&l, "/a/over", "high", "/a/over", 0, -10);
	/* The machine has 512, of which 256 are free. */
	assert_binds(&l, "/large", "machine", NULL, 512, 256);
	assert_binds(&l, "/free", "machine", NULL, 512, 256);
	assert_binds(&l, "/", "machine", NULL, 512, 256);
	assert_false(find(&l, "/a/own")->at_most);
	assert_field(cgroup, limit_bytes, find(&l, "/a/high"), 12 * MIB);
	assert_field(cgroup, room_bytes, find(&l, "/a/high"), 7 * MIB);
	assert_true(find(&l, "/free")->room_bytes == UINT64_MAX);
	assert_text(cgroup, unlimited, find(&l, "/free"), "high_bytes max_bytes");
	assert_text(cgroup, unlimited, find(&l, "/a/high"), "");
	assert_unknown(cgroup, current_bytes, find(&l, "/"));
	assert_field(cgroup, processes_total, find(&l, "/a"), 2);
	assert_field(cgroup, depth, find(&l, "/a/own"), 2);
	assert_text(cgroup, name, find(&l, "/a/own"), "own");
	assert_text(cgroup, name, find(&l, "/"), "/");
	done(&l, &d);
}

static void statistics_lag_behind(void **state)
{
	struct unit_dir d;
	struct looked l;

	machine(&d, v2);
	put(&d, "", "memory.stat", "anon 0\n");
	/* More page cache than is charged. */
	cgroup(&d, "/a", 5, 9, 0, 10, 0);
	look(&l, &d, NULL, 0);
	assert_binds(&l, "/a", "max", "/a", 10, 5);
	done(&l, &d);
}

static void min_of_others_is_no_room(void **state)
{
	struct unit_dir d;
	struct looked l;

	machine(&d, v2);
	put(&d, "", "memory.stat", "anon 0\n");
	cgroup(&d, "/a", 90, 60, 0, 100, 0);
	/* 20 of 40 are kept, 20 can go; all of the 5 are kept; nothing of the third is. */
	cgroup(&d, "/a/b", 40, 40, 0, 0, 20);
	cgroup(&d, "/a/c", 5, 5, 0, 0, 50);
	cgroup(&d, "/a/d", 30, 15, 0, 0, 0);
	look(&l, &d, NULL, 0);
	assert_field(cgroup, reclaimable_bytes, find(&l, "/a"), 35 * MIB);
	assert_field(cgroup, kept_bytes, find(&l, "/a"), 25 * MIB);
	assert_binds(&l, "/a/d", "max", "/a", 45, 10);
	/* Its own reclaim does not stop at its own memory.min. */
	assert_field(cgroup, reclaimable_bytes, find(&l, "/a/b"), 40 * MIB);
	assert_field(cgroup, kept_bytes, find(&l, "/a/b"), 0);
	done(&l, &d);
}

static void min_is_shared_out(void **state)
{
	struct unit_dir d;
	struct looked l;

	machine(&d, v2);
	put(&d, "", "memory.stat", "anon 0\n");
	cgroup(&d, "/a", 80, 80, 0, 100, 0);
	/* What b keeps is 10; its children ask for 20 and 20 of it, and are left 5 each. */
	cgroup(&d, "/a/b", 60, 60, 0, 0, 10);
	cgroup(&d, "/a/b/x", 30, 30, 0, 0, 20);
	cgroup(&d, "/a/b/y", 30, 30, 0, 0, 20);
	look(&l, &d, NULL, 0);
	/* 25 and 25 of these two, which is what b can give; 20 of its own. */
	assert_field(cgroup, reclaimable_bytes, find(&l, "/a"), 70 * MIB);
	/* Reclaim for b itself: its children keep 20 each. */
	assert_field(cgroup, reclaimable_bytes, find(&l, "/a/b"), 20 * MIB);
	done(&l, &d);
}

static void min_reaches_down(void **state)
{
	static const char mounts[] =
		"30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,memory_recursiveprot\n";
	const struct {
		const char *mounts;
		uint64_t reclaimable;
	} cases[] = {
		/* Without a share of its own, the child keeps nothing; the parent's own pages
		 * alone are protected, and it has none. */
		{ v2, 30 },
		{ mounts, 20 },
	};

	for (size_t i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct unit_dir d;
		struct looked l;

		machine(&d, cases[i].mounts);
		put(&d, "", "memory.stat", "anon 0\n");
		cgroup(&d, "/a", 40, 30, 0, 100, 0);
		cgroup(&d, "/a/b", 40, 30, 0, 0, 20);
		cgroup(&d, "/a/b/x", 40, 30, 0, 0, 0);
		look(&l, &d, NULL, 0);
		assert_int_equal(l.s->cgroup_facts.recursive, i == 1);
		assert_field(cgroup, reclaimable_bytes, find(&l, "/a"), cases[i].reclaimable * MIB);
		done(&l, &d);
	}
}

static void what_is_not_known(void **state)
{
	struct unit_dir d;
	struct looked l;

	machine(&d, v2);
	put(&d, "", "memory.stat", "anon 0\n");
	cgroup(&d, "/a", 10, 1, 0, 20, 0);
	cgroup(&d, "/a/b", 5, 1, 0, 8, 0);
	/* Malformed, too much, and without the memory controller. */
	put(&d, "/a/b", "memory.max", "many\n");
	cgroup(&d, "/c", 5, 1, 0, 8, 0);
	put(&d, "/c", "memory.stat", "anon x\n");
	put(&d, "/plain", "cgroup.procs", "3\n");
	put(&d, "/c", "memory.high", "few\n");
	look(&l, &d, NULL, 0);
	assert_int_equal(l.r, 0);
	/* The limit of the parent is known, that of b is not. */
	assert_binds(&l, "/a/b", "max", "/a", 11, 10);
	assert_true(find(&l, "/a/b")->at_most && find(&l, "/c")->at_most);
	assert_unknown(cgroup, limit_bytes, find(&l, "/a/b"));
	assert_unknown(cgroup, limit_bytes, find(&l, "/c"));
	assert_text(cgroup, binds, find(&l, "/c"), "machine");
	assert_unknown(cgroup, reclaimable_bytes, find(&l, "/c"));
	assert_false(find(&l, "/plain")->at_most);
	assert_unknown(cgroup, current_bytes, find(&l, "/plain"));
	assert_unknown(cgroup, unlimited, find(&l, "/plain"));
	assert_int_equal(l.s->n_issues, 2);
	assert_text(issue, hint, &l.s->issues[1],
		    "/a/b memory.max, line 1: memory.max: this is not what the kernel writes");
	assert_int_equal(l.s->sources[VMT_SOURCE_MEMCG].state, VMT_STATE_PARTIAL);
	done(&l, &d);
}

static void without_the_machine(void **state)
{
	struct unit_dir d;
	struct looked l;

	machine(&d, v2);
	unit_dir_write(&d, "proc/meminfo", "MemTotal: 1048576 kB\nMemFree: 262144 kB\n");
	put(&d, "", "memory.stat", "anon 0\n");
	cgroup(&d, "/a", 10, 1, 0, 20, 0);
	look(&l, &d, NULL, 0);
	assert_binds(&l, "/a", "max", "/a", 11, 10);
	assert_true(find(&l, "/a")->at_most);
	assert_unknown(cgroup, available_bytes, find(&l, "/"));
	assert_unknown(cgroup, binds, find(&l, "/"));
	done(&l, &d);
}

static void a_namespace(void **state)
{
	struct unit_dir d;
	struct looked l;
	size_t i, found = 0;

	machine(&d, v2);
	/* The first directory is a cgroup like any other. */
	cgroup(&d, "", 10, 1, 0, 20, 0);
	cgroup(&d, "/b", 5, 1, 0, 0, 0);
	look(&l, &d, NULL, 0);
	assert_true(l.s->cgroup_facts.above_hidden);
	assert_binds(&l, "/", "max", "/", 11, 10);
	assert_true(find(&l, "/b")->at_most);
	for (i = 0; i < l.m->n_findings; i++)
		found += vmt_bytes_is(l.m->findings[i].id, "cgroups_above") ? 1 : 0;
	assert_int_equal(found, 1);
	done(&l, &d);
}

/* A cgroup of version 1, in MiB. */
static void cgroup_1(const struct unit_dir *d, const char *path, uint64_t usage, uint64_t file,
		     uint64_t limit, uint64_t least)
{
	char name[300], stat[200];

	snprintf(name, sizeof(name), "/memory%s", path);
	snprintf(stat, sizeof(stat),
		 "cache 0\nhierarchical_memory_limit %" PRIu64 "\ntotal_cache %" PRIu64
		 "\ntotal_inactive_file %" PRIu64 "\ntotal_active_file 0\n",
		 least ? least * MIB : UINT64_C(9223372036854771712), file * MIB, file * MIB);
	put(d, name, "memory.stat", stat);
	put_number(d, name, "memory.usage_in_bytes", usage * MIB);
	put_number(d, name, "memory.limit_in_bytes",
		   limit ? limit * MIB : UINT64_C(9223372036854771712));
	put_number(d, name, "memory.max_usage_in_bytes", usage * MIB);
}

static void version_1(void **state)
{
	struct unit_dir d;
	struct looked l;

	machine(&d, v1);
	put(&d, "/unified", "cgroup.controllers", "hugetlb\n");
	cgroup_1(&d, "", 700, 100, 0, 0);
	cgroup_1(&d, "/a", 70, 10, 100, 100);
	cgroup_1(&d, "/a/b", 20, 4, 30, 30);
	cgroup_1(&d, "/a/c", 20, 4, 0, 100);
	put_number(&d, "/memory/a/b", "memory.memsw.limit_in_bytes", 31 * MIB);
	put_number(&d, "/memory/a/b", "memory.memsw.usage_in_bytes", 29 * MIB);
	look(&l, &d, "/sys/fs/cgroup/memory/a/", 0);
	assert_int_equal(l.r, 0);
	/* The one above comes with it. */
	assert_int_equal(l.m->n_cgroups, 4);
	assert_int_equal(l.s->cgroup_facts.first, 1);
	assert_text(cgroup, version, find(&l, "/a"), "v1");
	assert_binds(&l, "/a", "limit", "/a", 40, 30);
	assert_binds(&l, "/a/b", "memsw", "/a/b", 6, 2);
	assert_binds(&l, "/a/c", "limit", "/a", 40, 30);
	assert_unknown(cgroup, peak_bytes, find(&l, "/"));
	assert_field(cgroup, peak_bytes, find(&l, "/a"), 70 * MIB);
	assert_false(find(&l, "/a/c")->at_most);
	done(&l, NULL);
	/* Before 5.11 those below may be charged to themselves alone. */
	put(&d, "/memory/a", "memory.use_hierarchy", "0\n");
	look(&l, &d, NULL, 0);
	assert_binds(&l, "/a/c", "machine", NULL, 512, 256);
	assert_binds(&l, "/a", "limit", "/a", 40, 30);
	done(&l, &d);
}

static void a_part_of_version_1(void **state)
{
	static const char part[] =
		"30 1 0:26 /docker/0 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
	struct unit_dir d;
	struct looked l;

	machine(&d, part);
	/* Somewhere above there is a limit of 25. */
	cgroup_1(&d, "", 20, 10, 100, 25);
	cgroup_1(&d, "/b", 5, 1, 40, 25);
	look(&l, &d, NULL, 0);
	assert_true(l.s->cgroup_facts.above_hidden);
	assert_binds(&l, "/", "above", NULL, 15, 5);
	assert_binds(&l, "/b", "above", NULL, 15, 5);
	assert_true(find(&l, "/b")->at_most);
	done(&l, &d);
}

static void assert_part(const struct vmt_cgroup *c, enum vmt_cgroup_part_id id, int64_t size)
{
	struct vmt_cgroup_part rows[VMT_CGROUP_PART_COUNT];

	vmt_cgroup_parts(c, rows);
	assert_field(cgroup_part, size_bytes, &rows[id], size);
}

static void assert_no_part(const struct vmt_cgroup *c, enum vmt_cgroup_part_id id)
{
	struct vmt_cgroup_part rows[VMT_CGROUP_PART_COUNT];

	vmt_cgroup_parts(c, rows);
	assert_unknown(cgroup_part, size_bytes, &rows[id]);
}

static void parts(void **state)
{
	struct unit_dir d;
	struct looked l;

	machine(&d, v2);
	put(&d, "", "memory.stat", "anon 5\n");
	cgroup(&d, "/a", 1, 0, 0, 0, 0);
	put_number(&d, "/a", "memory.current", 1000000);
	/* Of 5000 pages of swap cache on the lists, 2000 are of anonymous memory as well. */
	put(&d, "/a", "memory.stat",
	    "anon 300000\nfile 400000\nkernel 90000\nkernel_stack 10000\npagetables 20000\n"
	    "percpu 1000\nsock 700\nvmalloc 300\nshmem 100000\nfile_dirty 40000\n"
	    "file_writeback 2000\nswapcached 5000\ninactive_anon 303000\nactive_anon 0\n"
	    "inactive_file 200000\nactive_file 200000\nunevictable 0\nslab_reclaimable 30000\n"
	    "slab_unreclaimable 8000\n");
	/* More shmem than pages, figures that wrap, and one that is missing. */
	cgroup(&d, "/b", 1, 0, 0, 0, 0);
	put(&d, "/b", "memory.stat",
	    "anon 18446744073709551615\nfile 4096\nshmem 8192\nfile_dirty 0\nfile_writeback 0\n");
	look(&l, &d, NULL, 0);
	assert_part(find(&l, "/a"), VMT_CGROUP_ANON, 300000);
	assert_part(find(&l, "/a"), VMT_CGROUP_SHMEM, 100000);
	assert_part(find(&l, "/a"), VMT_CGROUP_CLEAN, 400000 - 100000 - 42000);
	assert_part(find(&l, "/a"), VMT_CGROUP_DIRTY, 40000);
	assert_part(find(&l, "/a"), VMT_CGROUP_WRITEBACK, 2000);
	assert_part(find(&l, "/a"), VMT_CGROUP_SWAP_CACHE, 3000);
	assert_part(find(&l, "/a"), VMT_CGROUP_KERNEL, 90000 - 69300);
	assert_part(find(&l, "/a"), VMT_CGROUP_SOCK, 700);
	assert_part(find(&l, "/a"), VMT_CGROUP_UNACCOUNTED, 1000000 - 300000 - 403000 - 90700);
	assert_no_part(find(&l, "/a"), VMT_CGROUP_ZSWAP);
	assert_no_part(find(&l, "/b"), VMT_CGROUP_ANON);
	assert_no_part(find(&l, "/b"), VMT_CGROUP_SHMEM);
	assert_no_part(find(&l, "/b"), VMT_CGROUP_UNACCOUNTED);
	assert_no_part(find(&l, "/"), VMT_CGROUP_UNACCOUNTED);
	done(&l, &d);
}

static void what_is_not_there(void **state)
{
	struct unit_dir d;
	struct looked l;

	machine(&d, v2);
	put(&d, "", "memory.stat", "anon 0\n");
	cgroup(&d, "/a", 10, 1, 0, 20, 0);
	look(&l, &d, "/a/b", 0);
	assert_int_equal(l.r, -ENOENT);
	done(&l, NULL);
	look(&l, &d, "/a/../a", 0);
	assert_int_equal(l.r, -EINVAL);
	done(&l, NULL);
	/* A file is no cgroup. */
	look(&l, &d, "/a/memory.max", 0);
	assert_int_equal(l.r, -ENOENT);
	done(&l, NULL);
	/* Nothing is mounted: said, and no failure. */
	unit_dir_write(&d, "proc/self/mountinfo", "30 1 0:26 / /proc rw - proc proc rw\n");
	look(&l, &d, NULL, 0);
	assert_int_equal(l.r, 0);
	assert_int_equal(l.s->n_cgroups, 0);
	assert_int_equal(l.s->sources[VMT_SOURCE_MEMCG].state, VMT_STATE_ABSENT);
	done(&l, &d);
}

static void links_are_not_followed(void **state)
{
	struct unit_dir d;
	struct looked l;
	char path[200];

	machine(&d, v2);
	put(&d, "", "memory.stat", "anon 0\n");
	cgroup(&d, "/a", 10, 1, 0, 20, 0);
	snprintf(path, sizeof(path), "%s/" TOP "/a/loop", d.path);
	assert_int_equal(symlink("..", path), 0);
	look(&l, &d, NULL, 0);
	assert_int_equal(l.m->n_cgroups, 2);
	done(&l, NULL);
	look(&l, &d, "/a/loop", 0);
	assert_int_equal(l.r, -ENOENT);
	done(&l, &d);
}

static void deep_and_many(void **state)
{
	const struct vmt_cgroup_want want = { .files = vmt_cgroup_all_files() };
	struct vmt_sample *late;
	struct unit_dir d;
	struct looked l;
	char path[400] = "", name[16];
	unsigned i;

	machine(&d, v2);
	put(&d, "", "memory.stat", "anon 0\n");
	for (i = 0; i < 60; i++) {
		strcat(path, "/d");
		cgroup(&d, path, 10, 1, 0, 20, 0);
	}
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "/n%02u", i);
		cgroup(&d, name, 10, 1, 0, 20, 0);
	}
	look(&l, &d, NULL, 0);
	assert_int_equal(l.m->n_cgroups, 101);
	assert_field(cgroup, depth, find(&l, path), 60);
	done(&l, NULL);
	/* No more than that: said, and the upper levels first. */
	look(&l, &d, NULL, 50);
	assert_int_equal(l.m->n_cgroups, 50);
	assert_int_equal(l.s->sources[VMT_SOURCE_MEMCG].state, VMT_STATE_PARTIAL);
	assert_non_null(find_any(&l, "/n39"));
	assert_null(find_any(&l, path));
	assert_int_equal(l.s->cgroup_facts.left_out, 1);
	/* Behind the deadline nobody knows what is below these. */
	late = collect(l.c, VMT_SOURCE_BIT(MEMINFO), 0);
	vmt_collector_set_deadline(l.c, 1);
	assert_int_equal(vmt_collect_cgroups(l.c, late, &want, NULL), 0);
	assert_int_equal(late->n_cgroups, 1);
	assert_int_equal(late->cgroup_facts.unlisted, 41);
	vmt_sample_free(late);
	done(&l, &d);
}

static void b13_hostile_names(void **state)
{
	struct unit_dir d;
	struct looked l;

	machine(&d, v2);
	put(&d, "", "memory.stat", "anon 0\n");
	cgroup(&d, "/a b", 10, 1, 0, 20, 0);
	cgroup(&d, "/\x1b[31m\xff", 10, 1, 0, 20, 0);
	cgroup(&d, "/-rf", 10, 1, 0, 20, 0);
	put(&d, "/\x1b[31m\xff", "memory.max", "\x1b\n");
	look(&l, &d, NULL, 0);
	assert_int_equal(l.m->n_cgroups, 4);
	assert_non_null(find_any(&l, "/\x1b[31m\xff"));
	/* As text it is safe. */
	assert_non_null(strstr(l.s->issues[0].hint.ptr, "\\x1b[31m\\xff"));
	done(&l, &d);
}

struct removal {
	struct unit_dir d;
	unsigned looks;
	unsigned at;
};

static void remove_it(void *arg)
{
	struct removal *r = arg;
	char path[200];

	if (++r->looks != r->at)
		return;
	snprintf(path, sizeof(path), "rm -r %s/" TOP "/z", r->d.path);
	assert_int_equal(system(path), 0);
}

static void removed_at(const char *file, unsigned at)
{
	struct removal r = { .at = at };
	struct looked l;

	machine(&r.d, v2);
	put(&r.d, "", "memory.stat", "anon 0\n");
	cgroup(&r.d, "/a", 10, 1, 0, 20, 0);
	cgroup(&r.d, "/z", 10, 1, 0, 20, 0);
	unit_on_open(file, remove_it, &r);
	look(&l, &r.d, NULL, 0);
	unit_on_open(NULL, NULL, NULL);
	assert_int_equal(l.r, 0);
	assert_int_equal(l.s->n_issues, 0);
	assert_null(find_any(&l, "/z"));
	assert_non_null(find_any(&l, "/a"));
	assert_int_equal(l.s->sources[VMT_SOURCE_MEMCG].gone, 1);
	done(&l, &r.d);
}

static void removed_meanwhile(void **state)
{
	/* Between the list and the look: while the one before it is looked at. */
	removed_at("memory.peak", 2);
	/* While it is open, before the first of its files is. */
	removed_at("memory.stat", 3);
}

static void trees(void **state)
{
	static const char *const in[] = { "/b", "/a/x/y", "/a", "/", "/a/x2", "/b/c/d", "/ab" };
	static const char *const out[] = { "/", "/b", "/b/c/d", "/a", "/a/x/y", "/a/x2", "/ab" };
	static const size_t above[] = { SIZE_MAX, 0, 1, 0, 3, 3, 0 };
	struct vmt_cgroup rows[VMT_ARRAY_LEN(in)] = { 0 };
	const void *order[VMT_ARRAY_LEN(in)];
	VMT_AUTO_FREE size_t *parents = NULL;

	for (size_t i = 0; i < VMT_ARRAY_LEN(in); i++) {
		VMT_SET(cgroup, path, &rows[i], vmt_bytes_of(in[i]));
		order[i] = &rows[i];
	}
	assert_int_equal(vmt_cgroup_tree(order, VMT_ARRAY_LEN(in), &parents), 0);
	for (size_t i = 0; i < VMT_ARRAY_LEN(in); i++) {
		assert_bytes(((const struct vmt_cgroup *)order[i])->path, out[i]);
		assert_int_equal(parents[i], above[i]);
	}
}

static void rates(void **state)
{
	struct vmt_cgroup before = { 0 }, now[2] = { 0 };
	struct vmt_cgroup_link links[2] = { { .parent = SIZE_MAX }, { .parent = 0 } };
	struct vmt_sample *s = vmt_sample_new(), *prev = vmt_sample_new();
	VMT_AUTO_MODEL m = NULL;

	VMT_SET(cgroup, path, &before, VMT_BYTES("/"));
	VMT_SET(cgroup, id, &before, 7);
	VMT_SET(cgroup, faults_total, &before, 100);
	VMT_SET(cgroup, current_bytes, &before, 500);
	VMT_SET(cgroup, refault_anon_total, &before, 1);
	VMT_SET(cgroup, refault_file_total, &before, 2);
	now[0] = before;
	now[0].faults_total = 150;
	now[0].current_bytes = 400;
	now[0].refault_file_total = 6;
	now[1] = before;
	now[1].path = VMT_BYTES("/b");
	prev->cgroups = &before;
	prev->n_cgroups = 1;
	prev->host.monotonic_ns = 1;
	s->cgroups = now;
	s->cgroup_links = links;
	s->n_cgroups = 2;
	s->host.monotonic_ns = 1 + UINT64_C(2000000000);
	assert_int_equal(vmt_model_build(s, prev, NULL, &m, NULL), 0);
	assert_field(cgroup, faults_per_second, &m->cgroups[0], 25000);
	assert_field(cgroup, refaults_per_second, &m->cgroups[0], 2000);
	assert_field(cgroup, current_delta_bytes, &m->cgroups[0], -100);
	/* One that was not there. */
	assert_unknown(cgroup, faults_per_second, &m->cgroups[1]);
	vmt_model_free(VMT_STEAL(m));
	/* Another one of that name. */
	now[0].id = 8;
	assert_int_equal(vmt_model_build(s, prev, NULL, &m, NULL), 0);
	assert_unknown(cgroup, faults_per_second, &m->cgroups[0]);
	assert_unknown(cgroup, current_delta_bytes, &m->cgroups[0]);
	vmt_sample_free(s);
	vmt_sample_free(prev);
}

static int sweep(void *arg)
{
	const struct unit_dir *d = arg;
	const struct vmt_collect_opts opts = { .root = d->path };
	const struct vmt_cgroup_want want = { .files = vmt_cgroup_all_files(), .path = "/a" };
	VMT_AUTO_MODEL m = NULL;
	VMT_AUTO_SAMPLE s = NULL;
	struct vmt_collector *c = NULL;
	struct vmt_cgroup_level *levels;
	size_t n;
	int r = vmt_collector_new(&opts, &c, NULL);

	if (r == 0)
		r = vmt_collect(c, VMT_SOURCE_BIT(MEMINFO), NULL, 0, &s, NULL);
	if (r == 0)
		r = vmt_collect_cgroups(c, s, &want, NULL);
	if (r == 0)
		r = vmt_model_build(s, NULL, NULL, &m, NULL);
	if (r == 0)
		r = vmt_cgroup_levels(m, 1, &levels, &n);
	vmt_collector_free(c);
	return r;
}

static void failing_allocations(void **state)
{
	struct unit_dir d;

	machine(&d, v2);
	put(&d, "", "memory.stat", "anon 0\n");
	cgroup(&d, "/a", 10, 1, 0, 20, 0);
	cgroup(&d, "/a/b", 10, 1, 0, 20, 5);
	put(&d, "/a/b", "memory.max", "many\n");
	assert_true(unit_piece_sweep(sweep, &d) > 20);
	unit_dir_remove(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_of_all_levels),
		cmocka_unit_test(statistics_lag_behind),
		cmocka_unit_test(min_of_others_is_no_room),
		cmocka_unit_test(min_is_shared_out),
		cmocka_unit_test(min_reaches_down),
		cmocka_unit_test(what_is_not_known),
		cmocka_unit_test(without_the_machine),
		cmocka_unit_test(a_namespace),
		cmocka_unit_test(version_1),
		cmocka_unit_test(a_part_of_version_1),
		cmocka_unit_test(parts),
		cmocka_unit_test(what_is_not_there),
		cmocka_unit_test(links_are_not_followed),
		cmocka_unit_test(deep_and_many),
		cmocka_unit_test(b13_hostile_names),
		cmocka_unit_test(removed_meanwhile),
		cmocka_unit_test(trees),
		cmocka_unit_test(rates),
		cmocka_unit_test(failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
