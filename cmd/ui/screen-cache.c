/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/screen.h"

const struct vmt_screen vmt_screen_cache = {
	.name = "cache",
	.title = "Cache",
	.help = "files in the page cache",
};
