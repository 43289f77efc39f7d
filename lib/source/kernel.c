/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/kernel.h"

#include <elf.h>
#include <errno.h>

#include "base/parse.h"
#include "source/kv.h"
#include "source/lines.h"

/* A number behind blanks, with blanks or the end behind it. */
static int take_number(struct vmt_bytes *cur, uint64_t *ret)
{
	int r;

	vmt_take_blanks(cur);
	r = vmt_take_u64(cur, ret);
	if (r < 0)
		return r;
	return cur->len && !vmt_is_blank(cur->ptr[0]) ? -EINVAL : 0;
}

static bool at_end(struct vmt_bytes cur)
{
	vmt_take_blanks(&cur);
	return cur.len == 0;
}

/* "Slab:  184616 kB", "HugePages_Total:  0" */
static int meminfo_line(struct vmt_bytes line, struct vmt_bytes *ret_key, uint64_t *ret)
{
	struct vmt_bytes rest;
	int r = vmt_kv_split(line, ':', ret_key, &rest);

	if (r == 0)
		r = take_number(&rest, ret);
	if (r < 0)
		return r;
	vmt_take_blanks(&rest);
	if (rest.len == 0)
		return 0;
	if (!vmt_bytes_is(rest, "kB"))
		return -EINVAL;
	return __builtin_mul_overflow(*ret, UINT64_C(1024), ret) ? -ERANGE : 0;
}

/* Keys that something is made of. Of others, that a later kernel may have, a line of another form
 * is skipped. */
static bool is_known(struct vmt_bytes key)
{
	static const char *const names[] = {
		"MemTotal",	   "Slab",	     "KReclaimable",
		"SReclaimable",	   "SUnreclaim",     "KernelStack",
		"ShadowCallStack", "PageTables",     "SecPageTables",
		"Bounce",	   "VmallocTotal",   "VmallocUsed",
		"Percpu",	   "Hugetlb",	     "HardwareCorrupted",
		"Unaccepted",	   "Balloon",	     "GPUActive",
		"GPUReclaim",	   "HighTotal",	     "HighFree",
		"nr_memmap_pages", "nr_iommu_pages", "nr_memmap_boot_pages",
		"nr_zspages",
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(names); i++)
		if (vmt_bytes_is(key, names[i]))
			return true;
	return vmt_bytes_starts(key, "DirectMap");
}

int vmt_kernel_meminfo_parse(struct vmt_bytes text, struct vmt_arena *arena,
			     struct vmt_kernel_sample *k, struct vmt_err *err)
{
	struct vmt_kernel_key *keys =
		vmt_arena_alloc(arena, vmt_count_lines(text, ""), sizeof(*keys));
	struct vmt_bytes line;
	unsigned lineno = 0;
	size_t n = 0;
	int r = keys ? 0 : -ENOMEM;

	while (r == 0 && vmt_take_line(&text, &line)) {
		struct vmt_bytes key = { 0 };

		lineno++;
		r = meminfo_line(line, &key, &keys[n].value);
		if (r < 0 && key.len && !is_known(key)) {
			r = 0;
			continue;
		}
		if (r == 0)
			r = vmt_bytes_keep(arena, key, NULL, &keys[n++].name);
	}
	if (r < 0)
		return vmt_malformed_line(err, r, "/proc/meminfo", lineno);
	k->meminfo = keys;
	k->n_meminfo = n;
	return 0;
}

int vmt_kernel_vmstat_parse(struct vmt_bytes text, struct vmt_arena *arena,
			    struct vmt_kernel_sample *k, struct vmt_err *err)
{
	struct vmt_counter *rows = vmt_arena_alloc(arena, vmt_count_lines(text, ""), sizeof(*rows));
	struct vmt_bytes line;
	unsigned lineno = 0;
	size_t n = 0;
	int r = rows ? 0 : -ENOMEM;

	while (r == 0 && vmt_take_line(&text, &line)) {
		struct vmt_counter *row = &rows[n];
		struct vmt_bytes name = vmt_take_word(&line);
		uint64_t value;

		lineno++;
		r = name.len ? take_number(&line, &value) : -EINVAL;
		if (r == 0 && !at_end(line))
			r = -EINVAL;
		if (r < 0 && name.len && !is_known(name)) {
			r = 0;
			continue;
		}
		if (r == 0)
			r = vmt_bytes_keep(arena, name, NULL, &name);
		if (r < 0)
			break;
		VMT_SET(counter, name, row, name);
		VMT_SET(counter, value, row, value);
		n++;
	}
	if (r < 0)
		return vmt_malformed_line(err, r, "/proc/vmstat", lineno);
	k->counters = rows;
	k->n_counters = n;
	return 0;
}

