/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meminfo, vmstat, slabinfo, vmallocinfo, sockstat, modules, kallsyms and the headers of kcore, and
 * what the model makes of each; the first byte says which. */
#include "fuzz.h"
#include "model/model.h"
#include "model/sample.h"
#include "source/kernel.h"

#define PAGE 4096

static int parse(unsigned choice, struct vmt_bytes text, struct vmt_sample *s, struct vmt_err *err)
{
	struct vmt_kernel_sample *k = s->kernel;
	struct vmt_bytes line;
	int r = 0;

	switch (choice) {
	case 0:
		return vmt_kernel_meminfo_parse(text, &s->arena, k, err);
	case 1:
		return vmt_kernel_vmstat_parse(text, &s->arena, k, err);
	case 2:
		return vmt_slabinfo_parse(text, PAGE, &s->arena, k, err);
	case 3:
		return vmt_vmallocinfo_parse(text, PAGE, &s->arena, k, err);
	case 4:
		return vmt_sockstat_parse(text, k, err);
	case 5:
		return vmt_modules_parse(text, k, err);
	case 6:
		return vmt_kcore_parse(text, &s->arena, k, err);
	default:
		k->has_symbols = true;
		while (r == 0 && text.len) {
			const char *end = memchr(text.ptr, '\n', text.len);

			line = (struct vmt_bytes){ text.ptr,
						   end ? (size_t)(end - text.ptr) : text.len };
			text.ptr += line.len + (end != NULL);
			text.len -= line.len + (end != NULL);
			r = vmt_kallsyms_line(line, k);
		}
		return r;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned choice = fuzz_choice(&data, &size) % 8;
	struct vmt_bytes text = fuzz_text(data, size);
	VMT_AUTO_SAMPLE s = vmt_sample_new();
	VMT_AUTO_MODEL m = NULL;
	struct vmt_err err = { 0 };
	size_t i;
	int r;

	s->host.page_size = PAGE;
	s->host.machine = VMT_BYTES("x86_64");
	s->sources[VMT_SOURCE_KCORE].reads = 1;
	s->kernel = vmt_arena_alloc(&s->arena, 1, sizeof(*s->kernel));
	s->kernel->uses = true;
	r = parse(choice, text, s, &err);
	CHECK(r == 0 || r == -EINVAL || r == -ERANGE);
	CHECK(err.line <= size);
	CHECK(vmt_model_build(s, NULL, NULL, &m, NULL) == 0);
	for (i = 0; i < m->n_slabs; i++)
		CHECK(m->slabs[i].name.len > 0 && VMT_HAS(slab, size_bytes, &m->slabs[i]));
	for (i = 0; i < m->n_vmalloc; i++)
		CHECK(m->vmalloc[i].areas > 0);
	for (i = 0; i < m->n_ranges; i++) {
		const struct vmt_kernel_range *g = &m->ranges[i];

		CHECK(!VMT_HAS(kernel_range, start, g) || g->last >= g->start);
	}
	return 0;
}
