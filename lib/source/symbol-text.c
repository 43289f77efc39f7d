/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/symbol-text.h"

#include "base/parse.h"

/* The first of the wanted addresses that is not below. */
static size_t lower_bound(const struct vmt_text_symbol *wanted, size_t n, uint64_t address)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (wanted[mid].address < address)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool is_code(char type)
{
	return type == 't' || type == 'T' || type == 'w' || type == 'W';
}

void vmt_kallsyms_find(struct vmt_bytes text, struct vmt_text_symbol *wanted, size_t n)
{
	struct vmt_bytes line;
	size_t i;

	while (vmt_take_line(&text, &line)) {
		struct vmt_bytes name, module = { 0 };
		uint64_t address;
		char type;

		if (vmt_take_hex(&line, &address) < 0 || !address || line.len < 4 ||
		    line.ptr[0] != ' ' || line.ptr[2] != ' ')
			continue;
		type = line.ptr[1];
		line.ptr += 3;
		line.len -= 3;
		i = lower_bound(wanted, n, address);
		if (!is_code(type) || i == n || wanted[i].from > address)
			continue;
		name = vmt_take_word(&line);
		vmt_take_blanks(&line);
		if (line.len > 2 && line.ptr[0] == '[' && line.ptr[line.len - 1] == ']')
			module = (struct vmt_bytes){ line.ptr + 1, line.len - 2 };
		/* Of several names for one place the first; aliases come behind. */
		if (!name.len || wanted[i].from == address)
			continue;
		wanted[i].from = address;
		wanted[i].name = name;
		wanted[i].module = module;
	}
	/* Each was put down for the first address behind it alone. */
	for (i = 1; i < n; i++) {
		if (wanted[i].from >= wanted[i - 1].from)
			continue;
		wanted[i].from = wanted[i - 1].from;
		wanted[i].name = wanted[i - 1].name;
		wanted[i].module = wanted[i - 1].module;
	}
}

void vmt_perf_map_find(struct vmt_bytes text, struct vmt_text_symbol *wanted, size_t n)
{
	struct vmt_bytes line;

	while (vmt_take_line(&text, &line)) {
		uint64_t from, size, end;
		size_t i;

		if (line.len > 2 && line.ptr[0] == '0' && line.ptr[1] == 'x')
			line = (struct vmt_bytes){ line.ptr + 2, line.len - 2 };
		if (vmt_take_hex(&line, &from) < 0 || vmt_take_char(&line, ' ') < 0)
			continue;
		if (line.len > 2 && line.ptr[0] == '0' && line.ptr[1] == 'x')
			line = (struct vmt_bytes){ line.ptr + 2, line.len - 2 };
		if (vmt_take_hex(&line, &size) < 0 || vmt_take_char(&line, ' ') < 0 ||
		    __builtin_add_overflow(from, size, &end) || line.len == 0)
			continue;
		for (i = lower_bound(wanted, n, from); i < n && wanted[i].address < end; i++) {
			wanted[i].from = from;
			wanted[i].name = line;
		}
	}
}
