/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdlib.h>

#include "model/fault-raw.h"
#include "model/model.h"
#include "unit.h"

/* What tests of faults begin with; the first member of their own setup. */
struct fault_setup {
	struct vmt_sample *sample;
	struct vmt_fault_sample faults;
	struct vmt_model *model;
};

/* A setup of so many bytes, with a window that was closed and has no row. */
static inline void *fault_begin(size_t size, enum vmt_rung_id rung, uint32_t have)
{
	struct fault_setup *s = calloc(1, size);

	assert_non_null(s);
	s->sample = vmt_sample_new();
	assert_non_null(s->sample);
	s->sample->host.page_size = 4096;
	s->sample->host.user_hz = 100;
	s->sample->faults = &s->faults;
	s->faults.rung = rung;
	s->faults.have = have;
	s->faults.complete = true;
	return s;
}

static inline int fault_end(void **state)
{
	struct fault_setup *s = *state;

	vmt_model_free(s->model);
	vmt_sample_free(s->sample);
	free(s);
	return 0;
}
