/* SPDX-License-Identifier: MIT */
/* Filters of sockets: classic BPF (lib/bpf.h) over packets. */
#include "net/core/filter.h"

#include "core/cpumask.h"
#include "core/random.h"
#include "lib/bpf.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "net_core_internal.h"
#include "uapi/errno.h"

#define AD_MARK	  20
#define AD_QUEUE  24
#define AD_HATYPE 28
#define AD_RXHASH 32
#define AD_CPU	  36
#define AD_RANDOM 56

int
filter_create(const void *fprog, u32 len, struct socket_filter **out)
{
	struct linux_sock_fprog prog;
	struct socket_filter *f;
	size_t size;

	if (len != sizeof(prog))
		return -EINVAL;
	memcpy(&prog, fprog, sizeof(prog));
	if (!prog.len || prog.len > BPF_MAXINSNS)
		return -EINVAL;
	size = sizeof(f->code[0]) * prog.len;
	f = kmalloc(sizeof(*f) + size, GFP_KERNEL);
	if (!f)
		return -ENOMEM;
	f->len = prog.len;
	if (copy_from_user(f->code, user_ptr_of(prog.filter), size)) {
		kfree(f);
		return -EFAULT;
	}
	if (!bpf_check(f->code, f->len)) {
		kfree(f);
		return -EINVAL;
	}
	*out = f;
	return 0;
}

void
filter_free(struct socket_filter *f)
{
	if (f)
		kfree_rcu(f, rcu);
}

/* Facts about the packet at SKF_AD_OFF. False: not known here. */
static bool
ancillary(const struct packet *p, u32 what, u32 *out)
{
	switch (what) {
	case SKF_AD_PROTOCOL: *out = p->protocol; return true;
	case SKF_AD_PKTTYPE: *out = p->pkt_type; return true;
	case SKF_AD_IFINDEX: *out = p->ifindex; return true;
	case AD_MARK: *out = p->mark; return true;
	case AD_QUEUE: *out = 0; return true;
	case AD_HATYPE: *out = p->dev ? p->dev->type : 0; return true;
	case AD_RXHASH: *out = p->hash; return true;
	case AD_CPU: *out = cpu_id(); return true;
	case AD_RANDOM: *out = (u32)random_u64(); return true;
	}
	return false;
}

/* Big-endian load of 1, 2 or 4 bytes. Offsets below zero are from the network or link header. */
static bool
load(const void *data, u32 k, u32 size, u32 *out)
{
	const struct packet *p = data;
	s64 at = (s32)k;
	u8 b[4];

	if (at < 0) {
		s64 base;

		if (at >= SKF_AD_OFF)
			return ancillary(p, k - (u32)SKF_AD_OFF, out);
		if (at >= SKF_NET_OFF) {
			base = (s64)p->network_header - packet_headroom(p);
			at -= SKF_NET_OFF;
		} else if (at >= SKF_LL_OFF) {
			base = (s64)p->link_header - packet_headroom(p);
			at -= SKF_LL_OFF;
		} else {
			return false;
		}
		at += base;
		if (at < 0) { /* pulled headers: in the head room */
			if (at + size > 0 && size > 1 && at + size > (s64)p->len)
				return false;
			memcpy(b, p->data + at, size);
			goto loaded;
		}
	}
	if (at + size > (s64)p->len)
		return false;
	packet_copy_bits(p, (u32)at, b, size);
loaded:
	*out = size == 1   ? b[0]
	       : size == 2 ? (u32)(b[0] << 8 | b[1])
			   : (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
	return true;
}

u32
filter_run(const struct socket_filter *f, const struct packet *p)
{
	return bpf_run(f->code, p, p->len, load);
}
