/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/sandbox.h"

#include "cmd/privilege.h"
#include "vmtop-config.h"

#ifdef VMT_HAVE_SECCOMP

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "source/exact-path.h"
#include "source/pagemap.h"

/* Of Linux 6.5; the same on every architecture, and libseccomp may be older. */
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

/* Of an open file to be written to, in any way. O_TMPFILE has the bit of O_DIRECTORY as well. */
#define WRITES (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY))

/*
 * Calls that need no look at their arguments. A name that an architecture has not is left out by
 * libseccomp.
 */
static const int always[] = {
	/* files that are open, and what names say */
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(pread64),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(lseek),
	SCMP_SYS(_llseek),
	SCMP_SYS(fstat),
	SCMP_SYS(fstat64),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fstatat64),
	SCMP_SYS(statx),
	SCMP_SYS(fstatfs),
	SCMP_SYS(getdents64),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(fcntl),
	SCMP_SYS(fcntl64),
	SCMP_SYS(ftruncate),
	SCMP_SYS(ftruncate64),
	SCMP_SYS(fadvise64),
	SCMP_SYS(fadvise64_64),
	SCMP_SYS(dup),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SYS_cachestat,
	/* waiting */
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(ppoll_time64),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	SCMP_SYS(pselect6_time64),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(eventfd2),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(timerfd_settime64),
	SCMP_SYS(signalfd4),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_nanosleep_time64),
	SCMP_SYS(nanosleep),
	SCMP_SYS(pause),
	SCMP_SYS(pidfd_open),
	SCMP_SYS(futex),
	SCMP_SYS(futex_time64),
	SCMP_SYS(sched_yield),
	SCMP_SYS(membarrier),
	/* memory; what may be executed is looked at below */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(mincore),
	SCMP_SYS(memfd_create),
	/* threads and signals */
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(get_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigpending),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigsuspend),
	SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(rt_sigtimedwait_time64),
	SCMP_SYS(restart_syscall),
	/* who and what we are */
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getpgrp),
	SCMP_SYS(getpgid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(capget),
	SCMP_SYS(getrandom),
	SCMP_SYS(getrusage),
	SCMP_SYS(getrlimit),
	SCMP_SYS(ugetrlimit),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(getcpu),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(time),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_gettime64),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_getres_time64),
	SCMP_SYS(kcmp),
};

/* Of VMT_RIGHT_FILES and VMT_RIGHT_TERMINAL, and of who was given -w. */
static const int of_files[] = {
	SCMP_SYS(open),	     SCMP_SYS(openat),	  SCMP_SYS(pwrite64), SCMP_SYS(fsync),
	SCMP_SYS(fdatasync), SCMP_SYS(fchmod),	  SCMP_SYS(flock),    SCMP_SYS(rename),
	SCMP_SYS(renameat),  SCMP_SYS(unlink),	  SCMP_SYS(unlinkat), SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),   SCMP_SYS(renameat2),
};

/* Of VMT_RIGHT_PROBES. */
static const int of_probes[] = {
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(bind),
	SCMP_SYS(recvmsg),
};

/* Of VMT_RIGHT_SIGNALS: a command is run. */
static const int of_commands[] = {
	SCMP_SYS(kill),
	SCMP_SYS(wait4),
	SCMP_SYS(waitid),
};

/* struct termios2, by which newer C libraries ask; <asm/termbits.h> and <termios.h> exclude each
 * other. */
#define TERMIOS2(dir, number) _IOC(dir, 'T', number, 44)

/* What is asked of terminals, perf events, pagemap and maps; no TIOCSTI, which types for one. */
static const unsigned long requests[] = {
	TCGETS,
	TCSETS,
	TCSETSW,
	TCSETSF,
	TERMIOS2(_IOC_READ, 0x2a),
	TERMIOS2(_IOC_WRITE, 0x2b),
	TERMIOS2(_IOC_WRITE, 0x2c),
	TERMIOS2(_IOC_WRITE, 0x2d),
	TCFLSH,
	TIOCGWINSZ,
	TIOCGPGRP,
	PERF_EVENT_IOC_ENABLE,
	PERF_EVENT_IOC_DISABLE,
	PERF_EVENT_IOC_RESET,
	PERF_EVENT_IOC_ID,
	PERF_EVENT_IOC_PERIOD,
	PERF_EVENT_IOC_SET_BPF,
	PERF_EVENT_IOC_SET_OUTPUT,
	VMT_PAGEMAP_SCAN,
	VMT_PROCMAP_QUERY,
};

