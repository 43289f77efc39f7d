/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-pressure.h"

#include <assert.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "source/probe-btf.h"
#include "source/probe-load.h"

/* clang-format off */
#define S(id, name, text)                                                                          \
	static_assert((int)VMT_STALL_CAUSE_##id == (int)VMT_BPF_STALL_##id, "the same order on both sides");
#include "model/stall-cause.def"
#undef S
/* clang-format on */
static_assert((int)VMT_STALL_CAUSES == (int)VMT_BPF_STALL_COUNT &&
		      (int)VMT_BPF_STALL_COUNT <= VMT_EVENT_STALLS,
	      "all of them have a row");

#define CAUSE(id) (UINT32_C(1) << VMT_STALL_CAUSE_##id)

/* What some of them are for together. */
enum part {
	ALONE, /* nothing needs it */
	RECLAIM,
	CGROUP,
	COMPACTION,
	ZONES, /* in place of COMPACTION */
	PARTS,
};

static const struct {
	const char *hook;
	const char *gives;
	enum part part;
} hooks[] = {
	{ "tp_btf/mm_vmscan_direct_reclaim_begin", "stalls in direct reclaim", RECLAIM },
	{ "tp_btf/mm_vmscan_direct_reclaim_end", "how long they were, and what they reclaimed",
	  RECLAIM },
	{ "tp_btf/mm_vmscan_memcg_reclaim_begin", "stalls in reclaim for the limit of a cgroup",
	  CGROUP },
	{ "tp_btf/mm_vmscan_memcg_reclaim_end", "how long they were, and what they reclaimed",
	  CGROUP },
	{ "fentry/try_to_free_mem_cgroup_pages", "before 7.0: the cgroup whose limit it was",
	  ALONE },
	{ "fentry/try_to_compact_pages", "stalls in compaction", COMPACTION },
	{ "fexit/try_to_compact_pages", "how long they were, and what came of them", COMPACTION },
	{ "tp_btf/mm_compaction_try_to_compact_pages", "compaction for an allocation", ZONES },
	{ "tp_btf/mm_compaction_begin", "stalls in it, zone by zone", ZONES },
	{ "tp_btf/mm_compaction_end", "how long they were, and what came of them", ZONES },
	{ "tp_btf/mm_vmscan_throttled", "what reclaim slept for, since 5.16", ALONE },
	{ "tp_btf/writeback_congestion_wait", "that reclaim slept, before 5.16", ALONE },
	{ "tp_btf/writeback_wait_iff_congested", "that reclaim slept, before 5.16", ALONE },
};
static_assert(VMT_ARRAY_LEN(hooks) == VMT_PRESSURE_HOOKS, "a result for each");

/* SEC() of an optional program has a ? in front, which libbpf takes away. */
int vmt_pressure_hook(const char *section)
{
	for (size_t i = 0; i < VMT_ARRAY_LEN(hooks); i++)
		if (!strcmp(section, hooks[i].hook))
			return (int)i;
	return -1;
}

/* The parameters of a tracepoint behind the first, which is the program's own; 0 where it is not
 * there. */
static unsigned arguments(const struct btf *btf, const char *tracepoint)
{
	char type[128];
	const struct btf_type *t;
	int id;

	snprintf(type, sizeof(type), "btf_trace_%s", tracepoint);
	id = btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF);
	t = id < 0 ? NULL : btf__type_by_id(btf, (__u32)id);
	t = t ? btf__type_by_id(btf, t->type) : NULL;
	t = t && btf_is_ptr(t) ? btf__type_by_id(btf, t->type) : NULL;
	return t && btf_is_func_proto(t) && btf_vlen(t) ? btf_vlen(t) - 1u : 0;
}

/* Programs at the begin and at the end of a function, which need ftrace. */
static bool is_in_function(const char *hook)
{
	return !strncmp(hook, "fentry/", 7) || !strncmp(hook, "fexit/", 6);
}

/* Where the file is not, the kernel has no ftrace, and such programs do without. */
static bool is_ftrace_off(void)
{
	VMT_AUTO_CLOSE int fd = open("/proc/sys/kernel/ftrace_enabled", O_RDONLY | O_CLOEXEC);
	char c;

	return fd >= 0 && read(fd, &c, 1) == 1 && c == '0';
}

/* Whether all hooks of a part are there. */
static bool has_part(const struct vmt_pressure_hooks *h, enum part part)
{
	for (size_t i = 0; i < VMT_ARRAY_LEN(hooks); i++)
		if (hooks[i].part == part && h->error[i])
			return false;
	return h->wanted;
}

void vmt_pressure_look(struct vmt_pressure_hooks *h, bool wanted)
{
	struct btf *btf = wanted ? vmt_probe_btf() : NULL;
	const struct vmt_probe_rung compaction = { .function = "try_to_compact_pages",
						   .arguments = 6 };

	*h = (struct vmt_pressure_hooks){ .wanted = wanted,
					  .ftrace_off = wanted && is_ftrace_off() };
	for (size_t i = 0; i < VMT_ARRAY_LEN(hooks); i++)
		if (!btf || vmt_probe_btf_lacks(btf, hooks[i].hook))
			h->error[i] = -ENOENT;
		else if (h->ftrace_off && is_in_function(hooks[i].hook))
			h->error[i] = -ENOTSUP;
	if (!btf)
		return;
	h->throttle_told = !vmt_probe_btf_lacks(btf, "tp_btf/mm_vmscan_throttled") ||
			   !vmt_probe_btf_lacks(btf, "tp_btf/writeback_congestion_wait");
	h->gfp_first = arguments(btf, "mm_vmscan_direct_reclaim_begin") == 3;
	h->status_sixth = arguments(btf, "mm_compaction_end") == 6;
	if (vmt_probe_btf_arguments(btf, &compaction, NULL) < 0)
		vmt_pressure_fails(h, "fexit/try_to_compact_pages", -ENOTSUP);
	btf__free(btf);
}

