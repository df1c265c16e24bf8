/* SPDX-License-Identifier: MIT */
/* TCP: tcp(7). What other rooms see of it: net/tcp/. */
#ifndef NET_TCP_H
#define NET_TCP_H

#include "net/inet/diag.h"

struct linux_tcp_info;

/* boot, after inet_init: registers IPPROTO_TCP, SOCK_STREAM, /proc files. */
void tcp_init(void);

/* All listening socks, all others, or both, requests and TIME-WAIT included. */
void tcp_diag_for_each(bool listening, bool others, inet_diag_visit *visit, void *ctx);
/* TCP_INFO and the name of the congestion control of a visited sock that is not NULL. */
void tcp_diag_info(const struct inet_sock *sk, struct linux_tcp_info *info);
const char *tcp_diag_congestion(const struct inet_sock *sk);

#endif
