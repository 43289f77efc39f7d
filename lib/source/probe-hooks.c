/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-hooks.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "source/probe-btf.h"
#include "source/probe-load.h"

static struct bpf_program *program_of(struct bpf_object *object, const char *hook)
{
	struct bpf_program *prog;

	bpf_object__for_each_program (prog, object)
		if (!strcmp(bpf_program__section_name(prog), hook))
			return prog;
	return NULL;
}

void vmt_hooks_omit(struct vmt_hooks *h, struct bpf_object *object, size_t i, int error)
{
	h->error[i] = error;
	bpf_program__set_autoload(program_of(object, h->all[i].hook), false);
}

void vmt_hooks_look(struct vmt_hooks *h, struct bpf_object *object, const struct btf *btf)
{
	for (size_t i = 0; i < h->n; i++) {
		if (vmt_probe_btf_lacks(btf, h->all[i].hook)) {
			vmt_hooks_omit(h, object, i, -ENOENT);
			continue;
		}
		h->error[i] = 0;
		bpf_program__set_autoload(program_of(object, h->all[i].hook), true);
	}
}

int vmt_hooks_attach(struct vmt_hooks *h, struct bpf_object *object)
{
	bool any = false;
	int first = -ENOENT;

	for (size_t i = 0; i < h->n; i++) {
		struct bpf_link *link;

		if (h->error[i])
			continue;
		link = bpf_program__attach(program_of(object, h->all[i].hook));
		if (libbpf_get_error(link)) {
			h->error[i] = errno ? -errno : -EINVAL;
			first = first == -ENOENT ? h->error[i] : first;
			continue;
		}
		h->links[i] = link;
		any = true;
	}
	return any ? 0 : first;
}

void vmt_hooks_detach(struct vmt_hooks *h)
{
	for (size_t i = 0; i < h->n; i++) {
		bpf_link__destroy(h->links[i]);
		h->links[i] = NULL;
	}
}

static void judge(struct vmt_probe_try *t, int error, const char *why)
{
	const char *reason = NULL, *fix = NULL;

	t->error = error;
	t->status = error == -ENODATA ? VMT_TRY_SILENT
		    : error	      ? vmt_probe_judge(error, &reason, &fix)
				      : VMT_TRY_OK;
	snprintf(t->reason, sizeof(t->reason), "%.190s", why ? why : reason ? reason : "");
	snprintf(t->fix, sizeof(t->fix), "%s", fix ? fix : "");
}

size_t vmt_hooks_tries(const struct vmt_hooks *h, const char *probe, const char *gives, int r,
		       const char *reason, struct vmt_probe_try *ret, size_t most)
{
	size_t n = 0;

	for (size_t i = 0; r == 0 && i < h->n && n + 1 < most; i++) {
		ret[n] = (struct vmt_probe_try){ .probe = probe,
						 .rung = "tracepoint",
						 .hook = h->all[i].hook,
						 .gives = h->all[i].gives };
		judge(&ret[n++], h->error[i], NULL);
	}
	ret[n] = (struct vmt_probe_try){ .probe = probe, .rung = "tracepoint", .gives = gives };
	judge(&ret[n++], r, reason);
	return n;
}
