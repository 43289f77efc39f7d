/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "source/collect-private.h"

size_t vmt_kept_ran(int proc_fd, struct vmt_kept_files *kept, char *ran)
{
	char path[40];
	ssize_t n;

	if (kept->schedstat < 0) {
		snprintf(path, sizeof(path), "%" PRIu64 "/schedstat", kept->pid);
		kept->schedstat = vmt_open_at(proc_fd, path);
		/* A kernel without CONFIG_SCHED_INFO. */
		if (kept->schedstat < 0) {
			kept->schedstat = -1;
			return 0;
		}
	}
	do
		n = pread(kept->schedstat, ran, VMT_KEPT_RAN_MAX, 0);
	while (n < 0 && errno == EINTR);
	/* "0 0 0" is what it says where nothing is counted (fs/proc/base.c, proc_pid_schedstat()).
	 */
	if (n <= 0 || n == VMT_KEPT_RAN_MAX || ran[0] == '0')
		return 0;
	return (size_t)n;
}

void vmt_kept_forget(struct vmt_kept_files *kept)
{
	vmt_closep(&kept->schedstat);
	kept->schedstat = -1;
	kept->runs = false;
	free(VMT_STEAL(kept->last));
}

void vmt_kept_remember(struct vmt_kept_files *kept, const char *ran, size_t ran_len,
		       const struct vmt_proc *p, const struct vmt_pid_facts *facts)
{
	struct vmt_kept_stat *last = kept->last;

	if (!ran_len || !VMT_HAS(proc, threads, p) || p->threads != 1 ||
	    !VMT_HAS(proc, start_time_ns, p) || !VMT_HAS(proc, comm, p) ||
	    p->comm.len > VMT_KEPT_COMM_MAX) {
		vmt_kept_forget(kept);
		kept->runs = true;
		return;
	}
	if (!last)
		last = kept->last = malloc(sizeof(*last));
	if (!last) {
		vmt_kept_forget(kept);
		return;
	}
	*last = (struct vmt_kept_stat){
		.ran_len = ran_len,
		.ppid = p->ppid,
		.minor_faults_total = p->minor_faults_total,
		.major_faults_total = p->major_faults_total,
		.start_time_ns = p->start_time_ns,
		.flags = facts->flags,
		.state = p->state,
		.comm_len = p->comm.len,
	};
	memcpy(last->ran, ran, ran_len);
	if (p->comm.len)
		memcpy(last->comm, p->comm.ptr, p->comm.len);
	/* It would only take memory. */
	vmt_closep(&kept->stat);
	kept->stat = -1;
}

int vmt_kept_recall(const struct vmt_kept_stat *last, struct vmt_arena *arena, struct vmt_proc *p,
		    struct vmt_pid_facts *facts)
{
	if (arena) {
		const char *comm = vmt_arena_copy(arena, last->comm, last->comm_len);

		if (!comm)
			return -ENOMEM;
		VMT_SET(proc, comm, p, ((struct vmt_bytes){ comm, last->comm_len }));
	}
	/* These may change, a little, without it running: where it waits to run, or is adopted. */
	if (!VMT_HAS(proc, state, p))
		VMT_SET(proc, state, p, last->state);
	if (!VMT_HAS(proc, ppid, p))
		VMT_SET(proc, ppid, p, last->ppid);
	VMT_SET(proc, threads, p, 1);
	VMT_SET(proc, minor_faults_total, p, last->minor_faults_total);
	VMT_SET(proc, major_faults_total, p, last->major_faults_total);
	VMT_SET(proc, start_time_ns, p, last->start_time_ns);
	facts->flags = last->flags;
	facts->told_kthread = true;
	facts->kthread |= (last->flags & VMT_PF_KTHREAD) != 0;
	return 0;
}
