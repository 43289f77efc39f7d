/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fault-setup.h"

#include <errno.h>
#include "view/doc.h"

#define BORN 5000000000ull

enum {
	MAIN,
	WORK,
	STRIPPED,
	JITTED,
	NOWHERE,
	COPY,
	EXCEPTION,
	HIDDEN,
	FRAMES,
};

struct setup {
	struct fault_setup base;
	struct vmt_fault_stack stacks[8];
	struct vmt_fault_proc procs[3];
	struct vmt_fault_frame frames[FRAMES];
};

static int begin(void **state)
{
	struct setup *s = fault_begin(sizeof(*s), VMT_RUNG_TRACEPOINT, VMT_HAVE_STACKS);

	s->base.faults.depth = VMT_STACK_FULL;
	s->base.faults.stacks = s->stacks;
	s->base.faults.procs = s->procs;
	s->base.faults.frames = s->frames;
	s->base.faults.n_frames = FRAMES;
	s->frames[MAIN] = (struct vmt_fault_frame){ .address = 0x1000,
						    .symbol = VMT_BYTES("main"),
						    .module = VMT_BYTES("/bin/prog"),
						    .offset = 0x10,
						    .has_offset = true };
	s->frames[WORK] = (struct vmt_fault_frame){ .address = 0x1100,
						    .symbol = VMT_BYTES("work;er"),
						    .module = VMT_BYTES("/bin/prog"),
						    .offset = 0x110,
						    .has_offset = true };
	s->frames[STRIPPED] = (struct vmt_fault_frame){ .address = 0x2000,
							.module = VMT_BYTES("/lib/libx.so"),
							.offset = 0xabc,
							.has_offset = true };
	s->frames[JITTED] = (struct vmt_fault_frame){ .address = 0x3000,
						      .symbol = VMT_BYTES("made"),
						      .jit = true };
	s->frames[NOWHERE] = (struct vmt_fault_frame){ .address = 0x4000 };
	s->frames[COPY] =
		(struct vmt_fault_frame){ .symbol = VMT_BYTES("copy_to"), .kernel = true };
	s->frames[EXCEPTION] = (struct vmt_fault_frame){ .symbol = VMT_BYTES("asm_exc_page_fault"),
							 .kernel = true };
	s->frames[HIDDEN] = (struct vmt_fault_frame){ .kernel = true };
	*state = s;
	return 0;
}

static struct vmt_fault_stack *add(struct setup *s, uint64_t pid, uint64_t minor, uint64_t major,
				   uint32_t *frames, uint32_t n_kernel, uint32_t n_user)
{
	struct vmt_fault_stack *to = &s->stacks[s->base.faults.n_stacks++];

	*to = (struct vmt_fault_stack){ .pid = pid,
					.start_time_ns = BORN,
					.comm = VMT_BYTES("prog"),
					.minor = minor,
					.major = major,
					.frames = frames,
					.n_kernel = n_kernel,
					.n_user = n_user };
	return to;
}

static void add_proc(struct setup *s, uint64_t pid, uint64_t minor, uint64_t major)
{
	s->procs[s->base.faults.n_procs++] =
		(struct vmt_fault_proc){ .pid = pid,
					 .start_time_ns = pid ? BORN : 0,
					 .comm = VMT_BYTES("prog"),
					 .kernel_minor = minor,
					 .kernel_major = major };
}

struct swept {
	const struct setup *s;
	struct vmt_model_opts opts;
	bool differs;
};

static int once(void *arg)
{
	struct swept *w = arg;
	const struct vmt_model *whole = w->s->base.model;
	VMT_AUTO_MODEL m = NULL;
	int r = vmt_model_build(w->s->base.sample, NULL, &w->opts, &m, NULL);
	size_t i;

	if (r < 0)
		return r;
	if (m->n_stacks != whole->n_stacks || m->n_faults != whole->n_faults)
		w->differs = true;
	for (i = 0; !w->differs && i < m->n_stacks; i++)
		if (!vmt_bytes_equal(m->stacks[i].stack, whole->stacks[i].stack))
			w->differs = true;
	return 0;
}

