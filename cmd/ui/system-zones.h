/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/ui/screen.h"

/* The zones of the machine from line y on and before end: their watermarks and how much of what is
 * free is in large blocks; the line behind them. */
unsigned vmt_draw_zones(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned end);
