/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/sample.h"

struct vmt_collector;

/*
 * Sets shared_mm of the processes of s, which have STATUS and STAT: the first of them that has the
 * same address space, by kcmp(2) with KCMP_VM (Linux 3.5, CONFIG_KCMP), which needs the rights of
 * ptrace to read both. Asked is about a process and its parent (vfork, CLONE_VM), and about those
 * of one size. In a reader: execve can hold the lock that kcmp takes while a file system does not
 * answer (fs/exec.c begin_new_exec(), exec_update_lock).
 *
 * What was refused, and processes whose first thread has ended, stay unknown. 0 or -ENOMEM; that
 * there is no kcmp is noted in the sample.
 */
int vmt_collect_same_mm(struct vmt_collector *c, struct vmt_sample *s);
