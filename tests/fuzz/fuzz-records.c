/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of perf in their rings, of any lengths and of no kind that there is. The first byte says
 * what is counted, the second where in the ring they begin, the third where the second ring does.
 */
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "source/probe-perf.h"
#include "source/root.h"

#define RING 4096u

/* What is in the ring: a copy that ends where its memory ends. */
static void fill(struct vmt_perf_ring *ring, unsigned begin, const uint8_t *data, size_t size)
{
	size_t i;

	ring->page = calloc(1, sizeof(*ring->page));
	ring->data = calloc(1, RING);
	CHECK(ring->page && ring->data);
	ring->size = RING;
	/* As the kernel counts: for ever, in steps of 8. */
	ring->page->data_tail = begin * UINT64_C(16);
	size = size < RING ? size : RING;
	for (i = 0; i < size; i++)
		ring->data[(ring->page->data_tail + i) % RING] = data[i];
	ring->page->data_head = ring->page->data_tail + (size & ~(size_t)7);
}

/* In order of address, without overlaps, each with a row that is there. */
static void ordered(const struct vmt_spaces *s)
{
	size_t i, k;

	for (i = 0; i < s->n_spaces; i++) {
		const struct vmt_space *space = s->spaces[i];

		CHECK(i == 0 || s->spaces[i - 1]->pid < space->pid);
		CHECK(space->comm_len <= sizeof(space->comm));
		CHECK(space->mapped + space->dropped <= space->minor + space->major);
		for (k = 0; k < space->n_maps; k++) {
			const struct vmt_space_map *m = &space->maps[k];

			CHECK(m->start < m->end);
			CHECK(k == 0 || space->maps[k - 1].end <= m->start);
			CHECK(m->row < s->n_rows || m->row == SIZE_MAX);
		}
	}
	CHECK(s->n_rows <= s->max_rows && !s->no_memory);
}

static struct vmt_root *root;

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* A machine on which nobody is: the first mappings are those of the records. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char top[] = "/tmp/vmtop-fuzz-XXXXXX", proc[64], about[64];
	FILE *f;

	(void)argc;
	(void)argv;
	CHECK(mkdtemp(top));
	snprintf(proc, sizeof(proc), "%s/proc", top);
	snprintf(about, sizeof(about), "%s/vmtop-fixture", top);
	CHECK(mkdir(proc, 0700) == 0);
	f = fopen(about, "we");
	CHECK(f && fputs("page_size 4096\n", f) >= 0 && fclose(f) == 0);
	CHECK(vmt_root_open(top, &root, NULL) == 0);
	/* What is open stays. */
	CHECK(unlink(about) == 0 && rmdir(proc) == 0 && rmdir(top) == 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned choice = fuzz_choice(&data, &size), begin = fuzz_choice(&data, &size);
	size_t cut = fuzz_choice(&data, &size) * (size_t)8, i;
	struct vmt_perf_ring rings[2] = { { .cpu = 0 }, { .cpu = 1 } };
	uint64_t major[] = { 7, 9 }, watched[] = { 1, 2, 3 };
	struct vmt_perf_state s = {
		.chosen = choice & 1,
		.sums = choice & 2,
		.rings = rings,
		.n_rings = 2,
		.major_ids = major,
		.n_major = 2,
		.watched = watched,
		.n_watched = 3,
	};
	uint64_t faults = 0;

	s.root = root;
	vmt_spaces_init(&s.spaces, choice & 4 ? 4 : 64);
	cut = cut < size ? cut : size;
	fill(&rings[0], begin, data, cut);
	fill(&rings[1], begin, data + cut, size - cut);
	vmt_perf_drain(&s, UINT64_MAX);
	for (i = 0; i < 2; i++)
		CHECK(rings[i].page->data_tail <= rings[i].page->data_head);
	for (i = 0; i < s.spaces.n_spaces; i++)
		faults += s.spaces.spaces[i]->minor + s.spaces.spaces[i]->major;
	CHECK(faults <= s.samples);
	ordered(&s.spaces);
	vmt_spaces_done(&s.spaces);
	for (i = 0; i < 2; i++) {
		free(rings[i].page);
		free(rings[i].data);
	}
	return 0;
}
