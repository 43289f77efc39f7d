/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/field-rows.h"

#define FIELD_STRUCT  vmt_verdict_row
#define FIELD_ENUM(m) VMT_FIELD_verdict_##m
static const struct vmt_field verdict_fields[] = {
#include "model/verdict.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

ENTITY(verdict, vmt_verdict_row, "verdicts", "a metric of check, its limits and what follows",
       NULL);
