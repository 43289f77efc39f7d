/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/x86-operand.h"

#include <string.h>

enum map {
	ONE_BYTE,
	MAP_0F,
	MAP_0F38,
	MAP_0F3A,
};

enum {
	RSP = 4,
	RBP = 5,
	RSI = 6,
	RDI = 7,
};

struct code {
	const uint8_t *at, *end;
	unsigned rex_x, rex_b; /* 8 or 0 */
	bool size; /* prefix 66 */
	bool narrow; /* addresses of 32 bits */
	bool based; /* relative to fs or gs, whose base is not known */
	bool vex;
	bool evex;
	enum map map;
	uint8_t op;
};

static bool take(struct code *c, uint8_t *ret)
{
	if (c->at == c->end)
		return false;
	*ret = *c->at++;
	return true;
}

/* Prefixes that are no REX; false at the end of the bytes. */
static bool prefixes(struct code *c, uint8_t *ret)
{
	while (take(c, ret)) {
		switch (*ret) {
		case 0x66:
			c->size = true;
			break;
		case 0x67:
			c->narrow = true;
			break;
		case 0x64:
		case 0x65:
			c->based = true;
			break;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0xf0:
		case 0xf2:
		case 0xf3:
			break;
		default:
			return true;
		}
	}
	return false;
}

/* VEX and EVEX: the bits of REX are inverted. byte is the first of them. */
static bool vector(struct code *c, uint8_t byte)
{
	uint8_t p[3] = { 0 };
	unsigned map = 1, n = byte == 0xc5 ? 1 : byte == 0xc4 ? 2 : 3;

	for (unsigned i = 0; i < n; i++)
		if (!take(c, &p[i]))
			return false;
	if (n > 1) {
		map = p[0] & (byte == 0x62 ? 7 : 0x1f);
		c->rex_x = p[0] & 0x40 ? 0 : 8;
		c->rex_b = p[0] & 0x20 ? 0 : 8;
	}
	if (map < 1 || map > 3)
		return false;
	c->size = (p[n == 1 ? 0 : 1] & 3) == 1;
	c->map = (enum map)map;
	c->vex = true;
	c->evex = byte == 0x62;
	return take(c, &c->op);
}

static bool opcode(struct code *c)
{
	uint8_t byte;

	if (!prefixes(c, &byte))
		return false;
	if ((byte & 0xf0) == 0x40) {
		c->rex_x = byte & 2 ? 8 : 0;
		c->rex_b = byte & 1 ? 8 : 0;
		if (!take(c, &byte))
			return false;
	} else if (byte == 0xc4 || byte == 0xc5 || byte == 0x62) {
		return vector(c, byte);
	}
	c->op = byte;
	if (byte != 0x0f)
		return true;
	if (!take(c, &c->op))
		return false;
	c->map = MAP_0F;
	if (c->op == 0x38 || c->op == 0x3a) {
		c->map = c->op == 0x38 ? MAP_0F38 : MAP_0F3A;
		return take(c, &c->op);
	}
	return true;
}

static bool has_modrm(const struct code *c)
{
	uint8_t op = c->op;

	if (c->map == MAP_0F38 || c->map == MAP_0F3A)
		return true;
	if (c->map == MAP_0F)
		return !((op >= 0x05 && op <= 0x09) || op == 0x0b || op == 0x0e ||
			 (op >= 0x30 && op <= 0x37) || op == 0x77 || (op >= 0x80 && op <= 0x8f) ||
			 (op >= 0xa0 && op <= 0xa2) || (op >= 0xa8 && op <= 0xaa) ||
			 (op >= 0xc8 && op <= 0xcf));
	if (op < 0x40)
		return (op & 7) < 4;
	return op == 0x63 || op == 0x69 || op == 0x6b || (op >= 0x80 && op <= 0x8f) || op == 0xc0 ||
	       op == 0xc1 || op == 0xc6 || op == 0xc7 || (op >= 0xd0 && op <= 0xd3) ||
	       (op >= 0xd8 && op <= 0xdf) || op == 0xf6 || op == 0xf7 || op == 0xfe || op == 0xff;
}

static bool is_privileged(const struct code *c)
{
	uint8_t op = c->op;

	if (c->vex)
		return false;
	if (c->map == MAP_0F)
		return op == 0x06 || op == 0x08 || op == 0x09 || op == 0x30 || op == 0x32 ||
		       (op >= 0x20 && op <= 0x23);
	/* in and out are, where the kernel did not allow them (ioperm(2)): then they fault. */
	return c->map == ONE_BYTE &&
	       (op == 0xf4 || op == 0xfa || op == 0xfb || (op >= 0xe4 && op <= 0xe7) ||
		(op >= 0xec && op <= 0xef) || (op >= 0x6c && op <= 0x6f));
}

