/* SPDX-License-Identifier: MIT */
/* AF_UNIX. */
#ifndef NET_UNIX_H
#define NET_UNIX_H

void unix_init(void); /* boot, after socket_init */

#endif
