/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "model/sample.h"

/*
 * Documents that vmtop printed, read again: -J and --ndjson of any command. A file may be of
 * another machine, cut off, or hostile: what is allocated is bounded whatever it says.
 */

/* Rows and their texts, of one document; a million mappings have 0.8 GiB. */
#define VMT_DOCUMENT_MEMORY_MAX ((size_t)2 << 30)

/* What a document is, and what of it was read. */
struct vmt_document {
	struct vmt_sample *sample; /* system, processes and mappings, as far as it has them */
	struct vmt_bytes schema; /* "vmtop.maps"; texts are the sample's */
	struct vmt_bytes vmtop; /* version of who wrote it; empty where it does not say */
	struct vmt_bytes time; /* as it is written there */
	bool has_system;
	bool has_procs;
	bool has_maps; /* a list of mappings, be it empty */
	uint64_t unknown_keys;
	const char *remark; /* what is to be said about it, or NULL */
};

/*
 * Reads a document from fd, which is at its beginning and stays the caller's; path is what it is
 * called in complaints. The JSON may have been formatted anew, and its members ordered anew. Of a
 * stream of samples the last whole one counts.
 *
 * Processes come in order of pid, each with its mappings in order of address; a process of which
 * there are mappings alone has a row that has its pid. A list of mappings that is not whole has
 * another state than VMT_STATE_OK. -EBADMSG: it is no document of vmtop, is broken, ends early, or
 * has none of these; -EPROTONOSUPPORT: of a newer format; -E2BIG; -ENOMEM; what read(2) says.
 */
int vmt_document_read(int fd, const char *path, struct vmt_document *ret, struct vmt_err *err);
void vmt_document_done(struct vmt_document *d);
