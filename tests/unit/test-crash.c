/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event-whole.h"

#include <signal.h>

#include "model/crash.h"
#include "model/events.h"

#define PAGE UINT64_C(4096)
#define RW   UINT64_C(3)
#define DOWN UINT64_C(0x100)

static const struct vmt_host host = { .page_size = PAGE, .machine = VMT_BYTES("x86_64") };
static const struct vmt_host arm = { .page_size = PAGE, .machine = VMT_BYTES("aarch64") };

/* A write fault of x86 at an address where nothing is mapped. */
static struct vmt_crash crash_at(uint64_t address)
{
	return (struct vmt_crash){
		.signal = SIGSEGV,
		.code = 1,
		.has_address = true,
		.has_registers = true,
		.has_trap = true,
		.has_space = true,
		.has_stack_limit = true,
		.address = address,
		.ip = 0x401136,
		.sp = 0x7ffd00000000,
		.trap = 14,
		.error = 6,
		.stack_limit = 8 << 20,
	};
}

static void assert_reason(const struct vmt_crash *c, const char *want)
{
	uint64_t address;

	assert_string_equal(vmt_crash_reason_name(vmt_crash_reason(c, &host, &address)), want);
}

static void no_mapping(void **state)
{
	struct vmt_crash c = crash_at(0xffff);

	assert_reason(&c, "null_page");
	c.address = 0x10000;
	assert_reason(&c, "no_mapping");
	c.gone = (struct vmt_crash_change){ .ns = 5, .call = VMT_CALL_MUNMAP };
	assert_reason(&c, "freed");
	c.address = UINT64_C(0xffff800000000000);
	assert_reason(&c, "kernel_address");
	/* What was not looked at, or what another thread mapped meanwhile, does not decide. */
	c = crash_at(0x7f0000000000);
	c.has_space = false;
	assert_reason(&c, "unknown");
	c = crash_at(0x7f0000000000);
	c.at = (struct vmt_crash_map){ .start = c.address,
				       .end = c.address + PAGE,
				       .vm_flags = RW };
	assert_reason(&c, "unknown");
	c.code = 2;
	assert_reason(&c, "unknown");
	c.at.end = 0;
	assert_reason(&c, "unknown");
}

/* The stack as it was, below it nothing; 8 MiB is what it may have. */
static struct vmt_crash overflow(void)
{
	struct vmt_crash c = crash_at(0x7fff00000000 - (8 << 20) - 8);

	c.above = (struct vmt_crash_map){ .start = 0x7fff00000000 - (8 << 20),
					  .end = 0x7fff00000000,
					  .vm_flags = RW | DOWN };
	c.sp = c.address + 8;
	return c;
}

static void stacks(void **state)
{
	struct vmt_crash c = overflow();

	assert_reason(&c, "stack_overflow");
	/* The red zone of 128 bytes is the program's; a page is not. */
	c.sp = c.address + 128;
	assert_reason(&c, "stack_overflow");
	c.sp = c.address + PAGE;
	assert_reason(&c, "no_mapping");
	/* A pointer went astray: what is in use of the stack is far above. */
	c.sp = c.above.start + 4096;
	assert_reason(&c, "no_mapping");
	/* It may grow, and a mapping is in the way; or nothing is, and why is not known. */
	c = overflow();
	c.stack_limit = UINT64_MAX;
	assert_reason(&c, "no_mapping");
	c.below = (struct vmt_crash_map){ .start = 0x7ffe00000000,
					  .end = (c.address & ~(PAGE - 1)) - 255 * PAGE,
					  .vm_flags = RW };
	assert_reason(&c, "stack_overflow");
	c.below.end -= PAGE;
	assert_reason(&c, "no_mapping");
	/* Another stack is in use. */
	c = overflow();
	c.sp = 0x7f0000000000;
	c.below = (struct vmt_crash_map){ .start = 0x7e0000000000, .end = 0x7ffe00000000 };
	assert_reason(&c, "no_mapping");

	c = crash_at(0x7f0000000ff8);
	c.code = 2;
	c.at = (struct vmt_crash_map){ .start = 0x7f0000000000, .end = 0x7f0000001000 };
	c.above = (struct vmt_crash_map){ .start = 0x7f0000001000,
					  .end = 0x7f0000801000,
					  .vm_flags = RW };
	c.sp = 0x7f0000001000;
	assert_reason(&c, "stack_guard");
	c.sp = 0x7f0000401000;
	assert_reason(&c, "no_access");
	c.sp = 0x7f0000001000;
	c.above.inode = 7;
	assert_reason(&c, "no_access");
}

