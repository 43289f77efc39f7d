/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/screen.h"

const struct vmt_screen vmt_screen_procs = {
	.name = "procs",
	.title = "Procs",
	.help = "processes and their memory",
};
