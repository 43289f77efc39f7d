/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"

/*
 * Sets a name in a section ("" for the head) of a configuration's text, or with a value of NULL
 * takes it out; all other lines stay as they are. The last line that sets it is the one that
 * counts. 0 or -ENOMEM.
 */
int vmt_config_edit(struct vmt_buf *text, const char *section, const char *name, const char *value);
