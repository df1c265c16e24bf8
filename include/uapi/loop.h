/* SPDX-License-Identifier: MIT */
/*
 * Loop devices: loop(4).
 */
#ifndef UAPI_LOOP_H
#define UAPI_LOOP_H

#include "lib/types.h"

#define LOOP_SET_FD	    0x4c00
#define LOOP_CLR_FD	    0x4c01
#define LOOP_SET_STATUS	    0x4c02
#define LOOP_GET_STATUS	    0x4c03
#define LOOP_SET_STATUS64   0x4c04
#define LOOP_GET_STATUS64   0x4c05
#define LOOP_CHANGE_FD	    0x4c06
#define LOOP_SET_CAPACITY   0x4c07
#define LOOP_SET_DIRECT_IO  0x4c08
#define LOOP_SET_BLOCK_SIZE 0x4c09
#define LOOP_CONFIGURE	    0x4c0a
#define LOOP_CTL_ADD	    0x4c80
#define LOOP_CTL_REMOVE	    0x4c81
#define LOOP_CTL_GET_FREE   0x4c82

#define LO_FLAGS_READ_ONLY 1
#define LO_FLAGS_AUTOCLEAR 4
#define LO_FLAGS_PARTSCAN  8
#define LO_FLAGS_DIRECT_IO 16

#define LO_NAME_SIZE 64
#define LO_KEY_SIZE  32

struct linux_loop_info {
	s32 lo_number;
	u64 lo_device;
	u64 lo_inode;
	u64 lo_rdevice;
	s32 lo_offset;
	s32 lo_encrypt_type;
	s32 lo_encrypt_key_size;
	s32 lo_flags;
	char lo_name[LO_NAME_SIZE];
	u8 lo_encrypt_key[LO_KEY_SIZE];
	u64 lo_init[2];
	char reserved[4];
};

struct linux_loop_info64 {
	u64 lo_device;
	u64 lo_inode;
	u64 lo_rdevice;
	u64 lo_offset;
	u64 lo_sizelimit; /* bytes; 0: to the end */
	u32 lo_number;
	u32 lo_encrypt_type;
	u32 lo_encrypt_key_size;
	u32 lo_flags;
	u8 lo_file_name[LO_NAME_SIZE];
	u8 lo_crypt_name[LO_NAME_SIZE];
	u8 lo_encrypt_key[LO_KEY_SIZE];
	u64 lo_init[2];
};

struct linux_loop_config {
	u32 fd;
	u32 block_size;
	struct linux_loop_info64 info;
	u64 __reserved[8];
};

#endif /* UAPI_LOOP_H */
