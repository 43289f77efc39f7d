/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/screen.h"

const struct vmt_screen vmt_screen_system = {
	.name = "system",
	.title = "System",
	.help = "where the memory of the machine went",
};
