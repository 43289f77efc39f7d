/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct perf_event_attr;

/* perf_event_open(2), close-on-exec; the descriptor or -errno. */
int vmt_perf_event_open(struct perf_event_attr *attr, pid_t pid, int cpu);

/*
 * The software event of minor or major faults (PERF_COUNT_SW_PAGE_FAULTS_MIN and _MAJ), one sample
 * a fault, disabled. It fires where mm_account_fault() has just counted a fault that has registers:
 * not for get_user_pages().
 */
void vmt_perf_fault_attr(struct perf_event_attr *attr, bool major);

/* Begins at 0; stops; gives the count. 0 or -errno. No privilege is needed. */
int vmt_perf_event_start(int fd);
int vmt_perf_event_stop(int fd);
/* One of so many has a sample from here on; the next one has. 0 or -errno. */
int vmt_perf_event_period(int fd, uint64_t period);
int vmt_perf_event_read(int fd, uint64_t *ret_count);

/*
 * The CPUs of a list such as /sys/devices/system/cpu/online holds ("0-3,8"), one call of fn each,
 * until one is not 0. That value, or 0; -errno where the list cannot be read.
 */
int vmt_cpus_online(int (*fn)(unsigned cpu, void *data), void *data);
