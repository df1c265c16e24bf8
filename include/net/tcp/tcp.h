/* SPDX-License-Identifier: MIT */
/* TCP: tcp(7). What other rooms see of it: net/tcp/. */
#ifndef NET_TCP_H
#define NET_TCP_H

/* boot, after inet_init: registers IPPROTO_TCP, SOCK_STREAM, /proc files. */
void tcp_init(void);

#endif
