/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What has to be equal, and what was found. */

#include "fault-exact.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"

static uint64_t failed_sum(const uint64_t *failed)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < VMT_FAILURES; i++)
		sum += failed[i];
	return sum;
}

static const struct vmt_fault_proc *account_of(const struct vmt_fault_sample *f, uint64_t pid)
{
	const struct vmt_fault_proc *found = NULL;

	for (size_t i = 0; i < f->n_procs; i++) {
		if (f->procs[i].pid != pid)
			continue;
		/* A pid that was used twice in one window: no test can go on from there. */
		if (found)
			return NULL;
		found = &f->procs[i];
	}
	return found;
}

/* Events that a preemptible kernel kept from the programs leave traces; without them all is exact.
 */
static uint64_t skipped(const struct session *s)
{
	const struct vmt_fault_totals *t = &s->faults.totals;

	return s->faults.have & VMT_HAVE_MISSES ? t->recursion_misses : 0;
}

/* For the reader of a failure: where all faults of a process went. */
static void print_rows(const struct vmt_fault_sample *f, uint64_t pid)
{
	for (size_t i = 0; i < f->n_maps; i++) {
		const struct vmt_fault_raw *m = &f->maps[i];

		if (m->pid == pid)
			printf("#   %" PRIx64 "-%" PRIx64 " image %" PRIu64 ": %" PRIu64 "+%" PRIu64
			       ", gup %" PRIu64 ", write %" PRIu64 ", kernel %" PRIu64 " %.*s\n",
			       m->start, m->end, m->exec_id, m->minor, m->major, m->gup, m->write,
			       m->kernel, (int)m->path.len, m->path.ptr);
	}
}

/* The identities of one account. */
static void judge_account(struct check *c, const struct session *s, const struct vmt_fault_proc *p,
			  uint64_t minor, uint64_t major)
{
	const struct vmt_fault_sample *f = &s->faults;
	uint64_t kernel = p->kernel_minor + p->kernel_major;
	uint64_t record = p->record_minor + p->record_major;
	uint64_t in_rows = 0;

	check_that(c, p->kernel_minor == minor && p->kernel_major == major,
		   "process %" PRIu64 ": %" PRIu64 "+%" PRIu64 " faults, getrusage says %" PRIu64
		   "+%" PRIu64,
		   p->pid, p->kernel_minor, p->kernel_major, minor, major);
	check_that(c, p->mapped + p->gup + p->unattributed + p->dropped == kernel,
		   "process %" PRIu64 ": %" PRIu64 " mapped + %" PRIu64 " gup + %" PRIu64
		   " unattributed + %" PRIu64 " dropped are not %" PRIu64,
		   p->pid, p->mapped, p->gup, p->unattributed, p->dropped, kernel);
	check_that(c, p->dropped == 0, "%" PRIu64 " dropped", p->dropped);
	check_that(c, p->unattributed == 0 || skipped(s), "%" PRIu64 " unattributed",
		   p->unattributed);
	/* Begins that the counters confirm are no count of their own. */
	check_that(c,
		   (s->counts || s->guard || f->have & VMT_HAVE_RECORD) && f->have & VMT_HAVE_GUP,
		   "no count of record, or none of get_user_pages");
	/* What is unattributed may be either. */
	check_that(c, record + p->gup <= kernel && record + p->gup + p->unattributed >= kernel,
		   "process %" PRIu64 ": %" PRIu64 " of record + %" PRIu64 " gup are not %" PRIu64,
		   p->pid, record, p->gup, kernel);
	if (c->failed)
		print_rows(f, p->pid);
	for (size_t i = 0; i < f->n_maps; i++)
		if (f->maps[i].pid == p->pid)
			in_rows += f->maps[i].minor + f->maps[i].major;
	check_that(c, in_rows == p->mapped, "process %" PRIu64 ": %" PRIu64 " in rows of %" PRIu64,
		   p->pid, in_rows, p->mapped);
}