static void protections(void **state)
{
	static const struct {
		uint64_t may, error;
		const char *reason;
	} cases[] = {
		{ 0, 4, "no_access" },	       { 1, 7, "read_only" },	 { 5, 7, "read_only" },
		{ 3, 0x15, "not_executable" }, { 4, 5, "not_readable" }, { 1, 5, "unknown" },
		{ 7, 7, "unknown" },	       { 7, 0x15, "unknown" },
	};

	for (size_t i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_crash c = crash_at(0x7f0000000010);

		c.code = 2;
		c.error = cases[i].error;
		c.at = (struct vmt_crash_map){ .start = 0x7f0000000000,
					       .end = 0x7f0000001000,
					       .vm_flags = cases[i].may };
		assert_reason(&c, cases[i].reason);
	}
}

/* What made a mapping what it is: what came last. */
static void changes(void **state)
{
	struct vmt_crash c = crash_at(0x7f0000000010);

	c.at = (struct vmt_crash_map){ .start = 0x7f0000000000,
				       .end = 0x7f0000001000,
				       .vm_flags = RW };
	assert_false(vmt_crash_was_changed(&c));
	c.changed = (struct vmt_crash_change){ .ns = 5, .call = VMT_CALL_MPROTECT, .value = 3 };
	assert_true(vmt_crash_was_changed(&c));
	c.changed.value = 1;
	assert_false(vmt_crash_was_changed(&c));
	c.changed = (struct vmt_crash_change){ .ns = 5, .call = VMT_CALL_MADVISE, .value = 102 };
	assert_true(vmt_crash_was_changed(&c));
	assert_reason(&c, "guard_marker");
	/* Another mapping took its place; or the guard was taken away. */
	c.gone = (struct vmt_crash_change){ .ns = 6, .call = VMT_CALL_MMAP };
	assert_false(vmt_crash_was_changed(&c));
	assert_reason(&c, "unknown");
	c.gone.ns = 4;
	assert_reason(&c, "guard_marker");
	c.changed.value = 103;
	assert_reason(&c, "unknown");
}

static void codes(void **state)
{
	static const struct {
		int signal, code;
		const char *reason;
	} cases[] = {
		{ SIGSEGV, 0, "sent" },
		{ SIGBUS, -6, "sent" },
		{ SIGSEGV, 3, "bounds" },
		{ SIGSEGV, 4, "protection_key" },
		{ SIGSEGV, 8, "memory_tag" },
		{ SIGSEGV, 9, "memory_tag" },
		{ SIGSEGV, 10, "control_protection" },
		{ SIGSEGV, 77, "unknown" },
		{ SIGBUS, 1, "misaligned" },
		{ SIGBUS, 2, "unknown" },
		{ SIGBUS, 4, "hardware_error" },
		{ SIGBUS, 5, "hardware_error" },
		{ SIGBUS, 77, "unknown" },
	};

	for (size_t i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_crash c = crash_at(0x7f0000000000);

		c.signal = cases[i].signal;
		c.code = cases[i].code;
		assert_reason(&c, cases[i].reason);
	}
}

/* A file of 10 bytes over two pages, from its begin. */
static struct vmt_crash of_file(uint64_t offset)
{
	struct vmt_crash c = crash_at(0x7f0000000000 + offset);

	c.signal = SIGBUS;
	c.code = 2;
	c.at = (struct vmt_crash_map){ .start = 0x7f0000000000,
				       .end = 0x7f0000002000,
				       .vm_flags = RW,
				       .inode = 5,
				       .file_bytes = 10,
				       .path = VMT_BYTES("/ten") };
	return c;
}