/* Takes away what stands before word, and the word; false where it is not there. */
static bool cut_at(struct vmt_bytes *cur, const char *word, struct vmt_bytes *ret_before)
{
	const char *at = cur->len ? memmem(cur->ptr, cur->len, word, strlen(word)) : NULL;

	if (!at)
		return false;
	*ret_before = (struct vmt_bytes){ cur->ptr, (size_t)(at - cur->ptr) };
	cur->len -= (size_t)(at - cur->ptr) + strlen(word);
	cur->ptr = at + strlen(word);
	return true;
}

/* The last word of cur, which is a number. */
static int take_number_back(struct vmt_bytes *cur, uint64_t *ret)
{
	struct vmt_bytes word;

	while (cur->len && vmt_is_blank(cur->ptr[cur->len - 1]))
		cur->len--;
	word = (struct vmt_bytes){ cur->ptr + cur->len, 0 };
	while (cur->len && !vmt_is_blank(cur->ptr[cur->len - 1])) {
		cur->len--;
		word.ptr--;
		word.len++;
	}
	return take_number(&word, ret);
}

/* "dentry 22 42 192 21 1 : tunables 0 0 0 : slabdata 2 2 0". A module may call its cache what it
 * likes, so the numbers are those before the first tunables, from the right. */
static int slab_line(struct vmt_bytes line, uint64_t page_size, struct vmt_arena *arena,
		     struct vmt_slab *s)
{
	uint64_t active, total, size, per_slab, pages, active_slabs, slabs, used, all;
	struct vmt_bytes head, tunables, name;
	int r;

	if (!cut_at(&line, " : tunables ", &head) || !cut_at(&line, " : slabdata ", &tunables))
		return -EINVAL;
	r = take_number_back(&head, &pages);
	if (r == 0)
		r = take_number_back(&head, &per_slab);
	if (r == 0)
		r = take_number_back(&head, &size);
	if (r == 0)
		r = take_number_back(&head, &total);
	if (r == 0)
		r = take_number_back(&head, &active);
	if (r == 0)
		r = take_number(&line, &active_slabs);
	if (r == 0)
		r = take_number(&line, &slabs);
	if (r < 0)
		return r;
	while (head.len && vmt_is_blank(head.ptr[head.len - 1]))
		head.len--;
	if (head.len == 0)
		return -EINVAL;
	if (__builtin_mul_overflow(active, size, &used) ||
	    __builtin_mul_overflow(slabs, pages, &all) ||
	    __builtin_mul_overflow(all, page_size, &all))
		return -ERANGE;
	r = vmt_bytes_keep(arena, head, NULL, &name);
	if (r < 0)
		return r;
	VMT_SET(slab, name, s, name);
	VMT_SET(slab, objects_used, s, active);
	VMT_SET(slab, objects_total, s, total);
	VMT_SET(slab, object_bytes, s, size);
	VMT_SET(slab, slab_objects, s, per_slab);
	VMT_SET(slab, slab_pages, s, pages);
	VMT_SET(slab, slabs, s, slabs);
	VMT_SET(slab, size_bytes, s, all);
	VMT_SET(slab, used_bytes, s, used);
	return 0;
}

int vmt_slabinfo_parse(struct vmt_bytes text, uint64_t page_size, struct vmt_arena *arena,
		       struct vmt_kernel_sample *k, struct vmt_err *err)
{
	static const char path[] = "/proc/slabinfo";
	struct vmt_slab *rows = vmt_arena_alloc(arena, vmt_count_lines(text, ""), sizeof(*rows));
	struct vmt_bytes line;
	unsigned lineno = 0;
	size_t n = 0;
	int r = rows ? 0 : -ENOMEM;

	while (r == 0 && vmt_take_line(&text, &line)) {
		lineno++;
		if (lineno == 1) {
			if (!vmt_bytes_starts(line, "slabinfo - version: 2."))
				r = -EINVAL;
		} else if (!vmt_bytes_starts(line, "# name")) {
			r = slab_line(line, page_size, arena, &rows[n++]);
		}
	}
	if (r < 0)
		return vmt_malformed_line(err, r, path, lineno);
	k->slabs = rows;
	k->n_slabs = n;
	return 0;
}

