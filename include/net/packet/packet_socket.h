/* SPDX-License-Identifier: MIT */
/* AF_PACKET: frames as they are on the link. packet(7). */
#ifndef NET_PACKET_PACKET_SOCKET_H
#define NET_PACKET_PACKET_SOCKET_H

void packet_socket_init(void); /* boot: after net_core_init */

#endif
