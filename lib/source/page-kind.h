/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/page-cells.h"
#include "source/page-read.h"

/*
 * What a run of pages is shown as. What pagemap alone says is known without rights; whether a page
 * of a file is dirty or was referenced, and how often a page is mapped, where the run has flags and
 * counts. Without counts a page that is not exclusive is taken for one that is mapped more than
 * once. *ret_large: it belongs to a large folio, as far as that is known.
 */
enum vmt_page_kind vmt_page_kind_of(const struct vmt_page_run *run, bool *ret_large);