/* What a line of vmallocinfo says, but for its addresses. */
struct area {
	struct vmt_bytes caller; /* without offset; empty where there is none */
	struct vmt_bytes module; /* the same */
	const char *kind;
	uint64_t size;
	uint64_t pages;
};

static void area_word(struct area *a, struct vmt_bytes word)
{
	/* The kernel prints several of them; the later ones here say more. */
	static const char *const kinds[] = { "vmalloc", "vmap",		"ioremap",
					     "user",	"dma-coherent", "vm_map_ram" };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(kinds); i++)
		if (vmt_bytes_is(word, kinds[i]))
			a->kind = kinds[i];
	if (vmt_bytes_is(word, "unpurged"))
		a->kind = "unpurged";
}

static bool is_caller(struct vmt_bytes word)
{
	return memmem(word.ptr, word.len, "+0x", 3) != NULL;
}

/*
 * "0x000000006655e318-0x00000000ea359c32    8192 acpi_os_map_iomem+0x1bc/0x1e0
 * phys=0x00000000000a0000 ioremap", in one line.
 */
static int area_line(struct vmt_bytes line, struct area *a)
{
	struct vmt_bytes range = vmt_take_word(&line);
	int r;

	*a = (struct area){ .kind = "other" };
	if (!vmt_bytes_starts(range, "0x") || !memmem(range.ptr, range.len, "-0x", 3))
		return -EINVAL;
	r = take_number(&line, &a->size);
	if (r < 0)
		return r;
	for (;;) {
		struct vmt_bytes word;

		vmt_take_blanks(&line);
		word = vmt_take_word(&line);
		if (word.len == 0)
			return 0;
		if (vmt_bytes_starts(word, "pages=")) {
			word.ptr += strlen("pages=");
			word.len -= strlen("pages=");
			r = take_number(&word, &a->pages);
			if (r < 0)
				return r;
		} else if (!a->caller.len && is_caller(word)) {
			const char *plus = memmem(word.ptr, word.len, "+0x", 3);

			a->caller = (struct vmt_bytes){ word.ptr, (size_t)(plus - word.ptr) };
		} else if (!a->module.len && word.len > 2 && word.ptr[0] == '[' &&
			   word.ptr[word.len - 1] == ']') {
			a->module = (struct vmt_bytes){ word.ptr + 1, word.len - 2 };
		} else {
			area_word(a, word);
		}
	}
}

static bool same_area(const struct vmt_vmalloc *v, const struct area *a)
{
	struct vmt_bytes none = { 0 };

	return vmt_bytes_is(v->kind, a->kind) &&
	       vmt_bytes_equal(VMT_HAS(vmalloc, caller, v) ? v->caller : none, a->caller) &&
	       vmt_bytes_equal(VMT_HAS(vmalloc, module, v) ? v->module : none, a->module);
}

static uint32_t hash_of(const struct area *a)
{
	uint32_t h = 2166136261u;
	size_t i;

	for (i = 0; i < a->caller.len; i++)
		h = (h ^ (unsigned char)a->caller.ptr[i]) * 16777619u;
	return h;
}

static int begin_area(struct vmt_vmalloc *v, const struct area *a, struct vmt_arena *arena)
{
	struct vmt_bytes text;
	int r = 0;

	VMT_SET(vmalloc, kind, v, vmt_bytes_of(a->kind));
	VMT_SET(vmalloc, areas, v, 0);
	VMT_SET(vmalloc, size_bytes, v, 0);
	VMT_SET(vmalloc, memory_bytes, v, 0);
	if (a->caller.len) {
		r = vmt_bytes_keep(arena, a->caller, NULL, &text);
		if (r == 0)
			VMT_SET(vmalloc, caller, v, text);
	}
	if (r == 0 && a->module.len) {
		r = vmt_bytes_keep(arena, a->module, NULL, &text);
		if (r == 0)
			VMT_SET(vmalloc, module, v, text);
	}
	return r;
}

struct sums {
	struct vmt_vmalloc *rows;
	uint32_t *hashes;
	size_t n;
	uint64_t put_bytes;
};

