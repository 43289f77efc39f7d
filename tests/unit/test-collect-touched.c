/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is still mapped of claims, and touched, by the page tables of this process. */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "saved.h"
#include "source/collect-touched.h"

#define PAGES 64u
/* More places than are read in one go, each of a page, with a hole behind it. */
#define PLACES 300u
/* Low, where the kernel puts nothing by itself. */
#define NOWHERE ((const void *)0x10000000)

struct claims {
	struct vmt_event_sample e;
	struct vmt_fault_sample stacks;
	struct vmt_fault_stack stack[2];
	struct vmt_event_process processes[2];
	struct vmt_event_place places[2];
	struct vmt_event_claim claims[PLACES + 2];
};

static uint64_t page;

/* Of this process, with a place for it and one for another; no claim so far. */
static void claims_begin(struct claims *c, struct vmt_collector *from)
{
	const uint64_t self = (uint64_t)getpid();
	struct vmt_sample *s;

	*c = (struct claims){ 0 };
	assert_int_equal(vmt_collect(from, VMT_SOURCE_BIT(PIDS), &self, 1, &s, NULL), 0);
	for (unsigned i = 0; i < 2; i++) {
		c->processes[i].pid = (uint32_t)self;
		c->processes[i].start_ns = s->procs[0].start_time_ns;
		c->stack[i].pid = c->processes[i].pid;
		c->stack[i].start_time_ns = c->processes[i].start_ns;
		c->places[i].call = VMT_CALL_MMAP;
		c->places[i].stack = i;
	}
	vmt_sample_free(s);
	c->stacks.stacks = c->stack;
	c->stacks.n_stacks = 2;
	c->e = (struct vmt_event_sample){ .processes = c->processes,
					  .n_processes = 1,
					  .stacks = &c->stacks,
					  .places = c->places,
					  .n_places = 1,
					  .claims = c->claims };
}

static void claim(struct claims *c, unsigned of, const void *start, uint64_t bytes)
{
	c->claims[c->e.n_claims++] =
		(struct vmt_event_claim){ .start = (uintptr_t)start,
					  .end = (uintptr_t)start + bytes,
					  .ns = c->e.n_claims + 1,
					  .process_ns = c->processes[of].start_ns,
					  .pid = c->processes[of].pid,
					  .place = of };
	c->places[of].mapped += bytes;
}

static void look(struct vmt_collector *from, struct claims *c)
{
	struct vmt_sample *s = collect(from, VMT_SOURCE_BIT(PIDS), (uint64_t)getpid());

	assert_int_equal(vmt_collect_touched(from, s, &c->e), 0);
	vmt_sample_free(s);
}

static char *mapped(size_t bytes)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	/* Page by page, whatever the machine does with large ranges. */
	madvise(p, bytes, MADV_NOHUGEPAGE);
	return p;
}

/* Pages of all kinds: written, read, written and given back, never touched, and unmapped. */
static void pages(void **state)
{
	struct vmt_collector *from = collector(NULL);
	char *p = mapped(PAGES * page);
	volatile char *at = p;
	struct claims c;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		at[i * page] = 1;
	for (unsigned i = 10; i < 15; i++)
		(void)at[i * page];
	for (unsigned i = 15; i < 20; i++)
		at[i * page] = 1;
	assert_int_equal(madvise(p + 15 * page, 5 * page, MADV_DONTNEED), 0);
	assert_int_equal(munmap(p + (PAGES - 4) * page, 4 * page), 0);
	claims_begin(&c, from);
	claim(&c, 0, p, PAGES * page);
	look(from, &c);
	assert_true(c.places[0].touch.is_mapped_known && c.places[0].touch.is_touched_known);
	assert_int_equal(c.places[0].touch.reserved, (PAGES - 4) * page);
	/* Those that were read have the page of zeroes, which is in memory without them. */
	assert_int_equal(c.places[0].touch.touched, 15 * page);
	assert_int_equal(c.places[0].touch.resident, 10 * page);
	assert_int_equal(c.claims[0].low, (uintptr_t)p);
	assert_int_equal(c.claims[0].high, (uintptr_t)p + (PAGES - 4) * page);
	munmap(p, (PAGES - 4) * page);

	/* Where nothing is mapped: that nothing is left is known. What was unmapped just now would
	 * not do, as the next allocation may take its place. */
	claims_begin(&c, from);
	claim(&c, 0, NOWHERE, PAGES * page);
	look(from, &c);
	assert_true(c.places[0].touch.is_mapped_known);
	assert_int_equal(c.places[0].touch.reserved, 0);
	vmt_collector_free(from);
}