static void files(void **state)
{
	struct vmt_crash c = of_file(4096);

	assert_reason(&c, "beyond_end");
	c = of_file(4095);
	assert_reason(&c, "unknown");
	c = of_file(4096);
	c.at.file_bytes = 0;
	assert_reason(&c, "beyond_end");
	c.has_file_then = true;
	c.file_then = 4096;
	assert_reason(&c, "beyond_end");
	c.file_then = 4097;
	assert_reason(&c, "truncated");
	c = of_file(4096);
	c.user_bus = true;
	assert_reason(&c, "userfaultfd");

	c = of_file(0);
	c.has_tmpfs = true;
	assert_reason(&c, "unknown");
	c.blocks = 100;
	c.blocks_used = 80;
	c.blocks_slack = 19;
	assert_reason(&c, "unknown");
	c.blocks_used = 81;
	assert_reason(&c, "no_space");

	c = of_file(8192);
	c.at.end = c.at.start + (2 << 20);
	c.at.file_bytes = 2 << 20;
	c.at.vm_flags |= 0x400000;
	c.huge_bytes = 2 << 20;
	assert_reason(&c, "unknown");
	c.has_huge = true;
	assert_reason(&c, "huge_pool_empty");
	c.huge_free = 3;
	c.huge_reserved = 2;
	assert_reason(&c, "unknown");
	c.huge_reserved = 3;
	assert_reason(&c, "huge_pool_empty");
}

static void accesses(void **state)
{
	struct vmt_crash c = crash_at(0x1000);

	assert_int_equal(vmt_crash_access(&c, host.machine), VMT_CRASH_WRITE);
	c.error = 4;
	assert_int_equal(vmt_crash_access(&c, host.machine), VMT_CRASH_READ);
	c.error = 0x14;
	assert_int_equal(vmt_crash_access(&c, host.machine), VMT_CRASH_EXEC);
	c.trap = 17;
	assert_int_equal(vmt_crash_access(&c, host.machine), VMT_CRASH_ACCESS_UNKNOWN);
	c = crash_at(0x1000);
	c.error = 0x92000044;
	assert_int_equal(vmt_crash_access(&c, arm.machine), VMT_CRASH_WRITE);
	c.error = 0x92000004;
	assert_int_equal(vmt_crash_access(&c, arm.machine), VMT_CRASH_READ);
	c.error = 0x82000004;
	assert_int_equal(vmt_crash_access(&c, arm.machine), VMT_CRASH_EXEC);
	/* An alignment fault: neither of the two. */
	c.error = 0x92000004 ^ (0x24u ^ 0x15u) << 26;
	assert_int_equal(vmt_crash_access(&c, arm.machine), VMT_CRASH_ACCESS_UNKNOWN);
	assert_int_equal(vmt_crash_access(&c, VMT_BYTES("riscv64")), VMT_CRASH_ACCESS_UNKNOWN);
	c.has_trap = false;
	assert_int_equal(vmt_crash_access(&c, arm.machine), VMT_CRASH_ACCESS_UNKNOWN);
}

static void general(void **state)
{
	struct vmt_crash c = crash_at(0);
	uint64_t address;

	c.code = 0x80;
	c.trap = 13;
	c.has_address = false;
	c.regs[0] = UINT64_C(0x8000000000000000);
	c.bytes[0] = 0x8a;
	c.bytes[1] = 0x08;
	c.n_bytes = 2;
	assert_int_equal(vmt_crash_reason(&c, &host, &address), VMT_CRASH_NON_CANONICAL);
	assert_int_equal(address, UINT64_C(0x8000000000000000));
	c.regs[0] = UINT64_C(0x00007fffffffffff);
	assert_reason(&c, "general_protection");
	c.regs[0] = UINT64_C(0x0000800000000000);
	assert_reason(&c, "non_canonical");
	c.regs[0] = UINT64_C(0xffff800000000000);
	assert_reason(&c, "general_protection");
	c.n_bytes = 0;
	c.regs[0] = UINT64_C(0x0000800000000000);
	assert_reason(&c, "general_protection");
	c.ip = UINT64_C(0x0000800000000000);
	assert_reason(&c, "non_canonical");
	c.ip = 0x401000;
	c.bytes[0] = 0xf4;
	c.n_bytes = 1;
	assert_reason(&c, "privileged");
	assert_int_equal(vmt_crash_reason(&c, &arm, &address), VMT_CRASH_UNKNOWN);
	/* Not the exception, but the frame of a handler. */
	c.sp = 0x2000;
	c.has_trap = false;
	assert_reason(&c, "handler_frame");
	c.has_trap = true;
	assert_reason(&c, "privileged");
	c.trap = 14;
	assert_reason(&c, "handler_frame");
	c = overflow();
	c.code = 0x80;
	c.has_address = false;
	c.sp = c.address;
	assert_reason(&c, "stack_overflow");
	c.at = c.above;
	c.sp = c.at.start + 100;
	assert_reason(&c, "stack_overflow");
	c.sp = c.at.start + 65536;
	assert_reason(&c, "unknown");
}

