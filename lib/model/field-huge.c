/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/field-rows.h"

#define FIELD_STRUCT  vmt_huge
#define FIELD_ENUM(m) VMT_FIELD_huge_##m
static const struct vmt_field huge_fields[] = {
#include "model/huge.def"
};
#undef FIELD_STRUCT
#undef FIELD_ENUM

ENTITY(huge, vmt_huge, "huge", "a mapping, and why it has no more huge pages", NULL);
