/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/symbol-table.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <unistd.h>

#include "source/elf-symbols.h"

struct symbol {
	uint64_t value;
	uint64_t end; /* value where the size is not known and nothing follows */
	uint32_t name; /* in names */
	uint32_t section;
	bool global;
};

struct vmt_symbol_table {
	struct symbol *symbols; /* in order of value */
	size_t n;
	size_t cap;
	struct vmt_buf names; /* with a NUL behind each */
	struct vmt_segment load[VMT_LOADS_MAX];
	unsigned n_loads;
};

static void elf_endp(Elf **elf)
{
	if (*elf)
		elf_end(*elf);
}

static int by_value(const void *pa, const void *pb)
{
	const struct symbol *a = pa, *b = pb;

	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	/* The last of several is found first: what others may call it, then the longer one. */
	if (a->global != b->global)
		return a->global ? 1 : -1;
	if (a->end != b->end)
		return a->end < b->end ? -1 : 1;
	return a->name < b->name ? 1 : -1;
}

static bool is_code(const GElf_Sym *sym, const char *name)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);

	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_ABS || !name || !*name)
		return false;
	/* Labels of assembler have no type; those that mark code and data on ARM begin with $. */
	return type == STT_FUNC || type == STT_GNU_IFUNC ||
	       (type == STT_NOTYPE && name[0] != '$' && name[0] != '.');
}

static int take_symbols(struct vmt_symbol_table *t, Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Data *data;
	size_t i, n;
	int r = vmt_elf_symbols(elf, scn, shdr, &data, &n);

	if (r < 0)
		return r;
	for (i = 0; i < n; i++) {
		struct symbol *s;
		const char *name;
		GElf_Sym sym;

		if (!gelf_getsym(data, (int)i, &sym))
			break;
		name = elf_strptr(elf, shdr->sh_link, sym.st_name);
		if (!is_code(&sym, name))
			continue;
		/* Names share bytes in the file; a copy of each could be much more than there is.
		 */
		if (t->names.len > VMT_SYMBOLS_MAX)
			return -EFBIG;
		if (vmt_grow(&t->symbols, &t->cap, t->n + 1, sizeof(*t->symbols)))
			return -ENOMEM;
		s = &t->symbols[t->n++];
		s->value = sym.st_value;
		if (__builtin_add_overflow(sym.st_value, sym.st_size, &s->end))
			s->end = sym.st_value;
		s->name = (uint32_t)t->names.len;
		s->section = sym.st_shndx;
		s->global = GELF_ST_BIND(sym.st_info) != STB_LOCAL;
		vmt_buf_add(&t->names, name, strlen(name) + 1);
	}
	return vmt_buf_error(&t->names);
}

/* One without a size reaches to the next in its section. */
static void settle(struct vmt_symbol_table *t)
{
	struct symbol *next = NULL;
	size_t i;

	if (t->n)
		qsort(t->symbols, t->n, sizeof(*t->symbols), by_value);
	for (i = t->n; i > 0; i--) {
		struct symbol *s = &t->symbols[i - 1];

		if (s->end == s->value && next && next->section == s->section)
			s->end = next->value;
		if (i > 1 && t->symbols[i - 2].value != s->value)
			next = s;
	}
}

static void find_link(Elf *elf, Elf_Scn *scn, struct vmt_debug_link *ret)
{
	Elf_Data *data = elf_rawdata(scn, NULL);
	size_t len, at;

	if (!data || !data->d_buf)
		return;
	len = strnlen(data->d_buf, data->d_size);
	at = (len + 4) / 4 * 4;
	if (len == 0 || len >= sizeof(ret->name) || at + 4 > data->d_size ||
	    memchr(data->d_buf, '/', len))
		return;
	memcpy(ret->name, data->d_buf, len + 1);
	memcpy(&ret->crc, (const char *)data->d_buf + at, 4);
	if (elf_getident(elf, NULL)[EI_DATA] !=
	    (__BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB))
		ret->crc = __builtin_bswap32(ret->crc);
}

static int read_tables(Elf *elf, struct vmt_symbol_table *t, bool *ret_full,
		       struct vmt_debug_link *ret_link)
{
	Elf_Scn *scn = NULL, *full = NULL, *dynamic = NULL;
	GElf_Shdr shdr, full_hdr, dynamic_hdr;
	size_t names, n, i;

	if (elf_kind(elf) != ELF_K_ELF)
		return -ENOEXEC;
	if (elf_getphdrnum(elf, &n) < 0)
		return -EIO;
	for (i = 0; i < n && t->n_loads < VMT_LOADS_MAX; i++) {
		GElf_Phdr phdr;

		if (!gelf_getphdr(elf, (int)i, &phdr))
			return -EIO;
		if (phdr.p_type == PT_LOAD)
			t->load[t->n_loads++] = (struct vmt_segment){ .offset = phdr.p_offset,
								      .vaddr = phdr.p_vaddr,
								      .filesz = phdr.p_filesz };
	}
	if (elf_getshdrstrndx(elf, &names) < 0)
		names = 0;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name;