static int add_area(struct sums *s, const struct area *a, uint64_t page_size,
		    struct vmt_arena *arena)
{
	uint32_t hash = hash_of(a);
	struct vmt_vmalloc *v;
	uint64_t bytes;
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->hashes[i] == hash && same_area(&s->rows[i], a))
			break;
	v = &s->rows[i];
	if (i == s->n) {
		int r = begin_area(v, a, arena);

		if (r < 0)
			return r;
		s->hashes[s->n++] = hash;
	}
	v->areas++;
	if (__builtin_mul_overflow(a->pages, page_size, &bytes) ||
	    __builtin_add_overflow(v->size_bytes, a->size, &v->size_bytes) ||
	    __builtin_add_overflow(v->memory_bytes, bytes, &v->memory_bytes))
		return -ERANGE;
	/* vmap() with VM_MAP_PUT_PAGES: the area holds them, and vmalloc() did not allocate them.
	 */
	if (strcmp(a->kind, "vmap") == 0 &&
	    __builtin_add_overflow(s->put_bytes, bytes, &s->put_bytes))
		return -ERANGE;
	return 0;
}

int vmt_vmallocinfo_parse(struct vmt_bytes text, uint64_t page_size, struct vmt_arena *arena,
			  struct vmt_kernel_sample *k, struct vmt_err *err)
{
	size_t lines = vmt_count_lines(text, "");
	VMT_AUTO_FREE uint32_t *hashes = calloc(lines ? lines : 1, sizeof(*hashes));
	struct sums s = { .hashes = hashes };
	struct vmt_bytes line;
	unsigned lineno = 0;
	int r;

	s.rows = vmt_arena_alloc(arena, lines, sizeof(*s.rows));
	r = s.rows && hashes ? 0 : -ENOMEM;
	while (r == 0 && vmt_take_line(&text, &line)) {
		struct area a;

		lineno++;
		r = area_line(line, &a);
		if (r == 0)
			r = add_area(&s, &a, page_size, arena);
	}
	if (r < 0)
		return vmt_malformed_line(err, r, "/proc/vmallocinfo", lineno);
	k->vmalloc = s.rows;
	k->n_vmalloc = s.n;
	k->vmalloc_put_bytes = s.put_bytes;
	return 0;
}

/* The number behind a key in "TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 185". */
static int take_value_of(struct vmt_bytes line, const char *key, uint64_t *ret, bool *ret_has)
{
	for (;;) {
		struct vmt_bytes word;
		uint64_t v;
		int r;

		vmt_take_blanks(&line);
		word = vmt_take_word(&line);
		if (word.len == 0)
			return 0;
		r = take_number(&line, &v);
		if (r < 0)
			return r;
		if (vmt_bytes_is(word, key)) {
			*ret = v;
			*ret_has = true;
		}
	}
}

int vmt_sockstat_parse(struct vmt_bytes text, struct vmt_kernel_sample *k, struct vmt_err *err)
{
	struct vmt_kernel_sample s = *k;
	struct vmt_bytes line, proto;
	unsigned lineno = 0;
	int r = 0;

	while (r == 0 && vmt_take_line(&text, &line)) {
		lineno++;
		proto = vmt_take_word(&line);
		if (vmt_bytes_is(proto, "TCP:"))
			r = take_value_of(line, "mem", &s.tcp_pages, &s.has_tcp);
		else if (vmt_bytes_is(proto, "UDP:"))
			r = take_value_of(line, "mem", &s.udp_pages, &s.has_udp);
		else if (vmt_bytes_is(proto, "FRAG:"))
			r = take_value_of(line, "memory", &s.frag_bytes, &s.has_frag);
	}
	if (r < 0)
		return vmt_malformed_line(err, r, "/proc/net/sockstat", lineno);
	*k = s;
	return 0;
}

/* "nf_tables 294912 1 nft_ct, Live 0xffffffffc0a00000 (E)" */
static int module_line(struct vmt_bytes line, struct vmt_kernel_sample *k)
{
	struct vmt_bytes name = vmt_take_word(&line), word;
	uint64_t size, address, end;
	int r = name.len ? take_number(&line, &size) : -EINVAL;

	if (r < 0)
		return r;
	k->modules++;
	if (__builtin_add_overflow(k->modules_bytes, size, &k->modules_bytes))
		return -ERANGE;
	for (;;) {
		vmt_take_blanks(&line);
		word = vmt_take_word(&line);
		if (word.len == 0)
			return 0;
		if (vmt_bytes_starts(word, "0x"))
			break;
	}
	word.ptr += 2;
	word.len -= 2;
	r = vmt_take_hex(&word, &address);
	if (r < 0 || word.len)
		return r < 0 ? r : -EINVAL;
	if (!address)
		return 0;
	if (__builtin_add_overflow(address, size, &end))
		return -ERANGE;
	if (!k->has_module_range || address < k->module_start)
		k->module_start = address;
	if (!k->has_module_range || end > k->module_end)
		k->module_end = end;
	k->has_module_range = true;
	return 0;
}

