/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/perf-event.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/parse.h"

int vmt_perf_event_open(struct perf_event_attr *attr, pid_t pid, int cpu)
{
	long fd = syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

void vmt_perf_fault_attr(struct perf_event_attr *attr, bool major)
{
	memset(attr, 0, sizeof(*attr));
	attr->type = PERF_TYPE_SOFTWARE;
	attr->size = sizeof(*attr);
	attr->config = major ? PERF_COUNT_SW_PAGE_FAULTS_MAJ : PERF_COUNT_SW_PAGE_FAULTS_MIN;
	attr->sample_period = 1;
	attr->disabled = 1;
}

int vmt_perf_event_start(int fd)
{
	if (ioctl(fd, PERF_EVENT_IOC_RESET, 0) || ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		return -errno;
	return 0;
}

int vmt_perf_event_stop(int fd)
{
	return ioctl(fd, PERF_EVENT_IOC_DISABLE, 0) ? -errno : 0;
}

int vmt_perf_event_period(int fd, uint64_t period)
{
	return ioctl(fd, PERF_EVENT_IOC_PERIOD, &period) ? -errno : 0;
}

int vmt_perf_event_read(int fd, uint64_t *ret_count)
{
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof(count));

	if (n < 0)
		return -errno;
	if (n != sizeof(count))
		return -EIO;
	*ret_count = count;
	return 0;
}

int vmt_cpus_online(int (*fn)(unsigned cpu, void *data), void *data)
{
	VMT_AUTO_CLOSE int fd = open("/sys/devices/system/cpu/online", O_RDONLY | O_CLOEXEC);
	char text[4096];
	struct vmt_bytes cur = { text, 0 };
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text));
	if (n < 0)
		return -errno;
	cur.len = (size_t)n;
	while (cur.len && vmt_is_digit(cur.ptr[0])) {
		uint64_t first, last;
		int r = vmt_take_u64(&cur, &first);

		if (r)
			return r;
		last = first;
		if (!vmt_take_char(&cur, '-')) {
			r = vmt_take_u64(&cur, &last);
			if (r)
				return r;
		}
		if (last < first || last > 1u << 20)
			return -EINVAL;
		for (; first <= last; first++) {
			r = fn((unsigned)first, data);
			if (r)
				return r;
		}
		(void)vmt_take_char(&cur, ',');
	}
	return 0;
}
