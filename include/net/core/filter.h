/* SPDX-License-Identifier: MIT */
/*
 * Socket filters: classic BPF programs of socket(7), SO_ATTACH_FILTER. Checked when attached, run
 * per packet without allocation or lock.
 */
#ifndef NET_CORE_FILTER_H
#define NET_CORE_FILTER_H

#include "core/rcu.h"
#include "lib/user_ptr.h"
#include "uapi/filter.h"

struct packet;

struct socket_filter {
	struct rcu_head rcu;
	u32 len;
	struct linux_sock_filter code[];
};

/* From setsockopt's value (struct sock_fprog): 0, -EINVAL (bad program), -EFAULT, -ENOMEM. */
int filter_create(const void *fprog, u32 len, struct socket_filter **out);
void filter_free(struct socket_filter *f); /* after a grace period; NULL allowed */
/* How many bytes of p (from p->data on) to keep; 0: drop. In a net section. */
u32 filter_run(const struct socket_filter *f, const struct packet *p);

#endif
