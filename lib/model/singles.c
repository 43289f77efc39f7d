/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "base/fmt.h"
#include "model/fault-parts.h"

/* Rows of single faults: what the ring held, with the mapping that it names. */

static struct vmt_bytes copy_text(struct vmt_arena *arena, const char *text, size_t len)
{
	char *copy = vmt_arena_copy(arena, text, len);

	return (struct vmt_bytes){ copy, copy ? len : 0 };
}

/* Rows of processes that ended are used again: a slot is one process's at a time. */
static int compare(uint32_t slot_a, uint64_t pid_a, uint32_t slot_b, uint64_t pid_b)
{
	if (slot_a != slot_b)
		return slot_a < slot_b ? -1 : 1;
	return pid_a < pid_b ? -1 : pid_a > pid_b;
}

static int by_slot(const void *a, const void *b)
{
	const struct vmt_fault_raw *x = *(const struct vmt_fault_raw *const *)a;
	const struct vmt_fault_raw *y = *(const struct vmt_fault_raw *const *)b;

	return compare(x->slot, x->pid, y->slot, y->pid);
}

static const struct vmt_fault_raw *find(const struct vmt_fault_raw **index, size_t n, uint32_t slot,
					uint64_t pid)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = compare(index[middle]->slot, index[middle]->pid, slot, pid);

		if (c == 0)
			return index[middle];
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void label_mapping(struct vmt_arena *arena, struct vmt_single *row,
			  const struct vmt_fault_raw *raw)
{
	if (raw->has_file) {
		char buf[24];
		int n = snprintf(buf, sizeof(buf), "%02x:%02x", raw->dev_major, raw->dev_minor);

		VMT_SET(single, device, row, copy_text(arena, buf, n > 0 ? (size_t)n : 0));
		VMT_SET(single, inode, row, raw->inode);
		/* A row that processes share has no address. */
		if (raw->pid)
			VMT_SET(single, offset_bytes, row,
				raw->offset_bytes + (row->address - raw->start));
	}
	VMT_SET(single, kind, row, vmt_fault_class_word(raw));
	if (vmt_fault_path(raw).len)
		VMT_SET(single, path, row, vmt_fault_path(raw));
}

/* The time by the clock; no bytes where it is not known. */
static struct vmt_bytes time_of(struct vmt_arena *arena, const struct vmt_host *host, uint64_t ns)
{
	VMT_AUTO_BUF text = { 0 };

	if (!host->realtime_ns || !host->monotonic_ns)
		return (struct vmt_bytes){ 0 };
	/* Whichever of the two is later. */
	vmt_fmt_time(&text, host->realtime_ns + ns - host->monotonic_ns);
	if (vmt_buf_error(&text) < 0) {
		arena->failed = true;
		return (struct vmt_bytes){ 0 };
	}
	return copy_text(arena, text.data, text.len);
}

int vmt_single_rows(const struct vmt_fault_sample *f, const struct vmt_host *host,
		    struct vmt_arena *arena, struct vmt_single **ret, size_t *ret_n)
{
	static const char *const access[] = { NULL, "read", "write", "exec" };
	static const char *const mode[] = { NULL, "user", "kernel" };
	VMT_AUTO_FREE const struct vmt_fault_raw **index = calloc(f->n_maps + 1, sizeof(*index));
	struct vmt_single *rows = vmt_arena_alloc(arena, f->n_singles + 1, sizeof(*rows));
	size_t i;

	if (!index || !rows)
		return -ENOMEM;
	for (i = 0; i < f->n_maps; i++)
		index[i] = &f->maps[i];
	qsort(index, f->n_maps, sizeof(*index), by_slot);
	for (i = 0; i < f->n_singles; i++) {
		const struct vmt_fault_single *one = &f->singles[i];
		struct vmt_single *row = &rows[i];
		struct vmt_bytes when = time_of(arena, host, one->end_ns);
		const struct vmt_fault_raw *raw;

		if (when.len)
			VMT_SET(single, time, row, when);
		if (one->end_ns >= f->start_ns)
			VMT_SET(single, after_ns, row, one->end_ns - f->start_ns);
		VMT_SET(single, pid, row, one->pid);
		VMT_SET(single, tid, row, one->tid);
		VMT_SET(single, address, row, one->address);
		if (one->ip)
			VMT_SET(single, ip, row, one->ip);
		if (one->symbol.len)
			VMT_SET(single, symbol, row, one->symbol);
		VMT_SET(single, fault, row, one->major ? VMT_BYTES("major") : VMT_BYTES("minor"));
		if (one->kind != VMT_KIND_UNKNOWN)
			VMT_SET(single, served, row, vmt_bytes_of(vmt_fault_kind_name(one->kind)));
		if (access[one->access])
			VMT_SET(single, access, row, vmt_bytes_of(access[one->access]));
		if (mode[one->mode])
			VMT_SET(single, mode, row, vmt_bytes_of(mode[one->mode]));
		VMT_SET(single, faults_total, row, one->faults);
		if (one->latency_ns) {
			VMT_SET(single, latency_ns, row, one->latency_ns);
			VMT_SET(single, total_ns, row, one->total_ns);
		}
		VMT_SET(single, comm, row,
			copy_text(arena, one->comm, strnlen(one->comm, sizeof(one->comm))));
		/* One that processes share has no process. */
		raw = one->slot ? find(index, f->n_maps, one->slot, one->pid) : NULL;
		if (!raw && one->slot)
			raw = find(index, f->n_maps, one->slot, 0);
		if (raw)
			label_mapping(arena, row, raw);
	}
	if (arena->failed)
		return -ENOMEM;
	*ret = rows;
	*ret_n = f->n_singles;
	return 0;
}

int vmt_model_singles(struct vmt_model *m)
{
	const struct vmt_fault_sample *f = m->sample->faults;

	if (!f->n_singles)
		return 0;
	return vmt_single_rows(f, &m->sample->host, &m->arena, &m->singles, &m->n_singles);
}

void vmt_gap_row(const struct vmt_host *host, uint64_t start_ns, uint64_t now_ns, uint64_t lost,
		 uint64_t limited, struct vmt_arena *arena, struct vmt_gap *ret)
{
	struct vmt_bytes when = time_of(arena, host, now_ns);

	*ret = (struct vmt_gap){ 0 };
	if (when.len)
		VMT_SET(gap, time, ret, when);
	if (now_ns >= start_ns)
		VMT_SET(gap, after_ns, ret, now_ns - start_ns);
	VMT_SET(gap, lost_total, ret, lost);
	VMT_SET(gap, limited_total, ret, limited);
}