bool vmt_pressure_by_zone(const struct vmt_pressure_hooks *h)
{
	return !has_part(h, COMPACTION) && has_part(h, ZONES);
}

/* One half of a part without the other would be a stall that never ends, or never began. */
bool vmt_pressure_loads(const struct vmt_pressure_hooks *h, const char *section)
{
	int i = vmt_pressure_hook(section);

	if (i < 0 || !h->wanted || h->error[i])
		return false;
	/* Of the two that compaction is told by, one. */
	return hooks[i].part == ALONE ||
	       (has_part(h, hooks[i].part) && (hooks[i].part != ZONES || vmt_pressure_by_zone(h)));
}

void vmt_pressure_fails(struct vmt_pressure_hooks *h, const char *section, int error)
{
	int i = vmt_pressure_hook(section);

	if (i < 0)
		return;
	h->error[i] = error;
	if (strstr(section, "throttled") || strstr(section, "congest"))
		h->throttle_told = false;
}

bool vmt_pressure_refused(struct vmt_pressure_hooks *h, int error)
{
	bool some = false;

	/* Some kernels permit tracepoints, and nothing in functions. */
	for (size_t i = 0; i < VMT_ARRAY_LEN(hooks); i++) {
		if (h->error[i] || !is_in_function(hooks[i].hook))
			continue;
		h->error[i] = error;
		some = true;
	}
	if (some)
		return h->wanted;
	for (size_t i = 0; i < VMT_ARRAY_LEN(hooks); i++) {
		if (h->error[i])
			continue;
		vmt_pressure_fails(h, hooks[i].hook, error);
		some = true;
	}
	return some && h->wanted;
}

uint32_t vmt_pressure_causes(const struct vmt_pressure_hooks *h)
{
	return (has_part(h, RECLAIM) ? CAUSE(RECLAIM) : 0) |
	       (has_part(h, CGROUP) ? CAUSE(CGROUP) : 0) |
	       (has_part(h, COMPACTION) || (h->zones_loaded && has_part(h, ZONES))
			? CAUSE(COMPACTION)
			: 0);
}

size_t vmt_pressure_tries(const struct vmt_pressure_hooks *h, struct vmt_probe_try *ret,
			  size_t most)
{
	size_t n = 0;

	for (size_t i = 0; i < VMT_ARRAY_LEN(hooks) && n < most; i++) {
		struct vmt_probe_try *t = &ret[n];
		const char *reason = NULL, *fix = NULL;

		/* What is not needed was not tried. */
		if (!h->error[i] && (!vmt_pressure_loads(h, hooks[i].hook) ||
				     (hooks[i].part == ZONES && !h->zones_loaded)))
			continue;
		n++;

		*t = (struct vmt_probe_try){ .probe = "events",
					     .rung = "tracepoint",
					     .hook = hooks[i].hook,
					     .gives = hooks[i].gives,
					     .status = VMT_TRY_OK,
					     .error = h->error[i] };
		if (!h->error[i])
			continue;
		t->status = vmt_probe_judge(h->error[i], &reason, &fix);
		if (h->ftrace_off && h->error[i] == -ENOTSUP && is_in_function(hooks[i].hook)) {
			reason = "with kernel.ftrace_enabled=0 it would never run";
			fix = "sysctl kernel.ftrace_enabled=1";
		}
		snprintf(t->reason, sizeof(t->reason), "%s", reason ? reason : "");
		snprintf(t->fix, sizeof(t->fix), "%s", fix ? fix : "");
	}
	return n;
}

struct vmt_stall vmt_pressure_stall(const struct vmt_stall_record *r, bool throttle_told)
{
	return (struct vmt_stall){
		.cause = r->cause < VMT_STALL_CAUSES ? r->cause : VMT_STALL_CAUSE_NONE,
		.has_request = r->flags & VMT_STALL_REQUEST,
		.has_pages = r->flags & VMT_STALL_PAGES,
		.has_throttled = throttle_told && r->flags & VMT_STALL_PAGES,
		.has_result = r->flags & VMT_STALL_RESULT,
		.order = r->order,
		.gfp = r->gfp,
		.pages = r->pages,
		.throttled_ns = r->throttled_ns,
		.throttle = r->throttle,
		.result = r->result,
	};
}

struct vmt_stall_count vmt_pressure_count(const struct vmt_slot_stall *s)
{
	return (struct vmt_stall_count){ .stalls = s->stalls,
					 .vain = s->vain,
					 .ns = s->ns,
					 .longest_ns = s->longest_ns,
					 .pages = s->pages,
					 .throttled_ns = s->throttled_ns };
}
