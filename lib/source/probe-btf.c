/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-btf.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct btf *vmt_probe_btf(void)
{
	struct btf *btf = btf__load_vmlinux_btf();

	/* libbpf before 1.0 gives errors as pointers. */
	return libbpf_get_error(btf) ? NULL : btf;
}

int vmt_probe_btf_arguments(const struct btf *btf, const struct vmt_probe_rung *rung,
			    struct vmt_err *err)
{
	const struct btf_type *t;
	int id;

	if (!rung->function || !btf)
		return 0;
	id = btf__find_by_name_kind(btf, rung->function, BTF_KIND_FUNC);
	if (id < 0)
		return vmt_err_set(err, -ENOENT, NULL, 0, "the kernel's BTF has no %s()",
				   rung->function);
	t = btf__type_by_id(btf, (__u32)id);
	t = t ? btf__type_by_id(btf, t->type) : NULL;
	if (!t || btf_vlen(t) != rung->arguments)
		return vmt_err_set(err, -ENOTSUP, NULL, 0, "%s() has %d arguments, not %u",
				   rung->function, t ? btf_vlen(t) : -1, rung->arguments);
	return 0;
}

bool vmt_probe_btf_lacks(const struct btf *btf, const char *hook)
{
	const char *name = strchr(hook, '/');
	char type[128];

	if (!btf || !name)
		return false;
	name++;
	if (!strncmp(hook, "fentry/", 7) || !strncmp(hook, "fexit/", 6))
		return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) < 0;
	if (strncmp(hook, "tp_btf/", 7) != 0)
		return false;
	/* Each tracepoint has the type of its programs. */
	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF) < 0;
}

bool vmt_probe_btf_casts(const struct btf *btf)
{
	return btf && btf__find_by_name_kind(btf, "bpf_cast_to_kern_ctx", BTF_KIND_FUNC) >= 0 &&
	       btf__find_by_name_kind(btf, "bpf_rdonly_cast", BTF_KIND_FUNC) >= 0;
}