static void assert_sentence(const struct vmt_crash *c, const char *want)
{
	struct vmt_event_raw e = {
		.call = VMT_CALL_CRASH, .pid = 1, .end_ns = 5000000, .crash = c
	};
	struct vmt_arena arena;
	struct vmt_event row;

	vmt_arena_init(&arena);
	assert_int_equal(vmt_event_row(&e, &host, 0, &arena, &row), 0);
	unit_event_whole(&e, &host, &row);
	if (!vmt_bytes_is(row.text, want))
		fail_msg("'%.*s' is not '%s'", (int)row.text.len, row.text.ptr, want);
	vmt_arena_done(&arena);
}

static void sentences(void **state)
{
	struct vmt_crash sent;
	struct vmt_crash c = crash_at(8);

	assert_sentence(&c, "crash by SIGSEGV at 0x401136: write to 0x8: the null page");
	c.image = (struct vmt_crash_map){ .start = 0x401000,
					  .end = 0x402000,
					  .offset_bytes = 0x1000,
					  .inode = 3,
					  .path = VMT_BYTES("/a\x1b[1m") };
	assert_sentence(&c, "crash by SIGSEGV at /a\\x1b[1m+0x1136: write to 0x8: the null page");
	c.symbol = VMT_BYTES("main");
	c.handled = true;
	assert_sentence(&c, "handled SIGSEGV at main of /a\\x1b[1m: write to 0x8: the null page");
	/* Whoever sends it to a thread that blocks it ends nobody. */
	sent = c;
	sent.code = SI_TKILL;
	sent.sender = 42;
	sent.handled = false;
	sent.blocked = true;
	assert_sentence(&sent,
			"blocked SIGSEGV: sent by another process, or by itself (process 42)");
	c.has_registers = false;
	c.handled = false;
	c.address = 0x7f0000001000;
	c.below = (struct vmt_crash_map){ .start = 0x7e0000000000,
					  .end = 0x7f0000000000,
					  .path = VMT_BYTES("/lib/x.so") };
	c.above = (struct vmt_crash_map){ .start = 0x7f0000003000, .end = 0x7f0000004000 };
	assert_sentence(&c, "crash by SIGSEGV: write to 0x7f0000001000: nothing is mapped there, "
			    "4.00K above /lib/x.so, 8.00K below anonymous memory");
	c.above.end = 0;
	c.gone = (struct vmt_crash_change){ .ns = 3000000, .tid = 77, .call = VMT_CALL_MUNMAP };
	assert_sentence(&c, "crash by SIGSEGV: write to 0x7f0000001000: nothing is mapped there "
			    "any more, 4.00K above /lib/x.so; munmap took it away 2.00ms before, "
			    "by thread 77");
	c = of_file(4096);
	c.has_registers = false;
	c.error = 4;
	assert_sentence(&c, "crash by SIGBUS: read of 0x7f0000001000: beyond the end of the file: "
			    "it has 10 bytes; 0x7f0000000000-0x7f0000002000 is read+write of /ten "
			    "at 0x1000");
	c.has_file_then = true;
	c.file_then = 8192;
	c.at.file_bytes = 1;
	assert_sentence(&c, "crash by SIGBUS: read of 0x7f0000001000: the file was cut below it "
			    "since it was mapped: it has 1 byte, and had 8192; "
			    "0x7f0000000000-0x7f0000002000 is read+write of /ten at 0x1000");
	c = overflow();
	c.has_registers = true;
	assert_sentence(&c, "crash by SIGSEGV at 0x401136: write to 0x7ffeff7ffff8: stack "
			    "overflow: it would be 8.00M, RLIMIT_STACK is 8.00M");
	c = crash_at(0);
	c.code = 0;
	c.sender = 99;
	assert_sentence(&c, "crash by SIGSEGV: sent by another process, or by itself (process 99)");
}

