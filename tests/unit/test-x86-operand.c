/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <inttypes.h>

#include "model/x86-operand.h"

/* rax 0x1000, rcx 0x2000, and so on up to r15 0x10000. */
static void registers(uint64_t regs[16])
{
	unsigned i;

	for (i = 0; i < 16; i++)
		regs[i] = 0x1000 * (i + 1);
}

static bool operand(const char *bytes, size_t n, const uint64_t *top, struct vmt_x86_operand *ret)
{
	/* On the heap and of that size, so that reading behind its end is seen. */
	uint8_t *copy = malloc(n ? n : 1);
	uint64_t regs[16];
	bool understood;

	registers(regs);
	memcpy(copy, bytes, n);
	understood = vmt_x86_operand(copy, n, regs, top, ret);
	free(copy);
	return understood;
}

struct wanted {
	const char *bytes;
	size_t n;
	uint64_t address;
	uint64_t align;
	const char *line;
};
#define CODE(text) text, sizeof(text) - 1

/* One operand in memory. */
static void test_operands(void **state)
{
	static const struct wanted cases[] = {
		{ CODE("\x8b\x00"), 0x1000, 0, "mov eax,[rax]" },
		{ CODE("\x41\x8b\x07"), 0x10000, 0, "mov eax,[r15]" },
		{ CODE("\x8b\x40\xf0"), 0xff0, 0, "mov eax,[rax-16]" },
		{ CODE("\x8b\x80\x00\x01\x00\x00"), 0x1100, 0, "mov eax,[rax+256]" },
		{ CODE("\x67\x8b\x40\xf0"), 0xff0, 0, "mov eax,[eax-16]" },
		{ CODE("\x8b\x04\x24"), 0x5000, 0, "mov eax,[rsp]" },
		{ CODE("\x41\x8b\x04\x24"), 0xd000, 0, "mov eax,[r12]" },
		{ CODE("\x8b\x04\x88"), 0x9000, 0, "mov eax,[rax+rcx*4]" },
		{ CODE("\x42\x8b\x04\xa0"), 0x35000, 0, "mov eax,[rax+r12*4]" },
		{ CODE("\x8b\x44\x25\x08"), 0x6008, 0, "mov eax,[rbp+8], no index" },
		{ CODE("\x8b\x04\x25\x34\x12\x00\x00"), 0x1234, 0, "mov eax,[0x1234]" },
		{ CODE("\x8b\x45\x00"), 0x6000, 0, "mov eax,[rbp]" },
		/* Opcodes of one byte, of each row that has operands. */
		{ CODE("\x00\x00"), 0x1000, 0, "add [rax],al" },
		{ CODE("\x63\x00"), 0x1000, 0, "movsxd eax,[rax]" },
		{ CODE("\x69\x00\x01\x00\x00\x00"), 0x1000, 0, "imul eax,[rax],1" },
		{ CODE("\x6b\x00\x01"), 0x1000, 0, "imul eax,[rax],1" },
		{ CODE("\x80\x00\x01"), 0x1000, 0, "add byte [rax],1" },
		{ CODE("\xc0\x00\x01"), 0x1000, 0, "rol byte [rax],1" },
		{ CODE("\xc1\x00\x01"), 0x1000, 0, "rol dword [rax],1" },
		{ CODE("\xc6\x00\x01"), 0x1000, 0, "mov byte [rax],1" },
		{ CODE("\xc7\x00\x01\x00\x00\x00"), 0x1000, 0, "mov dword [rax],1" },
		{ CODE("\xd1\x00"), 0x1000, 0, "rol dword [rax],1" },
		{ CODE("\xd8\x00"), 0x1000, 0, "fadd dword [rax]" },
		{ CODE("\xdf\x28"), 0x1000, 0, "fild qword [rax]" },
		{ CODE("\xf6\x10"), 0x1000, 0, "not byte [rax]" },
		{ CODE("\xf7\x10"), 0x1000, 0, "not dword [rax]" },
		{ CODE("\xfe\x00"), 0x1000, 0, "inc byte [rax]" },
		{ CODE("\xff\x00"), 0x1000, 0, "inc dword [rax]" },
		/* Of two. */
		{ CODE("\x0f\x0d\x00"), 0x1000, 0, "prefetch [rax]" },
		{ CODE("\x0f\x10\x00"), 0x1000, 0, "movups xmm0,[rax]" },
		{ CODE("\x0f\x24\x00"), 0x1000, 0, "between those of the kernel" },
		{ CODE("\x0f\x40\x00"), 0x1000, 0, "cmovo eax,[rax]" },
		{ CODE("\x0f\x90\x00"), 0x1000, 0, "seto [rax]" },
		{ CODE("\x0f\xa3\x00"), 0x1000, 0, "bt [rax],eax" },
		{ CODE("\x0f\xab\x00"), 0x1000, 0, "bts [rax],eax" },
		{ CODE("\x0f\xc1\x00"), 0x1000, 0, "xadd [rax],eax" },
		{ CODE("\x0f\xd6\x00"), 0x1000, 0, "movq [rax],xmm0" },
		/* Of three. */
		{ CODE("\x66\x0f\x38\x00\x00"), 0x1000, 0, "pshufb xmm0,[rax]" },
		{ CODE("\x66\x0f\x3a\x0f\x00\x08"), 0x1000, 0, "palignr xmm0,[rax],8" },
		/* Those that want their operand aligned, and those that are like them. */
		{ CODE("\x0f\x28\x00"), 0x1000, 16, "movaps xmm0,[rax]" },
		{ CODE("\x0f\x29\x00"), 0x1000, 16, "movaps [rax],xmm0" },
		{ CODE("\x0f\x2b\x00"), 0x1000, 16, "movntps [rax],xmm0" },
		{ CODE("\x66\x0f\xe7\x00"), 0x1000, 16, "movntdq [rax],xmm0" },
		{ CODE("\x66\x0f\x6f\x00"), 0x1000, 16, "movdqa xmm0,[rax]" },
		{ CODE("\x66\x0f\x7f\x00"), 0x1000, 16, "movdqa [rax],xmm0" },
		{ CODE("\xf3\x0f\x6f\x00"), 0x1000, 0, "movdqu xmm0,[rax]" },
		{ CODE("\x66\x0f\x6e\x00"), 0x1000, 0, "movd xmm0,[rax]" },
		/* VEX of two and three bytes, whose registers are inverted, and EVEX. */
		{ CODE("\xc5\xf8\x28\x00"), 0x1000, 0, "vmovaps xmm0,[rax]" },
		{ CODE("\xc4\xc1\x78\x28\x00"), 0x9000, 0, "vmovaps xmm0,[r8]" },
		{ CODE("\xc4\xa1\x78\x28\x04\x08"), 0xb000, 0, "vmovaps xmm0,[rax+r9]" },
		{ CODE("\xc4\xe2\x7d\x30\x00"), 0x1000, 0, "vpmovzxbw ymm0,[rax]" },
		{ CODE("\xc4\xe3\x79\x14\x00\x01"), 0x1000, 0, "vpextrb [rax],xmm0,1" },
		{ CODE("\x62\xf1\x7c\x48\x28\x00"), 0x1000, 0, "vmovaps zmm0,[rax]" },
		{ CODE("\x62\xf1\x7c\x48\x28\x80\x00\x01\x00\x00"), 0x1100, 0,
		  "vmovaps zmm0,[rax+256]" },
	};
	struct vmt_x86_operand o;
	size_t i, n;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		if (!operand(cases[i].bytes, cases[i].n, NULL, &o) || o.n != 1 || o.privileged ||
		    o.target || o.address[0] != cases[i].address || o.align != cases[i].align)
			fail_msg("%s", cases[i].line);
		/* Of bytes that end before the operand nothing is told. */
		for (n = 0; n < cases[i].n; n++)
			if (operand(cases[i].bytes, n, NULL, &o) &&
			    o.address[0] != cases[i].address)
				fail_msg("%s, %zu bytes", cases[i].line, n);
	}
}

