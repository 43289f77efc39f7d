/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "cmd/ui/settings.h"

/*
 * The configuration, vmtop.conf(5): /etc/vmtop/vmtop.conf, then that of the user, which is
 * $VMTOP_CONFIG, or $XDG_CONFIG_HOME/vmtop/vmtop.conf, or ~/.config/vmtop/vmtop.conf. A privileged
 * run (of root, or by capabilities of the file) takes only what nobody but root can have written:
 * the file, and each folder above it, is root's and nobody else may write to it.
 */

/* Where the configuration of the user is: 0 and *ret, which the caller frees, NULL where there is
 * no such place; -EINVAL with the reason in err; -ENOMEM. */
int vmt_config_path(char **ret, struct vmt_err *err);

/*
 * Reads both on top of what settings are. What is wrong with a line, or a file, is told to complain
 * (err has the file and the line), and the rest applies. A file that is not there is no error.
 * Returns how many complaints there were, or -ENOMEM.
 */
int vmt_config_load(struct vmt_ui_settings *settings,
		    void (*complain)(void *arg, const struct vmt_err *err), void *arg);

/*
 * Writes settings to the file of the user: what differs from before (NULL: everything) and from
 * what its lines say is changed there, all else stays, comments and what is not known included. The
 * file is replaced as a whole, or not at all; a symbolic link in its place is replaced and not
 * followed. *ret_path is the caller's. 0, or a negative errno with the reason in err.
 */
int vmt_config_save(const struct vmt_ui_settings *settings, const struct vmt_ui_settings *before,
		    char **ret_path, struct vmt_err *err);
