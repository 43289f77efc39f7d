/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel that refuses, or says yes and does nothing: syscall() of whoever is linked with this, or
 * has it preloaded, libbpf included. VMTOP_SHIM, looked at in every call, says what goes wrong:
 *
 *	spoil NAME	the program's first instruction is one that no verifier lets pass
 *	flood NAME	the same, and the verifier fills all the room that there is for its log
 *	attach N	the Nth attachment from now on gets EBUSY
 *	silent		software events of page faults without records never happen
 *
 * Everything else goes on as ever: what comes of it the kernel decides.
 */
#include "bpf-shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INSNS_MOST (1u << 20)

unsigned long bpf_shim_calls[BPF_SHIM_COMMANDS];
unsigned bpf_shim_attached;

typedef long (*call_fn)(long number, ...);

static call_fn real_call(void)
{
	static call_fn real;

	if (!real)
		real = (call_fn)dlsym(RTLD_NEXT, "syscall");
	return real;
}

/* The argument of what VMTOP_SHIM says, where it says this; else NULL. */
static const char *told(const char *what)
{
	const char *env = getenv("VMTOP_SHIM");
	size_t n = strlen(what);

	if (!env || strncmp(env, what, n) != 0 || (env[n] && env[n] != ' '))
		return NULL;
	return env[n] ? env + n + 1 : env + n;
}

static void flood(const union bpf_attr *attr)
{
	char *log = (char *)(uintptr_t)attr->log_buf;
	static const char line[] = "a line of a log that has no end\n";

	if (!log || attr->log_size < sizeof(line))
		return;
	for (size_t i = 0; i < attr->log_size - 1; i++)
		log[i] = line[i % (sizeof(line) - 1)];
	log[attr->log_size - 1] = 0;
}

/* Loads the program with r0 = *(u64 *)(r10 + 8): above its stack, where nobody may read. */
static long load_spoilt(union bpf_attr *attr, unsigned size, bool flooded)
{
	struct bpf_insn *copy;
	union bpf_attr mine;
	int error;
	long r;

	if (attr->insn_cnt > INSNS_MOST)
		return -1;
	copy = malloc(attr->insn_cnt * sizeof(*copy));
	if (!copy)
		return -1;
	memcpy(copy, (const void *)(uintptr_t)attr->insns, attr->insn_cnt * sizeof(*copy));
	copy[0] = (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_DW,
				     .dst_reg = BPF_REG_0,
				     .src_reg = BPF_REG_10,
				     .off = 8 };
	memset(&mine, 0, sizeof(mine));
	memcpy(&mine, attr, size < sizeof(mine) ? size : sizeof(mine));
	mine.insns = (uintptr_t)copy;
	r = real_call()(SYS_bpf, BPF_PROG_LOAD, &mine, size < sizeof(mine) ? size : sizeof(mine));
	error = errno;
	if (r < 0 && flooded)
		flood(attr);
	free(copy);
	errno = error;
	return r;
}

static bool attaches(int command, const union bpf_attr *attr)
{
	if (command == BPF_RAW_TRACEPOINT_OPEN)
		return true;
	/* libbpf asks for a link to nothing, to see whether the kernel has such links. */
	return command == BPF_LINK_CREATE && (int)attr->link_create.target_fd != -1;
}

static long bpf(int command, union bpf_attr *attr, unsigned size)
{
	const char *spoil = told("spoil"), *all = told("flood"), *nth = told("attach");

	if (command >= 0 && command < BPF_SHIM_COMMANDS)
		bpf_shim_calls[command]++;
	if (command == BPF_PROG_LOAD &&
	    ((spoil && !strncmp(attr->prog_name, spoil, BPF_OBJ_NAME_LEN - 1)) ||
	     (all && !strncmp(attr->prog_name, all, BPF_OBJ_NAME_LEN - 1))))
		return load_spoilt(attr, size, all != NULL);
	if (nth && attaches(command, attr) && ++bpf_shim_attached == strtoul(nth, NULL, 10)) {
		errno = EBUSY;
		return -1;
	}
	return real_call()(SYS_bpf, command, attr, size);
}

static void silence(struct perf_event_attr *attr)
{
	if (attr->type == PERF_TYPE_SOFTWARE && !attr->sample_type &&
	    (attr->config == PERF_COUNT_SW_PAGE_FAULTS_MIN ||
	     attr->config == PERF_COUNT_SW_PAGE_FAULTS_MAJ))
		attr->config = PERF_COUNT_SW_DUMMY;
}

long syscall(long number, ...)
{
	long args[6];
	va_list list;

	va_start(list, number);
	for (size_t i = 0; i < 6; i++)
		args[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_bpf)
		return bpf((int)args[0], (union bpf_attr *)args[1], (unsigned)args[2]);
	if (number == SYS_perf_event_open && told("silent"))
		silence((struct perf_event_attr *)args[0]);
	return real_call()(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}