/* Operands that no byte names: string instructions, and those of the stack. */
static void test_implied(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		unsigned count;
		uint64_t first, second;
	} cases[] = {
		{ CODE("\xa4"), 2, 0x7000, 0x8000 },
		{ CODE("\xf3\xa7"), 2, 0x7000, 0x8000 },
		{ CODE("\xac"), 1, 0x7000, 0 },
		{ CODE("\xad"), 1, 0x7000, 0 },
		{ CODE("\xaa"), 1, 0x8000, 0 },
		{ CODE("\xab"), 1, 0x8000, 0 },
		{ CODE("\xae"), 1, 0x8000, 0 },
		{ CODE("\xaf"), 1, 0x8000, 0 },
		{ CODE("\xc9"), 1, 0x6000, 0 },
		{ CODE("\x50"), 1, 0x5000, 0 },
		{ CODE("\x5f"), 1, 0x5000, 0 },
		{ CODE("\x6a\x01"), 1, 0x5000, 0 },
		{ CODE("\x68\x01\x00\x00\x00"), 1, 0x5000, 0 },
		{ CODE("\xe8\x00\x00\x00\x00"), 1, 0x5000, 0 },
		{ CODE("\xc3"), 1, 0x5000, 0 },
		{ CODE("\xc2\x08\x00"), 1, 0x5000, 0 },
	};
	static const uint64_t canonical = 0x401000, not_canonical = UINT64_C(0x4141414141414141);
	struct vmt_x86_operand o;
	uint64_t regs[16];
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		assert_true(operand(cases[i].bytes, cases[i].n, NULL, &o));
		assert_int_equal(o.n, cases[i].count);
		assert_int_equal(o.address[0], cases[i].first);
		assert_int_equal(o.address[1], cases[i].second);
		assert_false(o.target);
	}
	/* A return fails for where it goes to, or for the stack it is read of. */
	assert_true(operand("\xc3", 1, &canonical, &o));
	assert_int_equal(o.address[0], 0x5000);
	assert_false(o.target);
	assert_true(operand("\xc3", 1, &not_canonical, &o));
	assert_true(o.address[0] == not_canonical);
	assert_true(o.target);
	registers(regs);
	regs[4] = UINT64_C(0x4242424242424242);
	assert_true(vmt_x86_operand((const uint8_t *)"\xc3", 1, regs, &not_canonical, &o));
	assert_true(o.address[0] == regs[4]);
	assert_false(o.target);
}

