/* SPDX-License-Identifier: MIT */
#include "lib/bpf.h"

static bool
code_known(u16 code)
{
	switch (code) {
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
	case BPF_LD | BPF_W | BPF_IND:
	case BPF_LD | BPF_H | BPF_IND:
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_B | BPF_MSH:
	case BPF_LDX | BPF_IMM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
	case BPF_ALU | BPF_ADD | BPF_K:
	case BPF_ALU | BPF_ADD | BPF_X:
	case BPF_ALU | BPF_SUB | BPF_K:
	case BPF_ALU | BPF_SUB | BPF_X:
	case BPF_ALU | BPF_MUL | BPF_K:
	case BPF_ALU | BPF_MUL | BPF_X:
	case BPF_ALU | BPF_DIV | BPF_K:
	case BPF_ALU | BPF_DIV | BPF_X:
	case BPF_ALU | BPF_MOD | BPF_K:
	case BPF_ALU | BPF_MOD | BPF_X:
	case BPF_ALU | BPF_AND | BPF_K:
	case BPF_ALU | BPF_AND | BPF_X:
	case BPF_ALU | BPF_OR | BPF_K:
	case BPF_ALU | BPF_OR | BPF_X:
	case BPF_ALU | BPF_XOR | BPF_K:
	case BPF_ALU | BPF_XOR | BPF_X:
	case BPF_ALU | BPF_LSH | BPF_K:
	case BPF_ALU | BPF_LSH | BPF_X:
	case BPF_ALU | BPF_RSH | BPF_K:
	case BPF_ALU | BPF_RSH | BPF_X:
	case BPF_ALU | BPF_NEG:
	case BPF_JMP | BPF_JA:
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JEQ | BPF_X:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_X:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_X:
	case BPF_JMP | BPF_JSET | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_X:
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA: return true;
	}
	return false;
}

bool
bpf_check(const struct linux_sock_filter *code, u32 len)
{
	if (!len || len > BPF_MAXINSNS || BPF_CLASS(code[len - 1].code) != BPF_RET)
		return false;
	for (u32 i = 0; i < len; i++) {
		const struct linux_sock_filter *c = &code[i];
		u32 left = len - i - 1;

		if (!code_known(c->code))
			return false;
		switch (BPF_CLASS(c->code)) {
		case BPF_ALU:
			if (BPF_SRC(c->code) == BPF_K) {
				if ((BPF_OP(c->code) == BPF_DIV || BPF_OP(c->code) == BPF_MOD) &&
				    !c->k)
					return false;
				if ((BPF_OP(c->code) == BPF_LSH || BPF_OP(c->code) == BPF_RSH) &&
				    c->k >= 32)
					return false;
			}
			break;
		case BPF_LD:
		case BPF_LDX:
			if (BPF_MODE(c->code) == BPF_MEM && c->k >= BPF_MEMWORDS)
				return false;
			if (BPF_CLASS(c->code) == BPF_LD && BPF_MODE(c->code) == BPF_ABS &&
			    (s32)c->k >= SKF_AD_OFF && (s32)c->k < 0 &&
			    (s32)c->k >= SKF_AD_OFF + BPF_ANCILLARY_MAX)
				return false;
			break;
		case BPF_ST:
		case BPF_STX:
			if (c->k >= BPF_MEMWORDS)
				return false;
			break;
		case BPF_JMP:
			if (BPF_OP(c->code) == BPF_JA ? c->k >= left
						      : c->jt >= left || c->jf >= left)
				return false;
			break;
		}
	}
	return true;
}

static u32
alu(u16 op, u32 a, u32 b)
{
	switch (op) {
	case BPF_ADD: return a + b;
	case BPF_SUB: return a - b;
	case BPF_MUL: return a * b;
	case BPF_DIV: return a / b;
	case BPF_MOD: return a % b;
	case BPF_AND: return a & b;
	case BPF_OR: return a | b;
	case BPF_XOR: return a ^ b;
	case BPF_LSH: return b < 32 ? a << b : 0;
	case BPF_RSH: return b < 32 ? a >> b : 0;
	case BPF_NEG: return -a;
	}
	return a;
}

static bool
jump(u16 op, u32 a, u32 b)
{
	switch (op) {
	case BPF_JEQ: return a == b;
	case BPF_JGT: return a > b;
	case BPF_JGE: return a >= b;
	}
	return a & b; /* BPF_JSET */
}

u32
bpf_run(const struct linux_sock_filter *code, const void *data, u32 len, bpf_load *load)
{
	u32 a = 0, x = 0, mem[BPF_MEMWORDS] = { 0 };

	for (const struct linux_sock_filter *c = code;; c++) {
		u32 size = BPF_SIZE(c->code) == BPF_W ? 4 : BPF_SIZE(c->code) == BPF_H ? 2 : 1;
		u32 operand = BPF_SRC(c->code) == BPF_X ? x : c->k;

		switch (BPF_CLASS(c->code)) {
		case BPF_LD:
			switch (BPF_MODE(c->code)) {
			case BPF_IMM: a = c->k; break;
			case BPF_MEM: a = mem[c->k]; break;
			case BPF_LEN: a = len; break;
			case BPF_ABS:
				if (!load(data, c->k, size, &a))
					return 0;
				break;
			case BPF_IND:
				if (!load(data, c->k + x, size, &a))
					return 0;
				break;
			}
			break;
		case BPF_LDX:
			switch (BPF_MODE(c->code)) {
			case BPF_IMM: x = c->k; break;
			case BPF_MEM: x = mem[c->k]; break;
			case BPF_LEN: x = len; break;
			case BPF_MSH:
				if (!load(data, c->k, 1, &x))
					return 0;
				x = (x & 0xf) << 2;
				break;
			}
			break;
		case BPF_ST: mem[c->k] = a; break;
		case BPF_STX: mem[c->k] = x; break;
		case BPF_ALU:
			if ((BPF_OP(c->code) == BPF_DIV || BPF_OP(c->code) == BPF_MOD) && !operand)
				return 0;
			a = alu(BPF_OP(c->code), a, operand);
			break;
		case BPF_JMP:
			if (BPF_OP(c->code) == BPF_JA)
				c += c->k;
			else
				c += jump(BPF_OP(c->code), a, operand) ? c->jt : c->jf;
			break;
		case BPF_RET: return BPF_RVAL(c->code) == BPF_A ? a : c->k;
		case BPF_MISC:
			if (BPF_MISCOP(c->code) == BPF_TXA)
				a = x;
			else
				x = a;
			break;
		}
	}
}