static const int loads[] = { BPF_PROG_LOAD, BPF_BTF_LOAD, BPF_MAP_CREATE, BPF_RAW_TRACEPOINT_OPEN };

static void freep(scmp_filter_ctx *f)
{
	if (*f)
		seccomp_release(*f);
}

/* Of the low half of an argument: the kernel looks at no more of an int. */
static struct scmp_arg_cmp is(unsigned arg, uint64_t mask, uint64_t value)
{
	return SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ, mask & UINT32_MAX, value & UINT32_MAX);
}

static int allow_all(scmp_filter_ctx f, const int *calls, size_t n)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < n; i++)
		r = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, calls[i], 0, NULL);
	return r;
}

static int allow_if(scmp_filter_ctx f, int call, struct scmp_arg_cmp a)
{
	return seccomp_rule_add_array(f, SCMP_ACT_ALLOW, call, 1, &a);
}

static int allow_both(scmp_filter_ctx f, int call, struct scmp_arg_cmp a, struct scmp_arg_cmp b)
{
	const struct scmp_arg_cmp both[] = { a, b };

	return seccomp_rule_add_array(f, SCMP_ACT_ALLOW, call, 2, both);
}

/* Calls whose arguments decide, of every command. */
static int allow_some(scmp_filter_ctx f)
{
	uint64_t self = (uint64_t)getpid(), thread = CLONE_VM | CLONE_THREAD;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < VMT_ARRAY_LEN(requests); i++)
		r = allow_if(f, SCMP_SYS(ioctl), is(1, UINT32_MAX, requests[i]));
	/* Threads, and no processes. What clone3() is asked for lies in memory, where no filter
	 * looks: the C library takes clone() instead. */
	r = r ?: allow_if(f, SCMP_SYS(clone), is(0, thread, thread));
	r = r ?: seccomp_rule_add_array(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
	r = r ?: allow_if(f, SCMP_SYS(prlimit64), is(0, UINT32_MAX, 0));
	/* raise(), by what SCMP_SYS() makes of its name; and whether a process is there. */
	r = r ?: allow_if(f, __SNR_tgkill, is(0, UINT32_MAX, self));
	return r ?: allow_if(f, SCMP_SYS(kill), is(1, UINT32_MAX, 0));
}

static int allow_files(scmp_filter_ctx f, unsigned rights)
{
	int r;

	/* How it is opened lies in memory. lib/source does without (open_below(), root.c). */
	r = seccomp_rule_add_array(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0, NULL);
	if (rights & (VMT_RIGHT_FILES | VMT_RIGHT_TERMINAL))
		return r ?: allow_all(f, of_files, VMT_ARRAY_LEN(of_files));
	r = r ?: allow_if(f, SCMP_SYS(open), is(1, WRITES, O_RDONLY));
	return r ?: allow_if(f, SCMP_SYS(openat), is(2, WRITES, O_RDONLY));
}

/* A library that is loaded late is mapped to be executed; nothing else is. */
static int allow_maps(scmp_filter_ctx f, unsigned rights)
{
	uint64_t exec = rights & VMT_RIGHT_LIBRARY ? 0 : PROT_EXEC;
	int r;

	r = allow_if(f, SCMP_SYS(mmap), is(2, exec, 0));
	r = r ?: allow_if(f, SCMP_SYS(mmap2), is(2, exec, 0));
	return r ?: allow_if(f, SCMP_SYS(mprotect), is(2, exec, 0));
}

static int allow_probes(scmp_filter_ctx f)
{
	int r = allow_all(f, of_probes, VMT_ARRAY_LEN(of_probes));

	/* A filter more can but forbid. */
	r = r ?: allow_if(f, SCMP_SYS(seccomp), is(0, UINT32_MAX, SECCOMP_SET_MODE_FILTER));
	r = r ?: allow_if(f, SCMP_SYS(seccomp), is(0, UINT32_MAX, SECCOMP_GET_ACTION_AVAIL));
	/* Whether huge pages are switched off for this process. */
	r = r ?: allow_if(f, SCMP_SYS(prctl), is(0, UINT32_MAX, PR_GET_THP_DISABLE));
	/* The kernel's news of processors; faults of the self-check in its own memory. */
	r = r
		    ?: allow_both(f, SCMP_SYS(socket), is(0, UINT32_MAX, AF_NETLINK),
				  is(2, UINT32_MAX, NETLINK_KOBJECT_UEVENT));
	return r ?: allow_if(f, SCMP_SYS(process_vm_writev), is(0, UINT32_MAX, (uint64_t)getpid()));
}

