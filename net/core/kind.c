/* SPDX-License-Identifier: MIT */
/* The kinds of devices that programs can make, and what their devices have in common. */
#include "net/core/kind.h"
#include "core/random.h"
#include "lib/string.h"
#include "net_core_internal.h"
#include "uapi/errno.h"

static const struct net_device_kind *const kinds[] = { &dummy_kind, &veth_kind };

const struct net_device_kind *
net_device_kind_find(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i]->name, name))
			return kinds[i];
	return NULL;
}

void
net_device_ether_init(struct net_device *dev, const struct net_device_kind *kind, const char *name)
{
	strscpy(dev->name, name, sizeof(dev->name));
	dev->kind = kind;
	dev->type = ARPHRD_ETHER;
	dev->addr_len = ETH_ALEN;
	dev->header_len = ETH_HLEN;
	dev->mtu = 1500;
	dev->min_mtu = 68;
	dev->max_mtu = 65535;
	memset(dev->broadcast, 0xff, ETH_ALEN);
	random_bytes(dev->addr, ETH_ALEN);
	dev->addr[0] = (u8)((dev->addr[0] & 0xfc) | 2); /* not a group's, and nobody else's */
}

int
net_device_ether_set_mac(struct net_device *dev, const u8 *addr)
{
	return addr[0] & 1 ? -EADDRNOTAVAIL : 0;
}