/* Whichever allocation fails, there is no model, or all of it. */
static void build(struct setup *s, enum vmt_fault_group group)
{
	struct swept w = { .s = s, .opts = { .fault_group = group } };

	assert_int_equal(vmt_model_build(s->base.sample, NULL, &w.opts, &s->base.model, NULL), 0);
	assert_true(unit_piece_sweep(once, &w) > 3);
	assert_false(w.differs);
}

static const struct vmt_stack *row(const struct setup *s, const char *text)
{
	size_t i;

	for (i = 0; i < s->base.model->n_stacks; i++)
		if (vmt_bytes_is(s->base.model->stacks[i].stack, text))
			break;
	assert_true(i < s->base.model->n_stacks);
	return &s->base.model->stacks[i];
}

static void test_text(void **state)
{
	struct setup *s = *state;
	uint32_t plain[] = { WORK, MAIN }, odd[] = { STRIPPED, NOWHERE, JITTED, MAIN };
	uint32_t kernel[] = { HIDDEN, EXCEPTION, COPY, HIDDEN, WORK, MAIN };
	const struct vmt_stack *r;

	add(s, 42, 7, 1, plain, 0, 2);
	add(s, 42, 3, 0, odd, 0, 4);
	add(s, 42, 2, 0, kernel, 4, 2);
	build(s, VMT_FAULT_BY_VMA);
	assert_int_equal(s->base.model->n_stacks, 3);
	/* ; is between frames alone. */
	r = row(s, "main;work:er");
	assert_field(stack, faults_total, r, 8);
	assert_field(stack, major_faults_total, r, 1);
	assert_field(stack, ip, r, 0x1100);
	assert_field(stack, offset_bytes, r, 0x110);
	assert_field(stack, depth, r, 2);
	assert_text(stack, symbol, r, "work;er");
	r = row(s, "main;made_[j];[unknown];libx.so+0xabc");
	assert_unknown(stack, symbol, r);
	assert_text(stack, module, r, "/lib/libx.so");
	/* What every fault has is no news. */
	r = row(s, "main;work:er;[kernel]_[k];copy_to_[k]");
	assert_field(stack, kernel_mode, r, 1);
	assert_field(stack, depth, r, 4);
}

static void test_merge(void **state)
{
	struct setup *s = *state;
	uint32_t a[] = { WORK, MAIN }, b[] = { NOWHERE, MAIN };
	const struct vmt_stack *r;

	/* Another place in the same function. */
	s->frames[NOWHERE] = s->frames[WORK];
	s->frames[NOWHERE].address = 0x1104;
	s->frames[NOWHERE].offset = 0x114;
	add(s, 42, 5, 0, a, 0, 2);
	add(s, 42, 0, 6, b, 0, 2);
	add(s, 43, 1, 0, a, 0, 2);
	/* A row that nothing was counted in. */
	add(s, 42, 0, 0, b, 0, 1);
	build(s, VMT_FAULT_BY_VMA);
	assert_int_equal(s->base.model->n_stacks, 2);
	r = row(s, "main;work:er");
	assert_field(stack, pid, r, 42);
	assert_field(stack, faults_total, r, 11);
	assert_unknown(stack, ip, r);
	assert_unknown(stack, offset_bytes, r);
	assert_text(stack, symbol, r, "work;er");
}

