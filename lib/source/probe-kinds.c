/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "bpf/fault.h"
#include "source/probe-load.h"

/* The first bytes of a file, or "" where it cannot be read. */
static void read_setting(const char *path, char *text, size_t size)
{
	VMT_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	text[n < 0 ? 0 : n] = 0;
}

#define THP "/sys/kernel/mm/transparent_hugepage/"

uint32_t vmt_probe_kind_facts(uint32_t have)
{
	static const struct {
		uint32_t hook;
		uint32_t fact;
	} hooks[] = {
		{ VMT_HOOK_WP, VMT_SEES_WP },
		{ VMT_HOOK_SWAP, VMT_SEES_SWAP },
		{ VMT_HOOK_FAULT, VMT_SEES_FAULT },
		{ VMT_HOOK_THP, VMT_SEES_THP },
		{ VMT_HOOK_HUGE_WP | VMT_HOOK_HUGE_WP_KPROBE, VMT_SEES_HUGE_WP },
		{ VMT_HOOK_NUMA, VMT_SEES_NUMA },
		{ VMT_HOOK_USERFAULT, VMT_SEES_USERFAULT },
		{ VMT_HOOK_TABLES, VMT_SEES_TABLES },
	};
	char own[80], all[80], numa[16];
	struct sysinfo si;
	uint32_t facts = 0;

	for (size_t i = 0; i < VMT_ARRAY_LEN(hooks); i++)
		if (have & hooks[i].hook)
			facts |= hooks[i].fact;
	if (sysinfo(&si) || si.totalswap)
		facts |= VMT_MAY_SWAP;
	/* Absent: a kernel without it. */
	read_setting("/proc/sys/kernel/numa_balancing", numa, sizeof(numa));
	if (numa[0] && numa[0] != '0')
		facts |= VMT_MAY_NUMA;
	read_setting(THP "enabled", all, sizeof(all));
	read_setting(THP "hugepages-2048kB/enabled", own, sizeof(own));
	if (strstr(own, "[always]") ||
	    ((!own[0] || strstr(own, "[inherit]")) && strstr(all, "[always]")))
		facts |= VMT_MAY_THP;
	if (strstr(own, "[madvise]") ||
	    ((!own[0] || strstr(own, "[inherit]")) && strstr(all, "[madvise]")))
		facts |= VMT_MAY_THP_MADVISE;
	return facts;
}