static void fields(void **state)
{
	struct vmt_crash c = of_file(4096);
	struct vmt_event_raw e = { .call = VMT_CALL_CRASH, .crash = &c };
	struct vmt_arena arena;
	struct vmt_event r;

	vmt_arena_init(&arena);
	c.has_registers = false;
	assert_int_equal(vmt_event_row(&e, &host, 0, &arena, &r), 0);
	assert_field(event, address, &r, 0x7f0000001000);
	assert_field(event, offset_bytes, &r, 4096);
	assert_field(event, file_size_bytes, &r, 10);
	assert_field(event, inode, &r, 5);
	assert_field(event, start, &r, 0x7f0000000000);
	assert_true(vmt_bytes_is(r.kind, "crash"));
	assert_true(vmt_bytes_is(r.signal_code, "BUS_ADRERR"));
	/* What is not known is not 0. */
	assert_false(VMT_HAS(event, ip, &r));
	assert_false(VMT_HAS(event, old_file_size_bytes, &r));
	assert_false(VMT_HAS(event, changed_by, &r));
	assert_false(VMT_HAS(event, protection_key, &r));
	assert_false(VMT_HAS(event, result, &r));
	assert_false(VMT_HAS(event, below_bytes, &r));
	c.code = -6;
	assert_int_equal(vmt_event_row(&e, &host, 0, &arena, &r), 0);
	assert_false(VMT_HAS(event, address, &r));
	assert_field(event, sender_pid, &r, 0);
	c = crash_at(0);
	c.signal = SIGBUS;
	c.has_address = false;
	assert_int_equal(vmt_event_row(&e, &host, 0, &arena, &r), 0);
	assert_false(VMT_HAS(event, address, &r));
	assert_true(vmt_bytes_is(r.reason, "misaligned"));
	vmt_arena_done(&arena);
}

/* The frame of a handler has no place, and no address is told. */
static void frames(void **state)
{
	struct vmt_crash c = overflow();
	struct vmt_crash_map stack = c.above;

	c.code = 0x80;
	c.has_address = false;
	/* It may grow as far as that, but for a mapping that is too near; or nobody knows why not.
	 */
	c.has_stack_limit = false;
	c.sp = c.address;
	assert_reason(&c, "handler_frame");
	c.below = (struct vmt_crash_map){ .end = (c.sp & ~(PAGE - 1)) - 16 * PAGE, .vm_flags = RW };
	assert_reason(&c, "stack_overflow");
	/* What is in the way may not be accessed, or is a stack itself: no gap is kept to those. */
	c.below.vm_flags = 0;
	assert_reason(&c, "handler_frame");
	c.below.vm_flags = RW | DOWN;
	assert_reason(&c, "handler_frame");
	/* The stack pointer is at an address where a stack never is. */
	c.below = (struct vmt_crash_map){ 0 };
	c.has_stack_limit = true;
	c.sp = 0x8000;
	assert_reason(&c, "handler_frame");

	/* In what stands before the stack of a thread, which is in use or not, or of another kind.
	 */
	c.at = (struct vmt_crash_map){ .start = stack.start - PAGE, .end = stack.start };
	c.above = stack;
	c.above.vm_flags = RW;
	c.sp = stack.start - 8;
	assert_reason(&c, "stack_guard");
	c.above.inode = 7;
	assert_reason(&c, "handler_frame");
	c.above.inode = 0;
	c.above.vm_flags = 1;
	assert_reason(&c, "handler_frame");
	c.above.vm_flags = RW;
	c.above.start += PAGE;
	assert_reason(&c, "handler_frame");
	/* What may be read alone takes no frame; whom it belongs to does not matter. */
	c.above = stack;
	c.at.vm_flags = 1;
	assert_reason(&c, "handler_frame");

	/* So near to the end of the stack that the frame goes below it. */
	c.at = stack;
	c.above = (struct vmt_crash_map){ 0 };
	c.sp = stack.start + 100;
	c.at.vm_flags = RW;
	assert_reason(&c, "unknown");
	c.below = (struct vmt_crash_map){ .start = stack.start - PAGE, .end = stack.start };
	assert_reason(&c, "stack_guard");
	c.below.vm_flags = 1;
	assert_reason(&c, "unknown");
	c.at.vm_flags = RW | DOWN;
	c.stack_limit = UINT64_MAX;
	assert_reason(&c, "unknown");
	c.has_stack_limit = false;
	assert_reason(&c, "unknown");

	/* What was not looked at does not decide. */
	c.has_space = false;
	assert_reason(&c, "unknown");
	c.has_space = true;
	c.has_registers = false;
	assert_reason(&c, "unknown");
	c.has_registers = true;
	c.signal = SIGBUS;
	assert_reason(&c, "unknown");
	c.signal = SIGSEGV;
	c.trap = 6;
	assert_reason(&c, "unknown");
	/* A stack segment fault is as good as a general protection, and says nothing without
	 * registers. */
	c.trap = 12;
	c.has_registers = false;
	assert_reason(&c, "general_protection");
}

