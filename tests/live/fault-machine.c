/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Settings of the machine that workloads want, and how the kernel preempts. */

#include "fault-exact.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/parse.h"

#define BALANCING	"/proc/sys/kernel/numa_balancing"
#define BALANCING_DEBUG "/sys/kernel/debug/sched/numa_balancing/"
#define KSM		"/sys/kernel/mm/ksm/"
#define PREEMPT		"/sys/kernel/debug/sched/preempt"
#define SETTINGS_MAX	16

static struct {
	struct {
		const char *path;
		char before[24];
	} set[SETTINGS_MAX];
	size_t n;
	const char *swap;
	char preempt[80]; /* as it was; empty where it was not set */
} machine;

static int get(const char *path, char *text, size_t size)
{
	VMT_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (n < 0)
		return -errno;
	text[n] = 0;
	text[strcspn(text, "\n")] = 0;
	return 0;
}

static int put(const char *path, const char *text)
{
	VMT_AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t len = (ssize_t)strlen(text);

	return fd >= 0 && write(fd, text, (size_t)len) == len ? 0 : -errno;
}

/* What cannot be set shows in the workload that wants it. */
static void set(const char *path, const char *text)
{
	size_t i = machine.n;

	if (i == SETTINGS_MAX || get(path, machine.set[i].before, sizeof(machine.set[i].before)) ||
	    put(path, text))
		return;
	machine.set[i].path = path;
	machine.n++;
}

void machine_prepare(const char *group)
{
	/* Somebody else's machine stays as it is. */
	if (!getenv("GUEST_RESULTS"))
		return;
	(void)put("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	/* What may be a hint of balancing can be told from nothing else without fentry. */
	set(BALANCING, !strcmp(group, "numa") ? "1" : "0");
	if (!strcmp(group, "more")) {
		set("/proc/sys/vm/nr_hugepages", "24");
		set(KSM "sleep_millisecs", "10");
		set(KSM "pages_to_scan", "2000");
		set(KSM "run", "1");
	} else if (!strcmp(group, "swap")) {
		machine.swap = getenv("GUEST_SWAP");
		if (machine.swap && swapon(machine.swap, 0))
			machine.swap = NULL;
	} else if (!strcmp(group, "numa")) {
		set(BALANCING "_scan_delay_ms", "1");
		set(BALANCING "_scan_period_min_ms", "10");
		set(BALANCING_DEBUG "scan_delay_ms", "1");
		set(BALANCING_DEBUG "scan_period_min_ms", "10");
	}
}

void machine_restore(void)
{
	while (machine.n--)
		(void)put(machine.set[machine.n].path, machine.set[machine.n].before);
	machine.n = 0;
	if (machine.swap)
		swapoff(machine.swap);
	machine.swap = NULL;
}

/* The mode between brackets of a list like "none (voluntary) full". */
static const char *chosen(char *line)
{
	char *from = strchr(line, '('), *to = from ? strchr(from, ')') : NULL;

	if (!to)
		return NULL;
	*to = 0;
	return from + 1;
}

int machine_preempt(const char *mode, const char **ret_why)
{
	char line[80];
	const char *now;
	int r;

	if (!mode) {
		r = machine.preempt[0] ? put(PREEMPT, machine.preempt) : 0;
		machine.preempt[0] = 0;
		return r;
	}
	*ret_why = "this kernel cannot be told how to preempt (" PREEMPT ")";
	r = get(PREEMPT, line, sizeof(line));
	now = r ? NULL : chosen(line);
	if (!now)
		return r ? r : -EINVAL;
	snprintf(machine.preempt, sizeof(machine.preempt), "%s", now);
	*ret_why = "this kernel does not preempt that way";
	r = put(PREEMPT, mode);
	if (r)
		machine.preempt[0] = 0;
	return r;
}

/* As the kernel was built: by its configuration, else what its version says of it. */
static void built(const struct utsname *name, char *ret, size_t size)
{
	const char *version = strstr(name->version, "PREEMPT");
	char path[300], line[256];
	VMT_AUTO_FCLOSE FILE *f = NULL;

	snprintf(ret, size, "%.*s", version ? (int)strcspn(version, " ") : 4,
		 version ? version : "none");
	snprintf(path, sizeof(path), "/boot/config-%s", name->release);
	f = fopen(path, "re");
	while (!version && f && fgets(line, sizeof(line), f))
		if (!strcmp(line, "CONFIG_PREEMPT_VOLUNTARY=y\n"))
			snprintf(ret, size, "voluntary");
}

void machine_preempt_mode(char *ret, size_t size)
{
	struct utsname name;
	char line[80] = "";
	const char *mode;

	mode = get(PREEMPT, line, sizeof(line)) ? NULL : chosen(line);
	if (mode)
		snprintf(ret, size, "%s", mode);
	else if (uname(&name))
		snprintf(ret, size, "?");
	else
		built(&name, ret, size);
}