static void test_rest(void **state)
{
	struct setup *s = *state;
	uint32_t a[] = { WORK, MAIN };
	const struct vmt_stack *r;

	add(s, 42, 5, 1, a, 0, 2);
	add(s, 42, 2, 0, NULL, 0, 0)->lost = -EEXIST;
	s->stacks[1].frames = a;
	add(s, 42, 3, 0, a, 0, 0)->lost = -EFAULT;
	add(s, 42, 4, 0, a, 0, 0)->lost = -ENOMEM;
	/* One that shares the row of processes which found no row. */
	add(s, 99, 10, 0, a, 0, 2);
	add_proc(s, 42, 20, 1);
	add_proc(s, 0, 11, 0);
	build(s, VMT_FAULT_BY_VMA);
	assert_field(stack, faults_total, row(s, "[stack lost: collision]"), 2);
	assert_field(stack, faults_total, row(s, "[no user stack]"), 3);
	assert_field(stack, faults_total, row(s, "[stack lost: table full]"), 4);
	/* The rows of a process add up to what the kernel counted. */
	r = row(s, "[no stack]");
	assert_unknown(stack, pid, r);
	assert_field(stack, faults_total, r, 1);
	r++;
	assert_text(stack, stack, r, "[no stack]");
	assert_field(stack, pid, r, 42);
	assert_field(stack, minor_faults_total, r, 6);
	assert_field(stack, major_faults_total, r, 0);
}

static void test_folded(void **state)
{
	struct setup *s = *state;
	static const struct vmt_section_def def = { "stacks", &vmt_entity_stack, false, "" };
	struct vmt_out_opts opts = { .ascii = true };
	VMT_CLEANUP(vmt_sink_done) struct vmt_sink sink = { .fd = -1 };
	VMT_CLEANUP(vmt_doc_done) struct vmt_doc doc = { 0 };
	uint32_t a[] = { WORK, MAIN };

	add(s, 42, 5, 0, a, 0, 2);
	add(s, 43, 1, 0, a, 0, 2);
	add(s, 44, 9, 0, a, 0, 2)->comm = VMT_BYTES("a;b\n 1");
	build(s, VMT_FAULT_BY_VMA);
	assert_int_equal(s->base.model->n_stacks, 3);
	doc.model = s->base.model;
	assert_non_null(vmt_doc_add(&doc, &def, s->base.model->stacks, s->base.model->n_stacks));
	assert_int_equal(vmt_out_folded(&sink, &doc, &opts), 0);
	/* Processes of one name are one line, and no name makes a line or a frame of its own. */
	assert_buf(&sink.buf, "a:b\\x0a 1;main;work:er 9\nprog;main;work:er 6\n");
}

static void test_ip(void **state)
{
	struct setup *s = *state;
	uint32_t a[] = { WORK }, b[] = { NOWHERE }, kernel[] = { COPY, WORK };
	const struct vmt_fault *r;

	s->base.faults.depth = VMT_STACK_LEAF;
	add(s, 42, 5, 1, a, 0, 1);
	add(s, 42, 2, 0, kernel, 1, 1);
	add(s, 42, 1, 0, b, 0, 1);
	/* The same address in the program image behind an execve. */
	add(s, 42, 3, 0, a, 0, 1)->exec_id = 2;
	build(s, VMT_FAULT_BY_IP);
	assert_int_equal(s->base.model->n_stacks, 0);
	assert_int_equal(s->base.model->n_faults, 3);
	r = &s->base.model->faults[0];
	assert_field(fault, ip, r, 0x1100);
	assert_text(fault, symbol, r, "work;er");
	assert_text(fault, path, r, "/bin/prog");
	assert_field(fault, offset_bytes, r, 0x110);
	assert_field(fault, faults_total, r, 8);
	assert_field(fault, major_faults_total, r, 1);
	assert_field(fault, user_faults_total, r, 6);
	assert_field(fault, kernel_faults_total, r, 2);
	assert_field(fault, keys, r, 2);
	assert_unknown(fault, start, r);
	assert_field(fault, ip, &s->base.model->faults[1], 0x4000);
	assert_unknown(fault, symbol, &s->base.model->faults[1]);
	assert_field(fault, faults_total, &s->base.model->faults[2], 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_text, begin, fault_end),
		cmocka_unit_test_setup_teardown(test_merge, begin, fault_end),
		cmocka_unit_test_setup_teardown(test_rest, begin, fault_end),
		cmocka_unit_test_setup_teardown(test_folded, begin, fault_end),
		cmocka_unit_test_setup_teardown(test_ip, begin, fault_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