/* The rows of the last program image of a process. */
static size_t rows_of(struct session *s, uint64_t pid, struct vmt_fault_raw **ret)
{
	const struct vmt_fault_sample *f = &s->faults;
	struct vmt_fault_raw *rows = vmt_arena_alloc(&s->arena, f->n_maps + 1, sizeof(*rows));
	uint64_t image = 0;
	size_t n = 0;

	if (!rows)
		abort();
	for (size_t i = 0; i < f->n_maps; i++)
		if (f->maps[i].pid == pid && f->maps[i].owner_pid == pid &&
		    f->maps[i].exec_id > image)
			image = f->maps[i].exec_id;
	for (size_t i = 0; i < f->n_maps; i++)
		if (f->maps[i].pid == pid &&
		    (f->maps[i].owner_pid != pid || f->maps[i].exec_id == image))
			rows[n++] = f->maps[i];
	*ret = rows;
	return n;
}

static bool of_range(const struct vmt_fault_raw *row, const struct workload_range *r, uint64_t pid)
{
	if (row->owner_pid != (r->owner_pid ? r->owner_pid : pid))
		return false;
	if (r->special != VMT_FAULT_PLAIN)
		return row->special == (enum vmt_fault_special)r->special;
	if (r->replaced && (uint32_t)row->class != r->class)
		return false;
	return row->start < r->end && row->end > r->start;
}

/* The file of a mapping, as the rows and the files have it. */
static bool same_file(const struct workload_range *r, uint32_t major, uint32_t minor, uint64_t ino)
{
	return r->inode == ino && r->dev_major == major && r->dev_minor == minor;
}

/* In a chroot the list of mounts has none at "/": what is above stays out of sight. */
static bool in_chroot(void)
{
	char line[4096], point[256];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	bool root = false;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %*s %*s %*s %255s", point) == 1 && !strcmp(point, "/"))
			root = true;
	if (f)
		fclose(f);
	return !root;
}

/* A probe names a file from the root of the mount namespace, which in a chroot lies further up. */
static bool is_called(struct vmt_bytes name, const char *path)
{
	size_t n = strlen(path);

	if (vmt_bytes_is(name, path))
		return true;
	return name.len > n && memcmp(name.ptr + name.len - n, path, n) == 0 && in_chroot();
}

static void judge_identity(struct check *c, const struct vmt_fault_raw *row,
			   const struct workload_range *r)
{
	check_that(c, (uint32_t)row->class == r->class && (uint32_t)row->special == r->special,
		   "%s is of class %d and special %d", r->label, row->class, row->special);
	if (r->path[0])
		check_that(c, is_called(row->path, r->path), "%s is called '%.*s', not %s",
			   r->label, (int)row->path.len, row->path.ptr, r->path);
	else
		check_that(c, row->path.len == 0, "%s has a name: '%.*s'", r->label,
			   (int)row->path.len, row->path.ptr);
	if (r->special != VMT_FAULT_PLAIN)
		return;
	check_that(c, row->start >= r->start && row->end <= r->end,
		   "%s is at %" PRIx64 "-%" PRIx64 ", not inside %" PRIx64 "-%" PRIx64, r->label,
		   row->start, row->end, r->start, r->end);
	check_that(c,
		   !r->inode || (row->has_file &&
				 same_file(r, row->dev_major, row->dev_minor, row->inode) &&
				 row->offset_bytes - r->offset_bytes == row->start - r->start),
		   "%s is inode %" PRIu64 " of %u:%u at %" PRIu64, r->label, row->inode,
		   row->dev_major, row->dev_minor, row->offset_bytes);
}

/* Adds what is counted of a row to sum. */
static void add_row(struct vmt_fault_raw *sum, const struct vmt_fault_raw *row)
{
	sum->minor += row->minor;
	sum->major += row->major;
	sum->read += row->read;
	sum->write += row->write;
	sum->exec += row->exec;
	sum->user += row->user;
	sum->kernel += row->kernel;
	sum->gup += row->gup;
	sum->latency.count += row->latency.count;
	sum->latency.others += row->latency.others;
	sum->latency.sum_ns += row->latency.sum_ns;
	for (size_t i = 0; i < VMT_FAILURES; i++)
		sum->failed[i] += row->failed[i];
	for (size_t i = 0; i < VMT_FAULT_KINDS; i++)
		sum->kinds[i] += row->kinds[i];
	for (size_t i = 0; i < VMT_FAULT_BUCKETS; i++)
		sum->latency.bucket[i] += row->latency.bucket[i];
}

