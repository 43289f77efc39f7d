/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Why a program cannot be had, in words. */

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "source/namespace.h"
#include "source/probe-load.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

bool vmt_probe_exists(const char *path)
{
	VMT_AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);

	return fd >= 0;
}

/* Whether the kernel is locked down so far that programs may not read its memory either
 * (LOCKDOWN_BPF_READ_KERNEL of security/lockdown): "none integrity [confidentiality]". Where no
 * securityfs is mounted this is not told. */
static bool keeps_secrets(void)
{
	VMT_AUTO_CLOSE int fd = open("/sys/kernel/security/lockdown", O_RDONLY | O_CLOEXEC);
	char text[64];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = 0;
	return strstr(text, "[confidentiality]");
}

enum vmt_try_status vmt_probe_judge(int error, const char **ret_reason, const char **ret_fix)
{
	*ret_fix = NULL;
	switch (-error) {
	case EPERM:
	case EACCES:
		if (!vmt_probe_capable(CAP_SYS_ADMIN) &&
		    !(vmt_probe_capable(CAP_BPF) && vmt_probe_capable(CAP_PERFMON))) {
			*ret_reason = "needs CAP_BPF and CAP_PERFMON";
			*ret_fix = "sudo vmtop doctor";
			return VMT_TRY_REFUSED;
		}
		*ret_reason = error == -EPERM
				      ? "the kernel permits no such program, even with privilege"
				      : "refused by the verifier, or by a security module";
		return VMT_TRY_REFUSED;
	case ENOENT:
	case ESRCH:
		if (!vmt_probe_exists("/sys/kernel/btf/vmlinux")) {
			*ret_reason = "the kernel has no BTF (CONFIG_DEBUG_INFO_BTF)";
			return VMT_TRY_ABSENT;
		}
		*ret_reason = "this kernel has no such hook";
		return VMT_TRY_ABSENT;
	case ENOSYS:
		*ret_reason = "this kernel, or a seccomp filter, has no bpf()";
		return VMT_TRY_ABSENT;
	case ENOTSUP:
		*ret_reason = "this kernel does not support it";
		return VMT_TRY_ABSENT;
	case EINVAL:
	case E2BIG:
		*ret_reason =
			error == -EINVAL && keeps_secrets()
				? "lockdown=confidentiality lets no program read the kernel's memory"
				: "refused by the verifier";
		return VMT_TRY_REFUSED;
	case ENOMEM:
		*ret_reason = "no memory for the tables, or RLIMIT_MEMLOCK is too low";
		*ret_fix = "ulimit -l unlimited";
		return VMT_TRY_REFUSED;
	default:
		*ret_reason = vmt_errno_name(error);
		return VMT_TRY_REFUSED;
	}
}

const char *vmt_probe_other_numbers(void)
{
	VMT_AUTO_CLOSE int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && vmt_in_pid_namespace(fd)
		       ? ": in a PID namespace, where the kernel counts by other numbers"
		       : "";
}

const char *vmt_probe_explain(int error)
{
	const char *reason, *fix;

	vmt_probe_judge(error, &reason, &fix);
	return reason;
}
