/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/setcap.h"

#include "base/fmt.h"

void vmt_setcap_command(struct vmt_buf *out, const char *exe, const char *caps)
{
	vmt_buf_adds(out, "sudo groupadd -f vmtop && sudo usermod -aG vmtop \"$USER\" && "
			  "sudo chown root:vmtop ");
	vmt_fmt_shell(out, exe);
	vmt_buf_adds(out, " && sudo chmod 0750 ");
	vmt_fmt_shell(out, exe);
	/* Last, as chown takes them away. */
	vmt_buf_addf(out, " && sudo setcap %s+ep ", caps);
	vmt_fmt_shell(out, exe);
}