/* The counts by access, and in the mode, that a workload's faults go into. */
static uint64_t accessed(const struct vmt_fault_raw *sum, uint32_t access)
{
	if (access == WORKLOAD_EXEC)
		return sum->exec;
	return access == WORKLOAD_READ || access == WORKLOAD_SYSCALL_READ ? sum->read : sum->write;
}

static uint64_t in_mode(const struct vmt_fault_raw *sum, uint32_t access)
{
	return access == WORKLOAD_SYSCALL || access == WORKLOAD_SYSCALL_READ ? sum->kernel
									     : sum->user;
}

/* How the faults came about. A fault whose begin or end was kept from us is charged all the same,
 * but not described. */
static void judge_details(struct check *c, const struct session *s, const struct vmt_fault_raw *sum,
			  const struct workload_range *r)
{
	uint32_t have = s->faults.have;
	uint64_t n = sum->minor + sum->major, slack = skipped(s), buckets = 0;
	uint64_t as_told = accessed(sum, r->access), mode = in_mode(sum, r->access);

	if (have & VMT_HAVE_ACCESS && !r->mixed)
		check_that(c, as_told <= n && as_told + slack >= n,
			   "%s: %" PRIu64 " of %" PRIu64 " faults had the access of the workload",
			   r->label, as_told, n);
	if (have & VMT_HAVE_MODE)
		check_that(c, mode <= n && mode + slack >= n,
			   "%s: %" PRIu64 " of %" PRIu64 " faults in the mode of the workload",
			   r->label, mode, n);
	if (!(have & VMT_HAVE_LATENCY))
		return;
	for (size_t i = 0; i < VMT_FAULT_BUCKETS; i++)
		buckets += sum->latency.bucket[i];
	/* Of a few faults none may be among those that are. */
	check_that(c,
		   sum->latency.count <= n && (s->guard ? sum->latency.count || n < 256
							: sum->latency.count + slack >= n),
		   "%s: %" PRIu64 " of %" PRIu64 " faults were timed", r->label, sum->latency.count,
		   n);
	check_that(c, s->guard || !sum->latency.others, "%s: some stand for %" PRIu64 " others",
		   r->label, sum->latency.others);
	check_that(c,
		   buckets == sum->latency.count + sum->latency.others &&
			   sum->latency.sum_ns >= sum->latency.count,
		   "%s: %" PRIu64 " in the histogram of %" PRIu64, r->label, buckets,
		   sum->latency.count);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Whether this rung sees what was done about a store to a write-protected page. */
static bool sees_copies(const struct vmt_fault_sample *f)
{
	for (size_t i = 0; i < f->n_tries; i++)
		if (f->tries[i].status == VMT_TRY_OK && f->tries[i].hook &&
		    !strcmp(f->tries[i].rung, vmt_rung_name(f->rung)) &&
		    (!strcmp(f->tries[i].hook, "page tables") ||
		     strstr(f->tries[i].hook, "/do_wp_page")))
			return true;
	return false;
}

/* A kind that a range has counts as one, whatever its faults. */
static void tabulate_kinds(struct session *s, const struct vmt_fault_raw *sum,
			   const struct workload_range *r, uint64_t coarse, uint64_t wrong)
{
	struct kinds *t = &s->table.kinds;

	for (size_t k = 1; k < VMT_FAULT_KINDS; k++) {
		if (!r->kinds[k])
			continue;
		t->said++;
		if (sum->kinds[k] >= r->kinds[k])
			t->right++;
		else if (wrong > skipped(s))
			t->wrong++;
		else if (coarse && (k == VMT_KIND_COW_COPY || k == VMT_KIND_COW_REUSE ||
				    k == VMT_KIND_FILE_AROUND))
			t->coarse++;
	}
}

/*
 * What the faults of a range were. Unknown is never wrong; neither is "write-protected" in place of
 * what was done about it, where the page table is not looked at, nor "from the page cache" in place
 * of how. What the workload does not say may be any.
 */
static void judge_kinds(struct check *c, struct session *s, const struct vmt_fault_raw *sum,
			const struct workload_range *r, struct kinds *total)
{
	uint64_t n = sum->minor + sum->major, known = 0, right = 0, coarse, wrong, any;
	uint64_t copies = 0, around = 0;

	if (!r->said)
		return;
	for (size_t k = 1; k < VMT_FAULT_KINDS; k++) {
		known += sum->kinds[k];
		right += least(sum->kinds[k], r->kinds[k]);
	}
	copies = r->kinds[VMT_KIND_COW_COPY] + r->kinds[VMT_KIND_COW_REUSE];
	copies -= least(copies, sum->kinds[VMT_KIND_COW_COPY] + sum->kinds[VMT_KIND_COW_REUSE]);
	around = r->kinds[VMT_KIND_FILE_AROUND];
	around -= least(around, sum->kinds[VMT_KIND_FILE_AROUND]);
	coarse = least(sum->kinds[VMT_KIND_WRITE_PROTECT], copies) +
		 least(sum->kinds[VMT_KIND_FILE_MINOR], around);
	any = n > r->said ? n - r->said : 0;
	wrong = known > right + coarse + any ? known - right - coarse - any : 0;
	check_that(c, known <= n, "%s: %" PRIu64 " faults have a kind, of %" PRIu64, r->label,
		   known, n);
	total->said += r->said;
	total->right += right;
	total->coarse += coarse;
	total->wrong += wrong;
	tabulate_kinds(s, sum, r, coarse, wrong);
	if (right == r->said)
		return;
	for (size_t k = 1; k < VMT_FAULT_KINDS; k++)
		if (sum->kinds[k] || r->kinds[k])
			printf("# %s: %s: kind %zu: %" PRIu64 " counted, %" PRIu64 " were\n",
			       c->name, r->label, k, sum->kinds[k], r->kinds[k]);
}

/* Calls of filemap_fault for the file of a range. Gives the calls. */
static uint64_t judge_file(struct check *c, const struct session *s, const struct workload_range *r)
{
	const struct vmt_fault_sample *f = &s->faults;
	const struct vmt_fault_file *found = NULL;
	uint64_t n = r->minor + r->major, other;

	for (size_t i = 0; i < f->n_files; i++) {
		if (!same_file(r, f->files[i].dev_major, f->files[i].dev_minor, f->files[i].inode))
			continue;
		check_that(c, !found, "%s: the file is there twice", r->label);
		found = &f->files[i];
	}
	if (r->filemap == WORKLOAD_EITHER)
		return found ? found->calls : 0;
	if (r->filemap == WORKLOAD_AROUND) {
		/* Mapped from the cache by what maps around: on kernels that tell. */
		if (f->have & VMT_HAVE_FILE_AROUND && n)
			check_that(c, found && found->around, "%s: nothing was mapped around",
				   r->label);
		return found ? found->calls : 0;
	}
	if (!check_that(c, found, "%s: no call of filemap_fault", r->label))
		return 0;
	check_that(c, found->calls + skipped(s) >= n,
		   "%s: %" PRIu64 " calls of filemap_fault for %" PRIu64 " faults", r->label,
		   found->calls, n);
	check_that(c, !found->path.len || is_called(found->path, r->path), "%s is called '%.*s'",
		   r->label, (int)found->path.len, found->path.ptr);
	if (f->have & VMT_HAVE_FILE_RESULT) {
		/* One call may be both major and retried. */
		other = found->calls - found->cached;
		check_that(c,
			   found->cached <= found->calls && found->major <= other &&
				   found->retried <= other && found->failed <= other &&
				   found->major + found->retried + found->failed >= other,
			   "%s: %" PRIu64 " calls = %" PRIu64 " cached + %" PRIu64
			   " major + %" PRIu64 " retried + %" PRIu64 " failed?",
			   r->label, found->calls, found->cached, found->major, found->retried,
			   found->failed);
		check_that(c, !r->cold || found->major, "%s: nothing was read", r->label);
		check_that(c, !r->sigbus || found->failed + skipped(s) >= r->sigbus,
			   "%s: %" PRIu64 " calls failed", r->label, found->failed);
	}
	if (f->have & VMT_HAVE_FILE_LATENCY)
		check_that(c, found->latency.count == found->calls, "%s: %" PRIu64 " calls timed",
			   r->label, found->latency.count);
	return found->calls;
}

/* One range of a workload. Gives the calls of filemap_fault. */
static uint64_t judge_range(struct check *c, struct session *s, const struct worker *w,
			    const struct workload_range *r, bool exact, struct kinds *kinds)
{
	uint32_t have = s->faults.have;
	uint64_t minor = r->minor, major = r->major, slack = exact ? 0 : UINT64_MAX / 2;
	uint64_t pid = r->pid ? r->pid : w->id;
	struct vmt_fault_raw sum = { 0 };
	struct vmt_fault_raw *rows;
	size_t n = rows_of(s, pid, &rows);

	if (r->each_page)
		check_that(c, minor + major == r->pages,
			   "%s: %" PRIu64 "+%" PRIu64 " faults for %" PRIu64 " pages", r->label,
			   minor, major, r->pages);
	check_that(c, !r->cold || major, "%s: no major fault", r->label);
	for (size_t i = 0; i < n; i++) {
		if (!of_range(&rows[i], r, pid))
			continue;
		judge_identity(c, &rows[i], r);
		add_row(&sum, &rows[i]);
	}
	if (r->gup) {
		/* All of it is of get_user_pages(): major or not does not matter there. */
		if (have & VMT_HAVE_GUP_MAP)
			check_that(c, sum.gup <= r->gup && sum.gup + skipped(s) >= r->gup,
				   "%s: %" PRIu64 " gup of %" PRIu64, r->label, sum.gup, r->gup);
		minor = r->gup < minor + major ? minor - r->gup : 0;
		major = r->gup < r->minor + major ? major : 0;
	}
	check_that(c, sum.minor >= minor && sum.minor - minor <= slack,
		   "%s: %" PRIu64 " minor faults of %" PRIu64, r->label, sum.minor, minor);
	check_that(c, sum.major >= major && sum.major - major <= slack,
		   "%s: %" PRIu64 " major faults of %" PRIu64, r->label, sum.major, major);
	if (r->efault && have & VMT_HAVE_FAILED)
		check_that(c, sum.failed[VMT_FAILED_SIGBUS] + skipped(s) >= r->efault,
			   "%s: %" PRIu64 " failed in the kernel of %" PRIu64, r->label,
			   sum.failed[VMT_FAILED_SIGBUS], r->efault);
	else if (have & (VMT_HAVE_FAILED | VMT_HAVE_SIGBUS))
		check_that(c,
			   sum.failed[VMT_FAILED_SIGBUS] <= r->sigbus &&
				   sum.failed[VMT_FAILED_SIGBUS] + skipped(s) >= r->sigbus,
			   "%s: %" PRIu64 " SIGBUS of %" PRIu64, r->label,
			   sum.failed[VMT_FAILED_SIGBUS], r->sigbus);
	if (exact && !r->gup) {
		judge_details(c, s, &sum, r);
		judge_kinds(c, s, &sum, r, kinds);
	}
	return r->inode && s->faults.filemap_rung != VMT_RUNG_NONE && r->class == VMT_FAULT_FILE
		       ? judge_file(c, s, r)
		       : 0;
}

static bool is_kind(struct vmt_bytes kind, const struct workload_range *r)
{
	return vmt_bytes_is(kind, r->special == VMT_FAULT_STACK	  ? "stack"
				  : r->special == VMT_FAULT_HEAP  ? "heap"
				  : r->class == VMT_FAULT_FILE	  ? "file"
				  : r->class == VMT_FAULT_SHMEM	  ? "shmem"
				  : r->class == VMT_FAULT_HUGETLB ? "hugetlb"
								  : "anon");
}

/* After folding there is one row for each mapping, whatever became of it meanwhile. */
static void judge_folding(struct check *c, struct session *s, const struct worker *w, bool windowed)
{
	struct vmt_model_opts opts = { .fault_group = VMT_FAULT_BY_VMA };
	VMT_AUTO_SAMPLE own = windowed ? NULL : vmt_sample_new();
	VMT_AUTO_MODEL model = NULL;
	struct vmt_sample *sample = windowed ? s->live : own;
	struct vmt_fault_sample only = s->faults;
	struct vmt_err err = { 0 };

	if (!sample)
		abort();
	only.n_maps = rows_of(s, w->id, &only.maps);
	sample->faults = &only;
	sample->host.page_size = WORKLOAD_PAGE;
	if (!check_that(c, !vmt_model_build(sample, NULL, &opts, &model, &err), "%s", err.text))
		return;
	sample->faults = NULL;
	for (size_t k = 0; k < w->truth.n_ranges; k++) {
		const struct workload_range *r = &w->truth.ranges[k];
		uint64_t faults = r->minor + r->major - r->gup;
		uint64_t here = s->faults.have & VMT_HAVE_GUP_MAP ? r->gup : 0;
		uint64_t failed = s->faults.have & VMT_HAVE_FAILED ? r->sigbus + r->efault : 0;
		uint64_t owner = r->owner_pid ? r->owner_pid : w->id;
		uint64_t keys = 0, counted = 0;
		size_t rows = 0;

		if (r->pid)
			continue;
		for (size_t i = 0; i < model->n_faults; i++) {
			const struct vmt_fault *row = &model->faults[i];

			if (row->owner_pid != owner || !is_kind(row->kind, r))
				continue;
			if (r->special == VMT_FAULT_PLAIN &&
			    (row->start >= r->end || row->end <= r->start))
				continue;
			rows++;
			keys += row->keys;
			counted += row->faults_total;
			/* What the range of the mapping is now, the probe cannot know. */
			if (windowed && r->alone && !r->gone && !r->owner_pid)
				check_that(c,
					   vmt_bytes_is(row->state, "mapped") &&
						   (r->special != VMT_FAULT_PLAIN ||
						    (row->start == r->start && row->end == r->end)),
					   "%s: %.*s, %" PRIx64 "-%" PRIx64, r->label,
					   (int)row->state.len, row->state.ptr, row->start,
					   row->end);
		}
		if (!(faults + here + failed))
			continue;
		check_that(c, rows == 1, "%s: %zu rows of %" PRIu64 " keys", r->label, rows, keys);
		check_that(c, counted >= faults, "%s: %" PRIu64 " faults in the row", r->label,
			   counted);
		printf("# %s: %s: %" PRIu64 " faults, %" PRIu64 " keys in %zu rows\n", c->name,
		       r->label, counted, keys, rows);
	}
}

/* The children that a workload waited for: their whole lives were in the window. */
static void judge_children(struct check *c, const struct session *s, const struct worker *w)
{
	for (size_t i = 0; i < w->truth.n_children; i++) {
		const struct workload_child *child = &w->truth.children[i];
		const struct vmt_fault_proc *p = account_of(&s->faults, child->pid);

		if (check_that(c, p, "child %" PRIu64 " has no account", child->pid))
			judge_account(c, s, p, child->minor, child->major);
	}
}

const char *case_of(const char *kind)
{
	static const char *const cases[][2] = {
		{ "storm", "F06/storm/" },	 { "file-cold", "F14/retried/" },
		{ "gup", "F15/no-registers/" },	 { "remote", "F15/other-process/" },
		{ "programs", "F17/programs/" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!strcmp(kind, cases[i][0]))
			return cases[i][1];
	return "";
}

void judge_worker(struct session *s, const struct worker *w, bool windowed)
{
	const struct vmt_fault_sample *f = &s->faults;
	const struct vmt_fault_proc *p = account_of(f, w->id);
	uint64_t minor = w->truth.minor, major = w->truth.major, sigbus = 0, calls = 0, named;
	uint64_t efault = 0;
	struct kinds kinds = { 0 };
	struct check c;

	s->table.windows += windowed;
	check_begin(&c, "%sfault-exact/%s/%s/%s", case_of(w->kind), s->label, w->kind,
		    windowed ? "window" : "life");
	if (windowed && !p && !minor && !major) {
		/* Nothing that counts, and nothing else that this rung sees. */
		s->table.exact++;
		check_end(&c, "%s", "no fault, and no account");
		return;
	}
	if (!check_that(&c, p, "process %" PRIu64 " has no account of its own", w->id)) {
		check_end(&c, "%s", "");
		return;
	}
	if (!windowed) {
		/* wait4() says what the children that were waited for had as well. */
		minor = (uint64_t)w->usage.ru_minflt;
		major = (uint64_t)w->usage.ru_majflt;
		for (size_t i = 0; i < w->truth.n_children; i++) {
			minor -= w->truth.children[i].minor;
			major -= w->truth.children[i].major;
		}
	}
	judge_account(&c, s, p, minor, major);
	judge_children(&c, s, w);
	for (size_t i = 0; i < w->truth.n_ranges; i++) {
		const struct workload_range *r = &w->truth.ranges[i];

		sigbus += r->sigbus;
		efault += r->efault;
		calls += judge_range(&c, s, w, r, windowed || r->alone, &kinds);
	}
	judge_folding(&c, s, w, windowed);
	if (f->have & (VMT_HAVE_FAILED | VMT_HAVE_SIGBUS))
		check_that(&c,
			   (p->failed[VMT_FAILED_SIGBUS] <= sigbus || efault) &&
				   p->failed[VMT_FAILED_SIGBUS] + skipped(s) >= sigbus,
			   "%" PRIu64 " SIGBUS of %" PRIu64, p->failed[VMT_FAILED_SIGBUS], sigbus);
	if (f->have & VMT_HAVE_DEATHS)
		check_that(&c, p->exited == !windowed, "exited is %d", p->exited);
	/* mapped are those in rows, and every row has a range and a class. */
	named = p->mapped + p->gup;
	check_that(&c, named * 1000 >= (p->kernel_minor + p->kernel_major) * 999,
		   "%" PRIu64 " in named mappings", named);
	s->table.exact += windowed && !c.failed;
	check_that(&c, kinds.wrong <= skipped(s), "%" PRIu64 " faults are of a wrong kind",
		   kinds.wrong);
	check_end(&c,
		  "%s: %" PRIu64 "+%" PRIu64 " faults = %" PRIu64 " mapped + %" PRIu64
		  " gup + %" PRIu64 " unattributed + %" PRIu64 " dropped; record %" PRIu64
		  ", retried %" PRIu64 ", failed %" PRIu64 ", filemap %" PRIu64 "; kinds: %" PRIu64
		  " right, %" PRIu64 " coarse, %" PRIu64 " wrong of %" PRIu64,
		  vmt_rung_name(f->rung), p->kernel_minor, p->kernel_major, p->mapped, p->gup,
		  p->unattributed, p->dropped, p->record_minor + p->record_major, p->retried,
		  failed_sum(p->failed), calls, kinds.right, kinds.coarse, kinds.wrong, kinds.said);
	s->kinds.said += kinds.said;
	s->kinds.right += kinds.right;
	s->kinds.coarse += kinds.coarse;
	s->kinds.wrong += kinds.wrong;
}

/* With something around each function that matters nearly all are known; with tracepoints most. */
static void judge_all_kinds(const struct session *s)
{
	const struct kinds *k = &s->kinds;
	bool around = s->faults.rung == VMT_RUNG_FEXIT || s->faults.rung == VMT_RUNG_KPROBE;
	struct check c;

	check_begin(&c, "fault-exact/%s/machine/kinds", s->label);
	if (!(s->faults.have & VMT_HAVE_KINDS) || !k->said) {
		check_skip(c.name, "%s", "this rung does not tell kinds");
		return;
	}
	check_that(&c,
		   k->right * 100 >= k->said * (around			  ? 95
						: sees_copies(&s->faults) ? 80
									  : 0),
		   "%" PRIu64 " right", k->right);
	check_that(&c, (k->right + k->coarse) * 100 >= k->said * 80,
		   "%" PRIu64 " right, %" PRIu64 " coarse", k->right, k->coarse);
	check_end(&c, "%s: %" PRIu64 " right, %" PRIu64 " coarse, %" PRIu64 " wrong of %" PRIu64,
		  vmt_rung_name(s->faults.rung), k->right, k->coarse, k->wrong, k->said);
}

void judge_table(const struct session *s, const struct table *t)
{
	const struct kinds *k = &t->kinds;
	bool around = t->rung == VMT_RUNG_FEXIT || t->rung == VMT_RUNG_KPROBE;
	struct check c;

	check_begin(&c, "fault-table/%s", s->label);
	check_that(&c, t->windows && t->exact == t->windows, "%zu windows are not exact",
		   t->windows - t->exact);
	check_that(&c, s->counts || k->right * 100 >= k->said * (around ? 95 : 80),
		   "%" PRIu64 " kinds right", k->right);
	check_that(&c, !k->wrong, "%" PRIu64 " kinds wrong", k->wrong);
	check_end(
		&c,
		"%s, preempt %s: windows exact %zu of %zu, %zu not to be had; kinds right %" PRIu64
		" of %" PRIu64 " (%.1f %%), coarse %" PRIu64 ", unknown %" PRIu64 ", wrong %" PRIu64
		"; recursion misses %" PRIu64,
		vmt_rung_name(t->rung), s->preempt, t->exact, t->windows, t->unable, k->right,
		k->said, k->said ? 100.0 * (double)k->right / (double)k->said : 0.0, k->coarse,
		k->said - k->right - k->coarse - k->wrong, k->wrong, t->misses);
}

void judge_machine(struct session *s)
{
	const struct vmt_fault_sample *f = &s->faults;
	const struct vmt_fault_totals *t = &f->totals;
	uint64_t kernel = t->kernel_minor + t->kernel_major;
	uint64_t record = t->record_minor + t->record_major;
	uint64_t in_rows = 0, in_accounts = 0, returned;
	struct check c;

	check_begin(&c, "F18/fault-exact/%s/machine/sum", s->label);
	for (size_t i = 0; i < f->n_maps; i++)
		in_rows += f->maps[i].minor + f->maps[i].major;
	for (size_t i = 0; i < f->n_procs; i++) {
		const struct vmt_fault_proc *p = &f->procs[i];

		in_accounts += p->kernel_minor + p->kernel_major;
		check_that(&c,
			   p->mapped + p->gup + p->unattributed + p->dropped ==
				   p->kernel_minor + p->kernel_major,
			   "process %" PRIu64 " (%.*s) does not add up", p->pid, (int)p->comm.len,
			   p->comm.ptr);
	}
	check_that(&c, f->complete, "the window is not closed");
	check_that(&c, in_accounts == kernel, "%" PRIu64 " in the accounts", in_accounts);
	check_that(&c, in_rows == t->mapped, "%" PRIu64 " in the rows", in_rows);
	check_that(&c, t->mapped + t->gup + t->unattributed + t->dropped == kernel,
		   "there is a residual");
	check_that(&c, record + t->gup <= kernel && record + t->gup + t->unattributed >= kernel,
		   "%" PRIu64 " of record + %" PRIu64 " gup", record, t->gup);
	/*
	 * Of the whole machine, events may be missing from the count of record where the kernel
	 * runs no program for a task; they are counted as such. A workload's own never are.
	 */
	check_that(&c, !t->lost && !t->no_account && !t->dropped,
		   "%" PRIu64 " lost, %" PRIu64 " tasks without account", t->lost, t->no_account);
	check_that(&c, !t->disagreed, "%" PRIu64 " faults that the kernel did not count",
		   t->disagreed);
	/*
	 * Where faults are counted by their begin, that of a process which was in one at the start
	 * is not known.
	 */
	check_that(&c, !t->unattributed || skipped(s) || !(f->have & VMT_HAVE_RECORD),
		   "%" PRIu64 " unattributed", t->unattributed);
	check_that(&c, t->unattributed * 1000 <= kernel, "%" PRIu64 " unattributed",
		   t->unattributed);
	check_end(&c,
		  "%s: %" PRIu64 " faults of %zu processes = %" PRIu64 " mapped + %" PRIu64
		  " gup + %" PRIu64 " unattributed; lost %" PRIu64 ", recursion misses %" PRIu64
		  ", repaired %" PRIu64 ", %" PRIu64 " of %" PRIu64 " slots, preempt %s",
		  vmt_rung_name(f->rung), kernel, f->n_procs, t->mapped, t->gup, t->unattributed,
		  t->lost, t->recursion_misses, t->repaired, t->slots_used, t->slots_total,
		  s->preempt);

	judge_all_kinds(s);
	check_begin(&c, "fault-exact/%s/machine/vmstat", s->label);
	if (!(f->have & VMT_HAVE_FAILED && f->have & VMT_HAVE_RETRIED) || skipped(s)) {
		check_skip(c.name, "%s",
			   skipped(s) ? "results were kept from the programs"
				      : "this rung does not see what vmstat counts");
		return;
	}
	/* pgfault counts failures too, and up to 6.3 what is retried. */
	returned = kernel + failed_sum(t->failed);
	check_that(&c, returned <= s->outer && returned + t->retried >= s->inner,
		   "%" PRIu64 " is not between", returned);
	check_end(&c,
		  "%" PRIu64 " completed, %" PRIu64 " retried; pgfault moved by %" PRIu64
		  " inside and %" PRIu64 " around",
		  returned, t->retried, s->inner, s->outer);
}
