/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The faults of our own that a probe counts to check itself. For the probe-*.c files alone. */

#define VMT_CANARY_PAGES 64u
#define VMT_CANARY_GUP	 16u

/*
 * Faults VMT_CANARY_PAGES + 1 fresh pages of this process, and VMT_CANARY_GUP by get_user_pages
 * (process_vm_writev(2)). How many of the latter, 0 where that is refused; or -errno.
 */
int vmt_canary_fault(void);