int vmt_modules_parse(struct vmt_bytes text, struct vmt_kernel_sample *k, struct vmt_err *err)
{
	struct vmt_kernel_sample s = *k;
	struct vmt_bytes line;
	unsigned lineno = 0;
	int r = 0;

	while (r == 0 && vmt_take_line(&text, &line)) {
		lineno++;
		r = module_line(line, &s);
	}
	if (r < 0)
		return vmt_malformed_line(err, r, "/proc/modules", lineno);
	s.has_modules = true;
	*k = s;
	return 0;
}

int vmt_kallsyms_line(struct vmt_bytes line, struct vmt_kernel_sample *k)
{
	static const char *const names[VMT_IMAGE_SYMBOLS] = {
		[VMT_IMAGE_TEXT] = "_text",
		[VMT_IMAGE_ETEXT] = "_etext",
		[VMT_IMAGE_RODATA] = "__start_rodata",
		[VMT_IMAGE_ERODATA] = "__end_rodata",
		[VMT_IMAGE_DATA] = "_sdata",
		[VMT_IMAGE_EDATA] = "_edata",
		[VMT_IMAGE_BSS] = "__bss_start",
		[VMT_IMAGE_EBSS] = "__bss_stop",
		[VMT_IMAGE_END] = "_end",
	};
	uint64_t address;
	size_t i;
	int r = vmt_take_hex(&line, &address);

	if (r < 0)
		return r;
	/* " T _text"; those of modules have a tab and more behind. */
	if (line.len < 4 || line.ptr[0] != ' ' || line.ptr[2] != ' ')
		return -EINVAL;
	line.ptr += 3;
	line.len -= 3;
	for (i = 0; i < VMT_IMAGE_SYMBOLS; i++)
		if (vmt_bytes_is(line, names[i]))
			k->symbols[i] = address;
	return 0;
}

int vmt_kcore_parse(struct vmt_bytes head, struct vmt_arena *arena, struct vmt_kernel_sample *k,
		    struct vmt_err *err)
{
	static const char path[] = "/proc/kcore";
	struct vmt_kcore_segment *segments;
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr;
	size_t i, n = 0, room;

	if (head.len < sizeof(ehdr))
		return vmt_err_set(err, -EINVAL, path, 0, "it is too short");
	memcpy(&ehdr, head.ptr, sizeof(ehdr));
	if (memcmp(ehdr.e_ident, ELFMAG, SELFMAG) != 0 || ehdr.e_ident[EI_CLASS] != ELFCLASS64 ||
	    ehdr.e_ident[EI_DATA] !=
		    (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB) ||
	    ehdr.e_type != ET_CORE || ehdr.e_phentsize != sizeof(phdr) || ehdr.e_phoff > head.len)
		return vmt_err_set(err, -EINVAL, path, 0, "it is no core of a 64-bit kernel");
	/* Of more headers than were read, those that were would look like all. */
	room = (head.len - ehdr.e_phoff) / sizeof(phdr);
	if (ehdr.e_phnum > room)
		return vmt_err_set(err, -EINVAL, path, 0, "it has more segments than are read");
	segments = vmt_arena_alloc(arena, ehdr.e_phnum, sizeof(*segments));
	if (!segments)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	for (i = 0; i < ehdr.e_phnum; i++) {
		memcpy(&phdr, head.ptr + ehdr.e_phoff + i * sizeof(phdr), sizeof(phdr));
		if (phdr.p_type != PT_LOAD || phdr.p_memsz == 0)
			continue;
		if (phdr.p_vaddr + (phdr.p_memsz - 1) < phdr.p_vaddr)
			return vmt_err_set(err, -EINVAL, path, 0, "a segment has no end");
		segments[n++] = (struct vmt_kcore_segment){
			.start = phdr.p_vaddr,
			.size = phdr.p_memsz,
			.physical = phdr.p_paddr != UINT64_MAX,
		};
	}
	k->segments = segments;
	k->n_segments = n;
	return 0;
}