static void test_jumps(void **state)
{
	static const struct wanted cases[] = {
		{ CODE("\xff\xd0"), 0x1000, 0, "call rax" },
		{ CODE("\xff\xe1"), 0x2000, 0, "jmp rcx" },
		{ CODE("\x41\xff\xe0"), 0x9000, 0, "jmp r8" },
	};
	struct vmt_x86_operand o;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		if (!operand(cases[i].bytes, cases[i].n, NULL, &o) || !o.target || o.n != 1 ||
		    o.address[0] != cases[i].address)
			fail_msg("%s", cases[i].line);
	}
}

/* Instructions of the kernel, which no address says anything about. */
static void test_privileged(void **state)
{
	static const struct wanted cases[] = {
		{ CODE("\xf4"), 0, 0, "hlt" },
		{ CODE("\xfa"), 0, 0, "cli" },
		{ CODE("\xfb"), 0, 0, "sti" },
		{ CODE("\xe4\x01"), 0, 0, "in al,1" },
		{ CODE("\xe7\x01"), 0, 0, "out 1,eax" },
		{ CODE("\xec"), 0, 0, "in al,dx" },
		{ CODE("\xef"), 0, 0, "out dx,eax" },
		{ CODE("\x6c"), 0, 0, "insb" },
		{ CODE("\xf3\x6f"), 0, 0, "rep outsd" },
		{ CODE("\x0f\x06"), 0, 0, "clts" },
		{ CODE("\x0f\x08"), 0, 0, "invd" },
		{ CODE("\x0f\x09"), 0, 0, "wbinvd" },
		{ CODE("\x0f\x30"), 0, 0, "wrmsr" },
		{ CODE("\x0f\x32"), 0, 0, "rdmsr" },
		{ CODE("\x0f\x20\xc0"), 0, 0, "mov cr0" },
		{ CODE("\x0f\x23\xc0"), 0, 0, "mov dr0" },
		{ CODE("\x64\x6c"), 0, 0, "insb, based" },
	};
	struct vmt_x86_operand o;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		if (!operand(cases[i].bytes, cases[i].n, NULL, &o) || !o.privileged || o.n)
			fail_msg("%s", cases[i].line);
	}
}

