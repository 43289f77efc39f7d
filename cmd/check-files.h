/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/check-plan.h"

/*
 * Takes the lock of --lock for as long as *ret_fd is open. 0; -EWOULDBLOCK where another run has
 * it: then *ret_times says how often that was so in a row; or a negative errno with err. The runs
 * that found it taken are counted by the length of the file, which who gets it empties.
 */
int vmt_check_lock(const char *path, int *ret_fd, unsigned *ret_times, struct vmt_err *err);

/* Reads the file of --state. *ret is NULL where there is none. -EINVAL where it is none of ours;
 * another negative errno where it cannot be read. */
int vmt_check_state_load(const char *path, struct vmt_sample **ret, struct vmt_err *err);