/* What an instruction wanted to be aligned. */
static void alignment(void **state)
{
	struct vmt_crash c = crash_at(0);
	uint64_t address;

	/* movaps (%rax),%xmm0 */
	memcpy(c.bytes, (const uint8_t[]){ 0x0f, 0x28, 0x00 }, 3);
	c.n_bytes = 3;
	c.regs[0] = 0x7f0000000008;
	c.code = 0x80;
	c.trap = 13;
	c.has_address = false;
	assert_int_equal(vmt_crash_reason(&c, &host, &address), VMT_CRASH_MISALIGNED);
	assert_int_equal(address, 0x7f0000000008);
	c.regs[0] = 0x7f0000000010;
	assert_reason(&c, "general_protection");
	/* The alignment check tells no address on x86, where the instruction has one. */
	c.signal = SIGBUS;
	c.code = 1;
	c.trap = 17;
	c.regs[0] = 0x7f0000000001;
	assert_int_equal(vmt_crash_reason(&c, &host, &address), VMT_CRASH_MISALIGNED);
	assert_int_equal(address, 0x7f0000000001);
	assert_int_equal(vmt_crash_reason(&c, &arm, &address), VMT_CRASH_MISALIGNED);
	assert_int_equal(address, 0);
	c.has_address = true;
	c.address = 9;
	assert_int_equal(vmt_crash_reason(&c, &host, &address), VMT_CRASH_MISALIGNED);
	assert_int_equal(address, 9);
	/* movsb has two addresses: which of them it was is not known. */
	c.has_address = false;
	c.address = 0;
	c.bytes[0] = 0xa4;
	c.n_bytes = 1;
	assert_int_equal(vmt_crash_reason(&c, &host, &address), VMT_CRASH_MISALIGNED);
	assert_int_equal(address, 0);
}

static struct vmt_event row_of(const struct vmt_crash *c, struct vmt_arena *arena)
{
	struct vmt_event_raw e = { .call = VMT_CALL_CRASH, .end_ns = 5000, .crash = c };
	struct vmt_event r;

	assert_int_equal(vmt_event_row(&e, &host, 0, arena, &r), 0);
	return r;
}

/* A code has its name with the signal that it is of, and none where nobody knows it. */
static void names_of_codes(void **state)
{
	static const struct {
		int signal, code;
		const char *name;
	} cases[] = {
		{ SIGSEGV, 0, "SI_USER" },	{ SIGBUS, -1, "SI_QUEUE" },
		{ SIGSEGV, -6, "SI_TKILL" },	{ SIGBUS, 0x80, "SI_KERNEL" },
		{ SIGSEGV, 1, "SEGV_MAPERR" },	{ SIGBUS, 1, "BUS_ADRALN" },
		{ SIGSEGV, 10, "SEGV_CPERR" },	{ SIGSEGV, 11, NULL },
		{ SIGBUS, 5, "BUS_MCEERR_AO" }, { SIGBUS, 6, NULL },
		{ SIGSEGV, -2, NULL },		{ SIGBUS, -2, NULL },
		{ SIGSEGV, INT32_MAX, NULL },	{ SIGBUS, INT32_MIN, NULL },
	};
	struct vmt_arena arena;

	vmt_arena_init(&arena);
	for (size_t i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_crash c = crash_at(8);
		struct vmt_event r;

		c.signal = cases[i].signal;
		c.code = cases[i].code;
		c.sender = 9;
		r = row_of(&c, &arena);
		assert_int_equal(VMT_HAS(event, signal_code, &r), cases[i].name != NULL);
		if (cases[i].name && !vmt_bytes_is(r.signal_code, cases[i].name))
			fail_msg("%d of %d is '%.*s'", c.code, c.signal, (int)r.signal_code.len,
				 r.signal_code.ptr);
		/* A timer's code comes from whoever was interrupted, so it names no sender. */
		assert_int_equal(VMT_HAS(event, sender_pid, &r),
				 c.code == 0 || c.code == -1 || c.code == -6);
	}
	vmt_arena_done(&arena);
}

