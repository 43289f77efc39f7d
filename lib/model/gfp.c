/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/gfp.h"

#include <inttypes.h>

#include "base/mem.h"

/* GFP_* of several bits first, as the kernel's include/trace/events/mmflags.h has them. The places
 * of these bits have been the same since 5.10, but for the ninth. */
static const struct {
	uint32_t bits;
	const char *name;
} gfp_names[] = {
	{ 0x1c24ca, "GFP_TRANSHUGE" },
	{ 0x1c20ca, "GFP_TRANSHUGE_LIGHT" },
	{ 0x100cca, "GFP_HIGHUSER_MOVABLE" },
	{ 0x100cc2, "GFP_HIGHUSER" },
	{ 0x500cc0, "GFP_USER+__GFP_ACCOUNT" },
	{ 0x100cc0, "GFP_USER" },
	{ 0x400cc0, "GFP_KERNEL_ACCOUNT" },
	{ 0xcc0, "GFP_KERNEL" },
	{ 0xc40, "GFP_NOFS" },
	{ 0xc00, "GFP_NOIO" },
	{ 0x1, "__GFP_DMA" },
	{ 0x2, "__GFP_HIGHMEM" },
	{ 0x4, "__GFP_DMA32" },
	{ 0x8, "__GFP_MOVABLE" },
	{ 0x10, "__GFP_RECLAIMABLE" },
	{ 0x20, "__GFP_HIGH" },
	{ 0x40, "__GFP_IO" },
	{ 0x80, "__GFP_FS" },
	{ 0x100, "__GFP_ZERO" },
	{ 0x400, "__GFP_DIRECT_RECLAIM" },
	{ 0x800, "__GFP_KSWAPD_RECLAIM" },
	{ 0x1000, "__GFP_WRITE" },
	{ 0x2000, "__GFP_NOWARN" },
	{ 0x4000, "__GFP_RETRY_MAYFAIL" },
	{ 0x8000, "__GFP_NOFAIL" },
	{ 0x10000, "__GFP_NORETRY" },
	{ 0x20000, "__GFP_MEMALLOC" },
	{ 0x40000, "__GFP_COMP" },
	{ 0x80000, "__GFP_NOMEMALLOC" },
	{ 0x100000, "__GFP_HARDWALL" },
	{ 0x200000, "__GFP_THISNODE" },
	{ 0x400000, "__GFP_ACCOUNT" },
};

void vmt_gfp_text(struct vmt_buf *out, uint32_t gfp)
{
	size_t begin = out->len;

	for (size_t i = 0; i < VMT_ARRAY_LEN(gfp_names); i++) {
		if ((gfp & gfp_names[i].bits) != gfp_names[i].bits)
			continue;
		if (out->len > begin)
			vmt_buf_addc(out, '+');
		vmt_buf_adds(out, gfp_names[i].name);
		gfp &= ~gfp_names[i].bits;
	}
	if (gfp || out->len == begin)
		vmt_buf_addf(out, "%s0x%" PRIx32, out->len > begin ? "+" : "", gfp);
}