/* More pieces than are read at once; each second page is unmapped. */
static void many(void **state)
{
	struct vmt_collector *from = collector(NULL);
	char *p = mapped(2 * PLACES * page);
	struct claims c;

	(void)state;
	claims_begin(&c, from);
	for (size_t i = 0; i < PLACES; i++) {
		p[2 * i * page] = 1;
		assert_int_equal(munmap(p + (2 * i + 1) * page, page), 0);
		claim(&c, 0, p + 2 * i * page, 2 * page);
	}
	look(from, &c);
	assert_true(c.places[0].touch.is_touched_known);
	assert_int_equal(c.places[0].touch.reserved, PLACES * page);
	assert_int_equal(c.places[0].touch.touched, PLACES * page);
	assert_int_equal(c.places[0].touch.resident, PLACES * page);
	munmap(p, 2 * PLACES * page);
	vmt_collector_free(from);
}

/* Of a process that has ended, or is another one by now, nothing is known; of others it is. */
static void of_others(void **state)
{
	struct vmt_collector *from = collector(NULL);
	char *p = mapped(PAGES * page);
	pid_t gone = fork();
	struct claims c;

	(void)state;
	assert_true(gone >= 0);
	if (gone == 0)
		_exit(0);
	assert_int_equal(waitpid(gone, NULL, 0), gone);
	p[0] = 1;
	for (unsigned i = 0; i < 2; i++) {
		claims_begin(&c, from);
		c.e.n_processes = c.e.n_places = 2;
		if (i == 0)
			c.processes[1].pid = (uint32_t)gone;
		else
			c.processes[1].start_ns -= 1000000000;
		c.stack[1].pid = c.processes[1].pid;
		c.stack[1].start_time_ns = c.processes[1].start_ns;
		claim(&c, 0, p, PAGES * page);
		claim(&c, 1, p, PAGES * page);
		look(from, &c);
		assert_true(c.places[0].touch.is_touched_known);
		assert_int_equal(c.places[0].touch.touched, page);
		assert_false(c.places[1].touch.is_mapped_known);
		assert_false(c.places[1].touch.is_touched_known);
	}
	munmap(p, PAGES * page);
	vmt_collector_free(from);
}

static int look_once(void *arg)
{
	const struct vmt_collect_opts opts = { .readers = 1 };
	struct vmt_collector *from = NULL;
	struct vmt_sample *s = NULL;
	struct claims *c = arg;
	const uint64_t self = (uint64_t)getpid();
	int r = vmt_collector_new(&opts, &from, NULL);

	if (r == 0)
		r = vmt_collect(from, VMT_SOURCE_BIT(PIDS), &self, 1, &s, NULL);
	if (r == 0)
		r = vmt_collect_touched(from, s, &c->e);
	/* It may have done without something, and then says so. */
	if (r == 0 && c->places[0].touch.is_touched_known)
		assert_int_equal(c->places[0].touch.touched, page);
	for (size_t i = 0; i < c->e.n_claims; i++) {
		c->claims[i].touch = (struct vmt_event_touch){ 0 };
		c->claims[i].kind = c->claims[i].path = (struct vmt_bytes){ 0 };
	}
	vmt_sample_free(s);
	vmt_collector_free(from);
	return r;
}

static void no_memory(void **state)
{
	struct vmt_collector *from = collector(NULL);
	char *p = mapped(PAGES * page);
	struct claims c;

	(void)state;
	p[0] = 1;
	claims_begin(&c, from);
	claim(&c, 0, p, PAGES * page);
	assert_true(unit_alloc_sweep(look_once, &c) > 10);
	munmap(p, PAGES * page);
	vmt_collector_free(from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages),
		cmocka_unit_test(many),
		cmocka_unit_test(of_others),
		cmocka_unit_test(no_memory),
	};

	page = (uint64_t)sysconf(_SC_PAGESIZE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
