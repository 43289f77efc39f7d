/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <inttypes.h>
#include <signal.h>

#include "model/crash.h"
#include "model/events.h"
#include "model/x86-operand.h"

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
	assert_int_equal(vmt_crash_access(&c, VMT_BYTES("riscv64")), VMT_CRASH_ACCESS_UNKNOWN);
	c.has_trap = false;
	assert_int_equal(vmt_crash_access(&c, arm.machine), VMT_CRASH_ACCESS_UNKNOWN);
}

/* What an assembler makes of the line; regs are 0x1000 times their number, plus 0x1000. */
static void operands(void **state)
{
	static const struct {
		const char *line;
		uint8_t bytes[12];
		unsigned len;
		int n; /* addresses; -1: not understood */
		uint64_t first, second;
	} cases[] = {
		{ "mov (%rax),%cl", { 0x8a, 0x08 }, 2, 1, 0x1000, 0 },
		{ "mov %ecx,-8(%rbp)", { 0x89, 0x4d, 0xf8 }, 3, 1, 0x5ff8, 0 },
		{ "mov 0x12345678(%r13),%r9",
		  { 0x4d, 0x8b, 0x8d, 0x78, 0x56, 0x34, 0x12 },
		  7,
		  1,
		  0x12353678,
		  0 },
		{ "mov 4(%r12,%rcx,8),%eax",
		  { 0x41, 0x8b, 0x44, 0xcc, 0x04 },
		  5,
		  1,
		  0xd000 + 0x2000 * 8 + 4,
		  0 },
		{ "mov (%rsp),%rax", { 0x48, 0x8b, 0x04, 0x24 }, 4, 1, 0x4aaa, 0 },
		{ "mov 0x10(,%r9,2),%eax",
		  { 0x42, 0x8b, 0x04, 0x4d, 0x10, 0, 0, 0 },
		  8,
		  1,
		  0xa000 * 2 + 0x10,
		  0 },
		{ "movzbl (%rdi),%eax", { 0x0f, 0xb6, 0x07 }, 3, 1, 0x8000, 0 },
		{ "movaps %xmm0,8(%rdx)", { 0x0f, 0x29, 0x42, 0x08 }, 4, 1, 0x3008, 0 },
		{ "pshufb (%rsi),%xmm1", { 0x66, 0x0f, 0x38, 0x00, 0x0e }, 5, 1, 0x7000, 0 },
		{ "vmovdqu (%rdi),%ymm0", { 0xc5, 0xfe, 0x6f, 0x07 }, 4, 1, 0x8000, 0 },
		{ "vpcmpeqb (%r8),%ymm0,%ymm1", { 0xc4, 0xc1, 0x7d, 0x74, 0x08 }, 5, 1, 0x9000, 0 },
		{ "vmovdqu64 (%rsi),%zmm16",
		  { 0x62, 0xe1, 0xfe, 0x48, 0x6f, 0x06 },
		  6,
		  1,
		  0x7000,
		  0 },
		/* The displacement is scaled. */
		{ "vmovdqu64 0x40(%rsi),%zmm16",
		  { 0x62, 0xe1, 0xfe, 0x48, 0x6f, 0x46, 0x01 },
		  7,
		  -1,
		  0,
		  0 },
		{ "rep movsb", { 0xf3, 0xa4 }, 2, 2, 0x7000, 0x8000 },
		{ "rep stosq", { 0xf3, 0x48, 0xab }, 3, 1, 0x8000, 0 },
		{ "push %rbx", { 0x53 }, 1, 1, 0x4aaa, 0 },
		{ "leave", { 0xc9 }, 1, 1, 0x6000, 0 },
		{ "ret", { 0xc3 }, 1, 1, UINT64_C(0x4141414141414141), 0 },
		{ "call *%r11", { 0x41, 0xff, 0xd3 }, 3, 1, 0xc000, 0 },
		{ "jmp *8(%rax)", { 0xff, 0x60, 0x08 }, 3, 1, 0x1008, 0 },
		{ "lea (%rax),%rcx", { 0x48, 0x8d, 0x08 }, 3, -1, 0, 0 },
		{ "add %eax,%ecx", { 0x01, 0xc1 }, 2, -1, 0, 0 },
		{ "mov 0(%rip),%eax", { 0x8b, 0x05, 0, 0, 0, 0 }, 6, -1, 0, 0 },
		{ "mov %fs:(%rax),%ecx", { 0x64, 0x8b, 0x08 }, 3, -1, 0, 0 },
		{ "int $0x81", { 0xcd, 0x81 }, 2, -1, 0, 0 },
		{ "mov (%eax),%ecx", { 0x67, 0x8b, 0x08 }, 3, 1, 0x1000, 0 },
		/* Cut off. */
		{ "mov ...", { 0x8b, 0x80, 1, 2, 3 }, 5, -1, 0, 0 },
		{ "nothing", { 0 }, 0, -1, 0, 0 },
		{ "prefixes", { 0x66, 0xf3, 0x48 }, 3, -1, 0, 0 },
	};
	const uint64_t top = UINT64_C(0x4141414141414141);
	uint64_t regs[16];

	for (unsigned i = 0; i < 16; i++)
		regs[i] = 0x1000 * (i + 1);
	regs[4] = 0x4aaa;
	for (size_t i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_x86_operand o;
		bool good = vmt_x86_operand(cases[i].bytes, cases[i].len, regs, &top, &o);

		if (good != (cases[i].n >= 0) || (good && (int)o.n != cases[i].n) ||
		    (good && o.address[0] != cases[i].first) || o.address[1] != cases[i].second)
			fail_msg("%s: %d, %u addresses, 0x%" PRIx64 ", 0x%" PRIx64, cases[i].line,
				 good, o.n, o.address[0], o.address[1]);
	}
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_mapping),  cmocka_unit_test(stacks),
		cmocka_unit_test(protections), cmocka_unit_test(codes),
		cmocka_unit_test(changes),     cmocka_unit_test(files),
		cmocka_unit_test(accesses),    cmocka_unit_test(operands),
		cmocka_unit_test(general),     cmocka_unit_test(sentences),
		cmocka_unit_test(fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
