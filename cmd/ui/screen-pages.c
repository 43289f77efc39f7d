/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/screen.h"

const struct vmt_screen vmt_screen_pages = {
	.name = "pages",
	.title = "Pages",
	.help = "pages of a mapping",
};
