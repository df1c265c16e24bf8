/* SPDX-License-Identifier: MIT */
/*
 * unix(7).
 */
#ifndef UAPI_UN_H
#define UAPI_UN_H

#include "lib/types.h"

#define UNIX_PATH_MAX 108

struct linux_sockaddr_un {
	u16 sun_family;
	char sun_path[UNIX_PATH_MAX];
};

#endif /* UAPI_UN_H */