/* 0, or a negative errno where the kernel or libseccomp lacks what it takes. */
static int begin(uint32_t action, scmp_filter_ctx *ret)
{
	static const struct {
		enum scmp_filter_attr name;
		uint32_t value;
	} attrs[] = {
		{ SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS },
		/* vmt_privilege_drop() did, and the second filter comes behind the first. */
		{ SCMP_FLTATR_CTL_NNP, 0 },
		/* All threads that there are. */
		{ SCMP_FLTATR_CTL_TSYNC, 1 },
		/* What the kernel says of the filter, rather than -ECANCELED. */
		{ SCMP_FLTATR_API_SYSRAWRC, 1 },
		/* A tree, where a list would be walked to its end at each read(). */
		{ SCMP_FLTATR_CTL_OPTIMIZE, 2 },
	};
	VMT_CLEANUP(freep) scmp_filter_ctx f = seccomp_init(action);
	int r = f ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < VMT_ARRAY_LEN(attrs); i++)
		r = seccomp_attr_set(f, attrs[i].name, attrs[i].value);
	if (r == 0)
		*ret = VMT_STEAL(f);
	return r;
}

static int enter(unsigned rights)
{
	VMT_CLEANUP(freep) scmp_filter_ctx f = NULL;
	int r = begin(SCMP_ACT_KILL_PROCESS, &f);

	r = r ?: allow_all(f, always, VMT_ARRAY_LEN(always));
	r = r ?: allow_some(f);
	r = r ?: allow_files(f, rights);
	r = r ?: allow_maps(f, rights);
	if (rights & VMT_RIGHT_PROBES)
		r = r ?: allow_probes(f);
	if (rights & VMT_RIGHT_SIGNALS)
		r = r ?: allow_all(f, of_commands, VMT_ARRAY_LEN(of_commands));
	return r ?: seccomp_load(f);
}

static int forbid_loads(void)
{
	VMT_CLEANUP(freep) scmp_filter_ctx f = NULL;
	int r = begin(SCMP_ACT_ALLOW, &f);
	size_t i;

	for (i = 0; r == 0 && i < VMT_ARRAY_LEN(loads); i++) {
		struct scmp_arg_cmp a = is(0, UINT32_MAX, (uint64_t)loads[i]);

		r = seccomp_rule_add_array(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(bpf), 1, &a);
	}
	return r ?: seccomp_load(f);
}

int vmt_sandbox_enter(const struct vmt_ctx *ctx)
{
	int r = vmt_ctx_given(ctx, "sandbox") ? enter(vmt_privilege_rights(ctx)) : 0;

	if (r == 0)
		return 0;
	vmt_complain(ctx, "--sandbox: system calls cannot be filtered: %s", strerror(-r));
	return VMT_EXIT_FAILED;
}

int vmt_sandbox_loaded(const struct vmt_ctx *ctx, struct vmt_err *err)
{
	int r = vmt_ctx_given(ctx, "sandbox") ? forbid_loads() : 0;

	return r == 0 ? 0
		      : vmt_err_set(err, r, NULL, 0,
				    "--sandbox: system calls cannot be filtered: %s", strerror(-r));
}

#else

int vmt_sandbox_enter(const struct vmt_ctx *ctx)
{
	if (!vmt_ctx_given(ctx, "sandbox"))
		return 0;
	vmt_complain(ctx, "--sandbox: this vmtop was built without libseccomp");
	return VMT_EXIT_FAILED;
}

int vmt_sandbox_loaded(const struct vmt_ctx *ctx, struct vmt_err *err)
{
	(void)ctx;
	(void)err;
	return 0;
}

#endif

int vmt_sandbox_close(const struct vmt_ctx *ctx)
{
	struct vmt_err err = { 0 };

	return vmt_sandbox_loaded(ctx, &err) < 0 ? vmt_complain_err(ctx, &err) : 0;
}
