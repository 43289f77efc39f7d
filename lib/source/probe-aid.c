/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-aid.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <unistd.h>

#include "base/mem.h"

/* Of a queue in one run: the verifier follows each round of the loop. */
#define AT_ONCE 256

int vmt_aid_try(uint32_t function)
{
	static const struct bpf_insn insns[] = {
		/* return 0 */
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0 },
		{ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_btf_id = function);
	int fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "vmt_try", "GPL", insns, VMT_ARRAY_LEN(insns),
			       &opts);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int vmt_aid_fill(int queue)
{
	const struct bpf_insn insns[] = {
		/* r6 = first; r7 = end; r8 = 0 */
		{ BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_6, BPF_REG_1, 0, 0 },
		{ BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_7, BPF_REG_1, 8, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_8, 0, 0, 0 },
		/* while (r6 < r7) { *(u32 *)(r10 - 4) = r6 */
		{ BPF_JMP | BPF_JGE | BPF_X, BPF_REG_6, BPF_REG_7, 11, 0 },
		{ BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, BPF_REG_6, -4, 0 },
		/* r0 = bpf_map_push_elem(queue, r10 - 4, 0) */
		{ BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, queue },
		{ 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 0 },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_push_elem },
		/* if (r0) break; r6++; if (++r8 >= AT_ONCE) break } */
		{ BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 3, 0 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_6, 0, 0, 1 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_8, 0, 0, 1 },
		{ BPF_JMP | BPF_JLT | BPF_K, BPF_REG_8, 0, -12, AT_ONCE },
		/* return r6 */
		{ BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_0, BPF_REG_6, 0, 0 },
		{ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
	};

	return bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "vmt_fill", "GPL", insns,
			     VMT_ARRAY_LEN(insns), NULL);
}
