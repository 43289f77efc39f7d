/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/privilege.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/mem.h"
#include "base/parse.h"
#include "cmd/sandbox.h"
#include "source/setcap.h"
#include "vmtop-config.h"
#ifdef VMT_HAVE_LIBCAP
#include <sys/capability.h>
#endif

unsigned vmt_privilege_rights(const struct vmt_ctx *ctx)
{
	return ctx->cmd->keeps | (vmt_ctx_given(ctx, "write") ? VMT_RIGHT_FILES : 0) |
	       (ctx->cmd->runs && ctx->n_operands ? VMT_RIGHT_SIGNALS : 0);
}

#ifdef VMT_HAVE_LIBCAP

/*
 * What may be needed after the start, and for what. Probes are loaded anew while the dashboard
 * runs, so that what loads them stays.
 */
static const struct {
	cap_value_t cap;
	unsigned keeps; /* enum vmt_right; 0: of all commands */
} wanted[] = {
	{ CAP_PERFMON, 0 }, /* programs and events; since 6.15 maps of other users' processes */
	{ CAP_BPF, 0 },
	{ CAP_SYS_PTRACE, 0 }, /* maps, smaps, exe of other users' processes */
	{ CAP_CHECKPOINT_RESTORE, 0 }, /* map_files, for who has it and not CAP_SYS_ADMIN */
	{ CAP_DAC_READ_SEARCH, 0 }, /* pagemap, kpageflags, slabinfo: mode 0400 */
	{ CAP_SYS_ADMIN, 0 }, /* frames of pages; programs before 5.8 */
	{ CAP_SYSLOG, 0 }, /* addresses of kallsyms */
	{ CAP_FOWNER, 0 }, /* cachestat() and mincore() of files of others */
	{ CAP_IPC_LOCK, 0 }, /* rings of perf events beyond RLIMIT_MEMLOCK */
	{ CAP_DAC_OVERRIDE, VMT_RIGHT_FILES },
	{ CAP_SYS_RAWIO, VMT_RIGHT_KCORE },
	{ CAP_KILL, VMT_RIGHT_SIGNALS },
};

/*
 * Before 5.11 the memory of maps is that of RLIMIT_MEMLOCK (bpf_charge_memlock()), and to raise
 * that later takes a capability that is not kept. What does not succeed is told by the probe that
 * misses it.
 */
static void raise_memlock(void)
{
	static const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	struct utsname u;

	if (uname(&u) == 0 && !vmt_release_is_at_least(vmt_bytes_of(u.release), 5, 11))
		(void)setrlimit(RLIMIT_MEMLOCK, &none);
}

static void free_cap(cap_t *cap)
{
	if (*cap)
		cap_free(*cap);
}

/* Leaves in *sets what is wanted of what is permitted. */
static int keep_wanted(cap_t sets, unsigned rights)
{
	VMT_CLEANUP(free_cap) cap_t had = cap_dup(sets);
	cap_flag_value_t traces;
	size_t i;

	if (!had || cap_get_flag(had, CAP_SYS_PTRACE, CAP_PERMITTED, &traces) < 0)
		return -errno;
	/* Root that has not got it, as in containers, may look at who has no more than itself
	 * (cap_ptrace_access_check()): with less there would be less to look at. */
	if (traces != CAP_SET && geteuid() == 0)
		return 0;
	if (cap_clear(sets) < 0)
		return -errno;
	for (i = 0; i < VMT_ARRAY_LEN(wanted); i++) {
		cap_value_t cap = wanted[i].cap;
		cap_flag_value_t has;

		if (wanted[i].keeps && !(wanted[i].keeps & rights))
			continue;
		/* One that the kernel does not know is not there. */
		if (cap_get_flag(had, cap, CAP_PERMITTED, &has) < 0 || has != CAP_SET)
			continue;
		if (cap_set_flag(sets, CAP_PERMITTED, 1, &cap, CAP_SET) < 0 ||
		    cap_set_flag(sets, CAP_EFFECTIVE, 1, &cap, CAP_SET) < 0)
			return -errno;
	}
	return 0;
}

static int drop(unsigned rights)
{
	VMT_CLEANUP(free_cap) cap_t sets = cap_get_proc();
	cap_value_t cap;
	int r;

	if (!sets)
		return -errno;
	raise_memlock();
	/* To take one out of the bounding set takes CAP_SETPCAP. Who does not have that gains
	 * nothing from the set either, as no program is executed. */
	for (cap = 0; CAP_IS_SUPPORTED(cap); cap++)
		if (cap_drop_bound(cap) < 0 && errno != EPERM)
			return -errno;
	if (CAP_AMBIENT_SUPPORTED() && cap_reset_ambient() < 0)
		return -errno;
	r = keep_wanted(sets, rights);
	if (r < 0)
		return r;
	if (cap_set_proc(sets) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

int vmt_privilege_drop(const struct vmt_ctx *ctx)
{
	int r = drop(vmt_privilege_rights(ctx));

	if (r == 0)
		return vmt_sandbox_enter(ctx);
	vmt_complain(ctx, "privileges cannot be given up: %s", strerror(-r));
	return VMT_EXIT_FAILED;
}

#else

int vmt_privilege_drop(const struct vmt_ctx *ctx)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		return vmt_sandbox_enter(ctx);
	vmt_complain(ctx, "privileges cannot be given up: %s", strerror(errno));
	return VMT_EXIT_FAILED;
}

#endif

/* Levels of doctor --setcap, in their order; old is what stands in for caps before 6.15, where
 * CAP_PERFMON does not open maps. */
static const struct {
	const char *name, *caps, *old;
} levels[] = {
	{ "user", NULL, NULL },
	{ "observer", "cap_bpf,cap_perfmon", "cap_bpf,cap_perfmon,cap_sys_ptrace" },
	{ "pages", "cap_bpf,cap_dac_read_search,cap_perfmon",
	  "cap_bpf,cap_dac_read_search,cap_perfmon,cap_sys_ptrace" },
	{ "physical", "cap_bpf,cap_dac_read_search,cap_perfmon,cap_sys_admin",
	  "cap_bpf,cap_dac_read_search,cap_perfmon,cap_sys_admin,cap_sys_ptrace" },
};

int vmt_privilege_setcap(struct vmt_buf *out, const char *level, const char *exe,
			 const char *release)
{
	bool old = !vmt_release_is_at_least(vmt_bytes_of(release), 6, 15);
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(levels); i++)
		if (strcmp(levels[i].name, level) == 0)
			break;
	if (i == VMT_ARRAY_LEN(levels))
		return -EINVAL;
	if (levels[i].caps) {
		vmt_setcap_command(out, exe, old ? levels[i].old : levels[i].caps);
	} else {
		/* With the owner go the capabilities. */
		vmt_buf_adds(out, "sudo chown root:root ");
		vmt_fmt_shell(out, exe);
		vmt_buf_adds(out, " && sudo chmod 0755 ");
		vmt_fmt_shell(out, exe);
	}
	vmt_buf_addc(out, '\n');
	return 0;
}
