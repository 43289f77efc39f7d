/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The two programs that are no part of an object, because no object could be loaded for what they
 * do: their instructions are constants of probe-aid.c, the one place from which programs are loaded
 * but by skeletons (tests/static/integrity.py). For the probe-*.c files alone.
 */

#include <stdint.h>

/*
 * Whether a program may be loaded for the entry of a function, by its id in the kernel's BTF: loads
 * one that does nothing, and closes it again. 0 or -errno.
 */
int vmt_aid_try(uint32_t function);

/*
 * Loads a program that puts numbers into a queue of 32-bit values, from the first of its two 64-bit
 * arguments up to the second, and gives where it stopped: after some hundred. For
 * bpf_prog_test_run_opts(). A descriptor or -errno.
 */
int vmt_aid_fill(int queue);
