/* SPDX-License-Identifier: MIT */
/*
 * capabilities(7): the securebits flags.
 */
#ifndef UAPI_SECUREBITS_H
#define UAPI_SECUREBITS_H

#define SECBIT_NOROOT			   (1 << 0)
#define SECBIT_NOROOT_LOCKED		   (1 << 1)
#define SECBIT_NO_SETUID_FIXUP		   (1 << 2)
#define SECBIT_NO_SETUID_FIXUP_LOCKED	   (1 << 3)
#define SECBIT_KEEP_CAPS		   (1 << 4)
#define SECBIT_KEEP_CAPS_LOCKED		   (1 << 5)
#define SECBIT_NO_CAP_AMBIENT_RAISE	   (1 << 6)
#define SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED (1 << 7)
#define SECURE_ALL_BITS			   0x55
#define SECURE_ALL_LOCKS		   0xaa

#endif /* UAPI_SECUREBITS_H */