/* Without an operand, with one that cannot be told, or of no instruction. */
static void test_not_told(void **state)
{
	static const struct wanted cases[] = {
		{ CODE(""), 0, 0, "nothing" },
		{ CODE("\x66"), 0, 0, "a prefix" },
		{ CODE("\x48"), 0, 0, "REX" },
		{ CODE("\x0f"), 0, 0, "half an opcode" },
		{ CODE("\x0f\x38"), 0, 0, "two thirds" },
		{ CODE("\xc4\xe0\x78\x28\x00"), 0, 0, "VEX of no map" },
		{ CODE("\xc4\xe4\x78\x28\x00"), 0, 0, "VEX of another map" },
		{ CODE("\x62\xf1\x7c\x48\x28\x40\x01"), 0, 0, "a scaled displacement" },
		{ CODE("\x64\x8b\x00"), 0, 0, "mov eax,fs:[rax]" },
		{ CODE("\x65\x8b\x00"), 0, 0, "mov eax,gs:[rax]" },
		{ CODE("\x8b\x05\x00\x00\x00\x00"), 0, 0, "mov eax,[rip]" },
		{ CODE("\x8d\x00"), 0, 0, "lea eax,[rax]" },
		{ CODE("\x8b\xc0"), 0, 0, "mov eax,eax" },
		{ CODE("\xff\xc0"), 0, 0, "inc eax" },
		{ CODE("\x0f\x28\xc0"), 0, 0, "movaps xmm0,xmm0" },
		{ CODE("\x04\x01"), 0, 0, "add al,1" },
		{ CODE("\x90"), 0, 0, "nop" },
		{ CODE("\xa8\x01"), 0, 0, "test al,1" },
		{ CODE("\xb8\x00\x00\x00\x00"), 0, 0, "mov eax,0" },
		{ CODE("\xe9\x00\x00\x00\x00"), 0, 0, "jmp" },
		{ CODE("\xf5"), 0, 0, "cmc" },
		{ CODE("\x0f\x05"), 0, 0, "syscall" },
		{ CODE("\x0f\x0b"), 0, 0, "ud2" },
		{ CODE("\x0f\x0e"), 0, 0, "femms" },
		{ CODE("\x0f\x31"), 0, 0, "rdtsc" },
		{ CODE("\x0f\x77"), 0, 0, "emms" },
		{ CODE("\x0f\x84\x00\x00\x00\x00"), 0, 0, "je" },
		{ CODE("\x0f\xa2"), 0, 0, "cpuid" },
		{ CODE("\x0f\xa9"), 0, 0, "pop gs" },
		{ CODE("\x0f\xc9"), 0, 0, "bswap ecx" },
		{ CODE("\xc5\xf8\x77"), 0, 0, "vzeroupper" },
	};
	struct vmt_x86_operand o;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		if (operand(cases[i].bytes, cases[i].n, NULL, &o))
			fail_msg("%s", cases[i].line);
	}
}

/* What an assembler makes of the line; regs are 0x1000 times their number, plus 0x1000. */
static void test_lines(void **state)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operands), cmocka_unit_test(test_implied),
		cmocka_unit_test(test_jumps),	 cmocka_unit_test(test_privileged),
		cmocka_unit_test(test_not_told), cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
