/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The records that perf writes (perf_event_open(2)), taken out of their rings. */

#include "source/probe-perf.h"

#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>

#include "base/parse.h"
#include "source/maps.h"

#define REREAD_NS 100000000u
#define MAPS_MAX  ((size_t)64 << 20)

static bool is_major(const struct vmt_perf_state *s, uint64_t id)
{
	size_t low = 0, high = s->n_major;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->major_ids[mid] < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->n_major && s->major_ids[low] == id;
}

static void read_maps(struct vmt_perf_state *s, struct vmt_space *space)
{
	VMT_AUTO_CLOSE int fd = vmt_root_open_pid(s->root, space->pid);
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	VMT_CLEANUP(vmt_buf_done) struct vmt_buf buf;
	VMT_CLEANUP(vmt_maps_done) struct vmt_maps_parser parser;

	vmt_arena_init(&arena);
	vmt_buf_init(&buf);
	vmt_maps_init(&parser, false, space->pid, &arena, NULL);
	space->read_ns = vmt_probe_now();
	if (fd < 0 || vmt_slurp_at(fd, "maps", &buf, MAPS_MAX) < 0 ||
	    vmt_maps_feed(&parser, (struct vmt_bytes){ buf.data, buf.len }, "maps", NULL) ||
	    vmt_maps_finish(&parser, "maps", NULL))
		return;
	for (size_t i = 0; i < parser.n_maps; i++) {
		const struct vmt_map *m = &parser.maps[i];
		struct vmt_bytes dev = m->device;
		struct vmt_space_new map = {
			.start = m->start,
			.end = m->end,
			.offset = m->offset_bytes,
			.inode = VMT_HAS(map, inode, m) ? m->inode : 0,
			.path = m->path,
		};
		uint64_t major = 0, minor = 0;

		if (!vmt_take_hex(&dev, &major) && !vmt_take_char(&dev, ':'))
			(void)vmt_take_hex(&dev, &minor);
		map.dev_major = (uint32_t)major;
		map.dev_minor = (uint32_t)minor;
		if (m->perms.len == 4)
			map.vm_flags = (m->perms.ptr[0] == 'r' ? 1u : 0) |
				       (m->perms.ptr[1] == 'w' ? 2u : 0) |
				       (m->perms.ptr[2] == 'x' ? 4u : 0) |
				       (m->perms.ptr[3] == 's' ? 8u : 0);
		vmt_space_map(&s->spaces, space, &map);
	}
}

/* Tasks that the PID namespace of the event does not hold are 0 in it, and those that have no PID
 * any more all ones. */
static bool is_watched(const struct vmt_perf_state *s, uint32_t pid)
{
	size_t i;

	if (!pid || pid == UINT32_MAX)
		return false;
	for (i = 0; s->chosen && i < s->n_watched && s->watched[i] != pid; i++)
		;
	return !s->chosen || i < s->n_watched;
}

/* A space that a record names for the first time is read, unless the record is its birth. */
static struct vmt_space *space_of(struct vmt_perf_state *s, uint64_t pid)
{
	struct vmt_space *space = vmt_spaces_get(&s->spaces, pid);

	if (space && !space->read_ns && !s->sums) {
		const struct vmt_probe_count *row = NULL;

		for (size_t i = 0; !row && i < s->before.n; i++)
			if (s->before.rows[i].pid == pid)
				row = &s->before.rows[i];
		if (row)
			vmt_space_name(space, row->comm, row->comm_len);
		read_maps(s, space);
	}
	return space;
}

struct sample_record {
	struct perf_event_header header;
	uint64_t id;
	uint32_t pid, tid;
	uint64_t time;
	uint64_t addr;
};

struct mmap2_record {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t addr, len, pgoff;
	uint32_t maj, min;
	uint64_t ino, ino_generation;
	uint32_t prot, flags;
	char filename[];
};

struct task_record {
	struct perf_event_header header;
	uint32_t pid, ppid;
	uint32_t tid, ptid;
	uint64_t time;
};

struct comm_record {
	struct perf_event_header header;
	uint32_t pid, tid;
	char comm[];
};

/* What ends every record that is no sample. */
struct record_trailer {
	uint32_t pid, tid;
	uint64_t time;
	uint64_t id;
};

/* Whether it is as long as a record of its kind is at least. */
static bool is_whole(const struct perf_event_header *h)
{
	const size_t trailer = sizeof(struct record_trailer);

	switch (h->type) {
	case PERF_RECORD_SAMPLE:
		return h->size >= sizeof(struct sample_record);
	case PERF_RECORD_MMAP2:
		return h->size >= sizeof(struct mmap2_record) + trailer;
	case PERF_RECORD_COMM:
		return h->size >= sizeof(struct comm_record) + trailer;
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		return h->size >= sizeof(struct task_record) + trailer;
	default:
		return h->size >= sizeof(*h) + trailer;
	}
}

/* One that is cut comes before all others. */
static uint64_t record_time(const struct perf_event_header *h)
{
	struct record_trailer trailer;

	if (!is_whole(h))
		return 0;
	if (h->type == PERF_RECORD_SAMPLE)
		return ((const struct sample_record *)(const void *)h)->time;
	memcpy(&trailer, (const unsigned char *)h + h->size - sizeof(trailer), sizeof(trailer));
	return trailer.time;
}