		if (!gelf_getshdr(scn, &shdr))
			continue;
		if (shdr.sh_type == SHT_SYMTAB && shdr.sh_entsize && !full) {
			full = scn;
			full_hdr = shdr;
		} else if (shdr.sh_type == SHT_DYNSYM && shdr.sh_entsize && !dynamic) {
			dynamic = scn;
			dynamic_hdr = shdr;
		} else if (ret_link && shdr.sh_type == SHT_PROGBITS && shdr.sh_size < 4096) {
			name = elf_strptr(elf, names, shdr.sh_name);
			if (name && strcmp(name, ".gnu_debuglink") == 0)
				find_link(elf, scn, ret_link);
		}
	}
	if (ret_full)
		*ret_full = full != NULL;
	if (full)
		return take_symbols(t, elf, full, &full_hdr);
	return dynamic ? take_symbols(t, elf, dynamic, &dynamic_hdr) : 0;
}

static int finish(Elf *elf, struct vmt_symbol_table **ret, bool *ret_full,
		  struct vmt_debug_link *ret_link)
{
	VMT_CLEANUP(vmt_symbol_table_freep) struct vmt_symbol_table *t = NULL;
	int r;

	if (!elf)
		return -EIO;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	r = read_tables(elf, t, ret_full, ret_link);
	if (r < 0)
		return r;
	settle(t);
	*ret = VMT_STEAL(t);
	return 0;
}

int vmt_symbol_table_read(int fd, struct vmt_symbol_table **ret, bool *ret_full,
			  struct vmt_debug_link *ret_link)
{
	VMT_CLEANUP(elf_endp) Elf *elf = NULL;
	struct vmt_elf_facts facts;
	int r;

	elf_version(EV_CURRENT);
	if (ret_link) {
		*ret_link = (struct vmt_debug_link){ 0 };
		r = vmt_elf_read(fd, &facts);
		if (r < 0)
			return r;
		memcpy(ret_link->build_id, facts.build_id, facts.build_id_len);
		ret_link->build_id_len = facts.build_id_len;
	}
	elf = elf_begin(fd, ELF_C_READ, NULL);
	return finish(elf, ret, ret_full, ret_link);
}

int vmt_symbol_table_image(const void *image, size_t len, struct vmt_symbol_table **ret)
{
	VMT_AUTO_FREE char *copy = malloc(len ? len : 1);
	VMT_CLEANUP(elf_endp) Elf *elf = NULL;

	if (!copy)
		return -ENOMEM;
	/* libelf wants to be able to write to what it gets. */
	memcpy(copy, image, len);
	elf_version(EV_CURRENT);
	elf = elf_memory(copy, len);
	return finish(elf, ret, NULL, NULL);
}

void vmt_symbol_table_replace(struct vmt_symbol_table *t, struct vmt_symbol_table *debug)
{
	struct symbol *symbols = t->symbols;
	struct vmt_buf names = t->names;
	size_t n = t->n;

	if (debug->n <= n)
		return;
	t->symbols = debug->symbols;
	t->names = debug->names;
	t->n = debug->n;
	debug->symbols = symbols;
	debug->names = names;
	debug->n = n;
}

void vmt_symbol_table_free(struct vmt_symbol_table *t)
{
	if (!t)
		return;
	free(t->symbols);
	vmt_buf_done(&t->names);
	free(t);
}

/* Symbols that begin at or below an address and may reach over it: looked at from the nearest. */
#define NESTED_MAX 64

int vmt_symbol_table_find(const struct vmt_symbol_table *t, uint64_t offset,
			  struct vmt_bytes *ret_name)
{
	size_t lo = 0, hi = t->n, i;
	uint64_t address;
	unsigned k;

	for (k = 0; k < t->n_loads; k++)
		if (offset >= t->load[k].offset && offset - t->load[k].offset < t->load[k].filesz)
			break;
	if (k == t->n_loads)
		return -ENOENT;
	address = t->load[k].vaddr + (offset - t->load[k].offset);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->symbols[mid].value <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (i = 0; i < NESTED_MAX && i < lo; i++) {
		const struct symbol *s = &t->symbols[lo - 1 - i];

		if (address < s->end) {
			*ret_name = vmt_bytes_of(t->names.data + s->name);
			return 0;
		}
	}
	return -ENOENT;
}

int vmt_debug_link_crc(int fd, uint64_t max, uint32_t *ret)
{
	VMT_AUTO_FREE unsigned char *block = malloc(65536);
	uint32_t table[256], crc = 0xffffffff;
	uint64_t done = 0;
	ssize_t n, i;
	unsigned b;

	if (!block)
		return -ENOMEM;
	for (b = 0; b < 256; b++) {
		uint32_t c = b;
		int k;

		for (k = 0; k < 8; k++)
			c = c & 1 ? 0xedb88320 ^ c >> 1 : c >> 1;
		table[b] = c;
	}
	while ((n = read(fd, block, 65536)) > 0) {
		done += (uint64_t)n;
		if (done > max)
			return -EFBIG;
		for (i = 0; i < n; i++)
			crc = table[(crc ^ block[i]) & 0xff] ^ crc >> 8;
	}
	if (n < 0)
		return -errno;
	*ret = ~crc;
	return 0;
}
