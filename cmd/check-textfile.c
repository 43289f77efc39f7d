/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/check-textfile.h"

#include "base/thread.h"
#include "view/prometheus.h"

int vmt_check_textfile(struct vmt_ctx *ctx, const char *path, const struct vmt_check_plan *plan,
		       bool known)
{
	VMT_AUTO_METRICS out = { 0 };
	VMT_AUTO_BUF text = { 0 };
	size_t i;

	for (i = 0; i < plan->n; i++) {
		enum vmt_status status = known ? plan->items[i].judged.status : VMT_STATUS_UNKNOWN;

		vmt_metrics_u64(&out, VMT_METRIC_CHECK_STATUS,
				VMT_LABELS(vmt_bytes_of(plan->items[i].label)),
				(uint64_t)vmt_status_code(status));
	}
	vmt_metrics_seconds(&out, VMT_METRIC_CHECK_LAST_RUN_TIMESTAMP_SECONDS, VMT_NO_LABELS,
			    vmt_now_ns(CLOCK_REALTIME));
	if (vmt_metrics_write(&out, &text) < 0)
		return vmt_no_memory(ctx);
	return vmt_write_text(ctx, path, 0644, &text);
}