/* Rows of what is known in part: what is not has no field, and no words. */
static void parts_of_rows(void **state)
{
	struct vmt_crash c = overflow();
	struct vmt_arena arena;
	struct vmt_event r;

	vmt_arena_init(&arena);
	/* Without a limit there is none to tell; how far it would have grown is still known. */
	c.stack_limit = UINT64_MAX;
	c.below = (struct vmt_crash_map){ .end = c.address & ~(PAGE - 1), .vm_flags = RW };
	r = row_of(&c, &arena);
	assert_true(vmt_bytes_is(r.reason, "stack_overflow"));
	assert_false(VMT_HAS(event, stack_limit_bytes, &r));
	assert_field(event, stack_bytes, &r, (8 << 20) + PAGE);
	assert_non_null(memmem(r.text.ptr, r.text.len, "it would be 8.00M", 17));
	assert_null(memmem(r.text.ptr, r.text.len, "RLIMIT_STACK", 12));

	/* Neighbours that changed while they were read are none. */
	c = crash_at(0x7f0000001000);
	c.below = (struct vmt_crash_map){ .start = 0x7f0000000000, .end = 0x7f0000002000 };
	c.above = (struct vmt_crash_map){ .start = 0x7f0000000000, .end = 0x7f0000003000 };
	r = row_of(&c, &arena);
	assert_false(VMT_HAS(event, below_bytes, &r));
	assert_false(VMT_HAS(event, above_bytes, &r));
	c.above = (struct vmt_crash_map){ .start = 0x7f0000002000,
					  .end = 0x7f0000003000,
					  .vm_flags = RW | DOWN };
	c.sp = 0;
	r = row_of(&c, &arena);
	assert_field(event, above_bytes, &r, PAGE);
	assert_true(vmt_bytes_is(r.above_path, "[stack]"));

	/* A change that came behind the crash, or at no known time, was not what made it. */
	c.gone = (struct vmt_crash_change){ .ns = 5001, .tid = 3, .call = VMT_CALL_MUNMAP };
	r = row_of(&c, &arena);
	assert_false(VMT_HAS(event, changed_by, &r));
	c.gone.ns = 5000;
	r = row_of(&c, &arena);
	assert_true(vmt_bytes_is(r.changed_by, "munmap"));
	assert_field(event, changed_before_ns, &r, 0);

	/* Code of a file whose name is not known: where in it, but not of what. */
	c.image = (struct vmt_crash_map){ .start = 0x401000, .end = 0x402000, .inode = 3 };
	r = row_of(&c, &arena);
	assert_false(VMT_HAS(event, module, &r));
	assert_field(event, module_offset, &r, 0x136);
	c.symbol = VMT_BYTES("main");
	r = row_of(&c, &arena);
	assert_int_equal(strncmp(r.text.ptr, "crash by SIGSEGV at main: ", 26), 0);

	/* A device has no end, and its name may be unknown. */
	c = of_file(0);
	c.at.file_bytes = UINT64_MAX;
	c.at.path = (struct vmt_bytes){ 0 };
	r = row_of(&c, &arena);
	assert_true(vmt_bytes_is(r.reason, "unknown"));
	assert_false(VMT_HAS(event, file_size_bytes, &r));
	assert_false(VMT_HAS(event, path, &r));
	assert_field(event, inode, &r, 5);

	/* More pages are reserved than free: none is to be had. */
	c = of_file(0);
	c.at.vm_flags |= UINT64_C(0x400000);
	c.at.file_bytes = 1 << 30;
	c.has_huge = true;
	c.huge_bytes = 2 << 20;
	c.huge_free = 3;
	c.huge_reserved = 5;
	r = row_of(&c, &arena);
	assert_true(vmt_bytes_is(r.reason, "huge_pool_empty"));
	assert_field(event, free_huge_total, &r, 0);
	c.huge_free = 8;
	r = row_of(&c, &arena);
	assert_true(vmt_bytes_is(r.reason, "unknown"));
	assert_field(event, free_huge_total, &r, 3);
	/* Nothing of the mappings is known. */
	c.has_space = false;
	r = row_of(&c, &arena);
	assert_false(VMT_HAS(event, start, &r));
	vmt_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_mapping),	  cmocka_unit_test(stacks),
		cmocka_unit_test(protections),	  cmocka_unit_test(codes),
		cmocka_unit_test(changes),	  cmocka_unit_test(files),
		cmocka_unit_test(accesses),	  cmocka_unit_test(general),
		cmocka_unit_test(sentences),	  cmocka_unit_test(fields),
		cmocka_unit_test(frames),	  cmocka_unit_test(alignment),
		cmocka_unit_test(names_of_codes), cmocka_unit_test(parts_of_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
