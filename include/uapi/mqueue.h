/* SPDX-License-Identifier: MIT */
/*
 * mq_overview(7).
 */
#ifndef UAPI_MQUEUE_H
#define UAPI_MQUEUE_H

#include "lib/types.h"

#define MQ_PRIO_MAX  32768
#define MQ_BYTES_MAX 819200

struct linux_mq_attr {
	s64 mq_flags;
	s64 mq_maxmsg;
	s64 mq_msgsize;
	s64 mq_curmsgs;
	s64 reserved[4];
};

#endif /* UAPI_MQUEUE_H */
