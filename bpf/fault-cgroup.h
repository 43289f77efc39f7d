/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "bpf/abi.h"

/* A cgroup that a watched process was in, where they are asked for. */
struct vmt_slot_cgroup {
	__u64 id; /* of its directory, which no other one ever has */
	struct vmt_slot_name name; /* of the directories from the root of its hierarchy on */
};
_Static_assert(sizeof(struct vmt_slot_cgroup) == 8 + sizeof(struct vmt_slot_name), "no holes");
