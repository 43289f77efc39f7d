/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"
#include "model/role.h"

/* The longest build-id that is believed; SHA-1 has 20 bytes. */
#define VMT_BUILD_ID_MAX 64

/* PT_LOADs of a file that are looked at. */
#define VMT_LOADS_MAX 32

struct vmt_elf_facts {
	unsigned class; /* 32 or 64 */
	unsigned char build_id[VMT_BUILD_ID_MAX];
	size_t build_id_len; /* 0 where it has none */
	unsigned n_loads;
	struct vmt_segment load[VMT_LOADS_MAX]; /* PT_LOAD, the first of them */
	bool has_relro;
	struct vmt_segment relro; /* PT_GNU_RELRO */
};

/* Whether this build has libelf. */
bool vmt_elf_built(void);
/* Once, before there are threads. */
void vmt_elf_init(void);
/*
 * Class, GNU build-id and segments of an open regular file, by its program headers; nothing is
 * mapped, so a file that is cut meanwhile is no SIGBUS. -ENOEXEC where it is no ELF file, -EIO
 * where it is a broken one, -EOPNOTSUPP where this build has no libelf.
 */
int vmt_elf_read(int fd, struct vmt_elf_facts *ret);
