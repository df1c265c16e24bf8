/* SPDX-License-Identifier: MIT */
/*
 * ioctl_console(2): the least that programs ask of a virtual terminal.
 */
#ifndef UAPI_VT_H
#define UAPI_VT_H

#include "lib/types.h"

#define VT_OPENQRY     0x5600
#define VT_GETMODE     0x5601
#define VT_SETMODE     0x5602
#define VT_GETSTATE    0x5603
#define VT_RELDISP     0x5605
#define VT_ACTIVATE    0x5606
#define VT_WAITACTIVE  0x5607
#define VT_DISALLOCATE 0x5608
#define VT_AUTO	       0
#define VT_PROCESS     1

struct linux_vt_mode {
	u8 mode;
	u8 waitv;
	s16 relsig;
	s16 acqsig;
	s16 frsig;
};

struct linux_vt_stat {
	u16 v_active;
	u16 v_signal;
	u16 v_state;
};

#define KDGKBTYPE   0x4b33
#define KB_101	    0x02
#define KDSETMODE   0x4b3a
#define KDGETMODE   0x4b3b
#define KD_TEXT	    0x00
#define KD_GRAPHICS 0x01
#define KDGKBMODE   0x4b44
#define KDSKBMODE   0x4b45
#define K_RAW	    0x00
#define K_XLATE	    0x01
#define K_MEDIUMRAW 0x02
#define K_UNICODE   0x03
#define K_OFF	    0x04
#define KDGKBLED    0x4b64
#define KDSKBLED    0x4b65

#endif /* UAPI_VT_H */
