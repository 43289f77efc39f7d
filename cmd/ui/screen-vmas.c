/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/screen.h"

const struct vmt_screen vmt_screen_vmas = {
	.name = "vmas",
	.title = "VMAs",
	.help = "mappings of a process",
};