/* Moves that want the whole of their operand aligned, of 16 bytes; wider ones are not looked at. */
static uint64_t alignment(const struct code *c)
{
	if (c->map != MAP_0F || c->vex)
		return 0;
	if (c->op == 0x28 || c->op == 0x29 || c->op == 0x2b || c->op == 0xe7)
		return 16;
	return c->size && (c->op == 0x6f || c->op == 0x7f) ? 16 : 0;
}

static uint64_t displacement(struct code *c, unsigned bytes, bool *ok)
{
	int32_t wide;
	uint8_t byte;

	if (bytes == 1) {
		*ok = take(c, &byte);
		return *ok ? (uint64_t)(int64_t)(int8_t)byte : 0;
	}
	*ok = c->end - c->at >= 4;
	if (!*ok)
		return 0;
	memcpy(&wide, c->at, 4);
	return (uint64_t)(int64_t)wide;
}

/* The address of a memory operand; modrm was taken. */
static bool address(struct code *c, uint8_t modrm, const uint64_t regs[16], uint64_t *ret)
{
	unsigned mod = modrm >> 6, rm = modrm & 7, bytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;
	uint64_t sum = 0;
	bool ok = true;
	uint8_t sib;

	if (rm == RSP) {
		unsigned index, base;

		if (!take(c, &sib))
			return false;
		index = (sib >> 3 & 7) | c->rex_x;
		base = sib & 7;
		if (index != RSP)
			sum = regs[index] << (sib >> 6);
		if (base == RBP && mod == 0)
			bytes = 4;
		else
			sum += regs[base | c->rex_b];
	} else if (rm == RBP && mod == 0) {
		/* Relative to the next instruction: never where there is no address. */
		return false;
	} else {
		sum = regs[rm | c->rex_b];
	}
	/* A displacement of 8 bits is scaled there, by the width of the operand. */
	if (c->evex && bytes == 1)
		return false;
	if (bytes)
		sum += displacement(c, bytes, &ok);
	*ret = c->narrow ? (uint32_t)sum : sum;
	return ok;
}

static void add(struct vmt_x86_operand *ret, uint64_t address)
{
	ret->address[ret->n++] = address;
}

/* Operands that no byte names. True where there are some. */
static bool implied(const struct code *c, const uint64_t regs[16], const uint64_t *top,
		    struct vmt_x86_operand *ret)
{
	uint8_t op = c->op;

	if (c->map != ONE_BYTE)
		return false;
	if ((op >= 0xa4 && op <= 0xa7) || op == 0xac || op == 0xad)
		add(ret, regs[RSI]);
	if ((op >= 0xa4 && op <= 0xa7) || op == 0xaa || op == 0xab || op == 0xae || op == 0xaf)
		add(ret, regs[RDI]);
	if (op == 0xc9)
		add(ret, regs[RBP]);
	/* push, pop, call */
	if ((op >= 0x50 && op <= 0x5f) || op == 0x68 || op == 0x6a || op == 0xe8)
		add(ret, regs[RSP]);
	if (op == 0xc2 || op == 0xc3) {
		if (top && vmt_x86_is_non_canonical(*top) && !vmt_x86_is_non_canonical(regs[RSP])) {
			ret->target = true;
			add(ret, *top);
		} else {
			add(ret, regs[RSP]);
		}
	}
	return ret->n > 0;
}

bool vmt_x86_operand(const uint8_t *bytes, size_t n, const uint64_t regs[16], const uint64_t *top,
		     struct vmt_x86_operand *ret)
{
	struct code c = { .at = bytes, .end = bytes + n };
	uint8_t modrm;

	*ret = (struct vmt_x86_operand){ 0 };
	if (!opcode(&c))
		return false;
	ret->privileged = is_privileged(&c);
	if (ret->privileged)
		return true;
	if (c.based)
		return false;
	if (implied(&c, regs, top, ret))
		return true;
	if (!has_modrm(&c) || !take(&c, &modrm))
		return false;
	if (modrm >> 6 == 3) {
		unsigned way = modrm >> 3 & 7;

		/* call and jmp to what a register holds. */
		if (c.map != ONE_BYTE || c.op != 0xff || (way != 2 && way != 4))
			return false;
		ret->target = true;
		add(ret, regs[(modrm & 7) | c.rex_b]);
		return true;
	}
	/* lea reads nothing. */
	if ((c.map == ONE_BYTE && c.op == 0x8d) || !address(&c, modrm, regs, &ret->address[0]))
		return false;
	ret->n = 1;
	ret->align = alignment(&c);
	return true;
}
