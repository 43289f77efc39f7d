/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/fault-raw.h"
#include "model/model.h"

/* What is known of faults only where it is asked for, and what their time was spent on. */

uint32_t vmt_single_field_ask(const struct vmt_field *f)
{
	return f->offset == offsetof(struct vmt_single, symbol) ? VMT_ASK_SYMBOL : 0;
}

uint32_t vmt_fault_field_ask(const struct vmt_field *f)
{
	switch (f->offset) {
	case offsetof(struct vmt_fault, cgroup):
		return VMT_ASK_CGROUP;
	case offsetof(struct vmt_fault, lock_wait_ns):
	case offsetof(struct vmt_fault, lock_wait_percent):
	case offsetof(struct vmt_fault, file_read_ns):
	case offsetof(struct vmt_fault, file_read_percent):
	case offsetof(struct vmt_fault, swap_read_ns):
	case offsetof(struct vmt_fault, swap_read_percent):
		return VMT_ASK_SHARES;
	default:
		return 0;
	}
}

/* In thousandths of a percent of the stall; all of it is timed. */
static uint64_t percent_milli(uint64_t part, uint64_t stall)
{
	return (uint64_t)((unsigned __int128)part * 100000 / stall);
}

void vmt_fault_set_shares(struct vmt_fault *row, const struct vmt_fault_sample *f,
			  const struct vmt_fault_spent *spent)
{
	uint64_t stall = VMT_HAS(fault, total_ns, row) ? row->total_ns : 0;

	if (!stall)
		return;
	if (f->has_lock) {
		VMT_SET(fault, lock_wait_ns, row, spent->lock_ns);
		VMT_SET(fault, lock_wait_percent, row, percent_milli(spent->lock_ns, stall));
	}
	if (f->has_read) {
		VMT_SET(fault, file_read_ns, row, spent->read_ns);
		VMT_SET(fault, file_read_percent, row, percent_milli(spent->read_ns, stall));
	}
	if (f->has_swap) {
		VMT_SET(fault, swap_read_ns, row, spent->swap_ns);
		VMT_SET(fault, swap_read_percent, row, percent_milli(spent->swap_ns, stall));
	}
}