static void take_sample(struct vmt_perf_state *s, const struct sample_record *r)
{
	bool major = is_major(s, r->id);
	bool user = (r->header.misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_USER;
	struct vmt_space *space;

	s->samples++;
	if (!is_watched(s, r->pid))
		return;
	space = space_of(s, r->pid);
	if (!space) {
		s->lost++;
		return;
	}
	if (major)
		space->major++;
	else
		space->minor++;
	if (s->sums || vmt_space_fault(&s->spaces, space, r->addr, major, user))
		return;
	if (vmt_probe_now() - space->read_ns > REREAD_NS) {
		read_maps(s, space);
		if (vmt_space_fault(&s->spaces, space, r->addr, major, user))
			return;
	}
	s->unresolved++;
}

static void take_mmap(struct vmt_perf_state *s, const struct mmap2_record *r)
{
	struct vmt_space *space;
	size_t room = r->header.size - sizeof(*r) - sizeof(struct record_trailer);
	struct vmt_space_new map = {
		.start = r->addr,
		.end = r->addr + r->len,
		.offset = r->pgoff,
		.inode = r->ino,
		.dev_major = r->maj,
		.dev_minor = r->min,
		/* PROT_ and VM_ have the same bits */
		.vm_flags = (r->prot & 7) | (r->flags & MAP_SHARED ? 8u : 0),
		.path = { r->filename, strnlen(r->filename, room) },
	};

	if (!is_watched(s, r->pid))
		return;
	/* As maps names what has no name. */
	if (vmt_bytes_is(map.path, "//anon") || vmt_bytes_is(map.path, "//toolong"))
		map.path.len = 0;
	if (!r->ino && !r->maj && !r->min)
		map.offset = 0;
	space = space_of(s, r->pid);
	if (space)
		vmt_space_map(&s->spaces, space, &map);
}

static void take_record(struct vmt_perf_state *s, const struct perf_event_header *h)
{
	const void *any = h;
	struct vmt_space *space, *parent;

	if (!is_whole(h)) {
		s->lost++;
		return;
	}
	switch (h->type) {
	case PERF_RECORD_SAMPLE:
		take_sample(s, any);
		break;
	case PERF_RECORD_MMAP2:
		take_mmap(s, any);
		break;
	case PERF_RECORD_COMM: {
		const struct comm_record *r = any;
		size_t room = h->size - sizeof(*r) - sizeof(struct record_trailer);

		/* The name of a thread is not that of the process. */
		if (r->pid != r->tid || !is_watched(s, r->pid))
			break;
		space = space_of(s, r->pid);
		if (!space)
			break;
		if (h->misc & PERF_RECORD_MISC_COMM_EXEC)
			vmt_space_exec(&s->spaces, space);
		vmt_space_name(space, r->comm, strnlen(r->comm, room));
		break;
	}
	case PERF_RECORD_FORK: {
		const struct task_record *r = any;

		if (r->pid == r->ppid || !is_watched(s, r->pid))
			break;
		parent = is_watched(s, r->ppid) ? space_of(s, r->ppid) : NULL;
		space = vmt_spaces_get(&s->spaces, r->pid);
		if (parent && space)
			vmt_space_fork(&s->spaces, parent, space);
		break;
	}
	case PERF_RECORD_EXIT: {
		const struct task_record *r = any;

		if (r->pid != r->tid || !is_watched(s, r->pid))
			break;
		space = vmt_spaces_get(&s->spaces, r->pid);
		if (space)
			vmt_space_exit(&s->spaces, space);
		break;
	}
	default:
		break;
	}
}

/* The next record of a ring in one piece, in buf where it goes round the end; NULL at the head. */
static const struct perf_event_header *peek(const struct vmt_perf_ring *ring, unsigned char *buf)
{
	uint64_t tail = ring->page->data_tail;
	uint64_t at = tail & (ring->size - 1);
	struct perf_event_header h;

	if (tail + sizeof(h) > ring->head)
		return NULL;
	/* A header is 8 bytes, as are the steps between records: it does not go round. */
	memcpy(&h, ring->data + at, sizeof(h));
	if (h.size < sizeof(h) || h.size % sizeof(h) || tail + h.size > ring->head)
		return NULL;
	if (at + h.size > ring->size) {
		size_t first = ring->size - at;

		memcpy(buf, ring->data + at, first);
		memcpy(buf + first, ring->data, h.size - first);
	} else {
		memcpy(buf, ring->data + at, h.size);
	}
	return (const void *)buf;
}

void vmt_perf_drain(struct vmt_perf_state *s, uint64_t until)
{
	/* A record's size is 16 bits. */
	_Alignas(8) unsigned char buf[UINT16_MAX + 1];

	for (size_t i = 0; i < s->n_rings; i++)
		s->rings[i].head = __atomic_load_n(&s->rings[i].page->data_head, __ATOMIC_ACQUIRE);
	for (;;) {
		const struct perf_event_header *h;
		struct vmt_perf_ring *next = NULL;
		uint64_t earliest = until;

		for (size_t i = 0; i < s->n_rings; i++) {
			h = peek(&s->rings[i], buf);
			if (h && record_time(h) <= earliest) {
				earliest = record_time(h);
				next = &s->rings[i];
			}
		}
		if (!next)
			break;
		h = peek(next, buf);
		if (!h)
			break;
		take_record(s, h);
		__atomic_store_n(&next->page->data_tail, next->page->data_tail + h->size,
				 __ATOMIC_RELEASE);
	}
}
