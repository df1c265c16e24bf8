/* SPDX-License-Identifier: MIT */
/*
 * ioctl(2): how requests are numbered, and the requests of files, terminals, disks and sockets.
 */
#ifndef UAPI_IOCTL_H
#define UAPI_IOCTL_H

#include "lib/types.h"

/* A request holds a direction, the argument's size, a type letter and a number. */
#define _IOC_NONE      0u
#define _IOC_WRITE     1u /* user space writes: the kernel reads the argument */
#define _IOC_READ      2u
#define _IOC_NRBITS    8
#define _IOC_TYPEBITS  8
#define _IOC_SIZEBITS  14
#define _IOC_DIRBITS   2
#define _IOC_NRSHIFT   0
#define _IOC_TYPESHIFT 8
#define _IOC_SIZESHIFT 16
#define _IOC_DIRSHIFT  30

#define _IOC(dir, type, nr, size)                                                                 \
	((dir) << _IOC_DIRSHIFT | (u32)(size) << _IOC_SIZESHIFT | (u32)(type) << _IOC_TYPESHIFT | \
	 (u32)(nr) << _IOC_NRSHIFT)
#define _IO(type, nr)	     _IOC(_IOC_NONE, type, nr, 0)
#define _IOR(type, nr, arg)  _IOC(_IOC_READ, type, nr, sizeof(arg))
#define _IOW(type, nr, arg)  _IOC(_IOC_WRITE, type, nr, sizeof(arg))
#define _IOWR(type, nr, arg) _IOC(_IOC_READ | _IOC_WRITE, type, nr, sizeof(arg))
#define _IOC_DIR(request)    (((request) >> _IOC_DIRSHIFT) & 0x3)
#define _IOC_TYPE(request)   (((request) >> _IOC_TYPESHIFT) & 0xff)
#define _IOC_NR(request)     (((request) >> _IOC_NRSHIFT) & 0xff)
#define _IOC_SIZE(request)   (((request) >> _IOC_SIZESHIFT) & 0x3fff)

/* any file */
#define FIONREAD 0x541b
#define FIONBIO	 0x5421
#define FIONCLEX 0x5450
#define FIOCLEX	 0x5451
#define FIOASYNC 0x5452
#define FIOQSIZE 0x5460

/* terminals */
#define TCGETS	     0x5401
#define TCSETS	     0x5402
#define TCSETSW	     0x5403
#define TCSETSF	     0x5404
#define TCGETA	     0x5405
#define TCSETA	     0x5406
#define TCSETAW	     0x5407
#define TCSETAF	     0x5408
#define TCSBRK	     0x5409
#define TCXONC	     0x540a
#define TCFLSH	     0x540b
#define TIOCEXCL     0x540c
#define TIOCNXCL     0x540d
#define TIOCSCTTY    0x540e
#define TIOCGPGRP    0x540f
#define TIOCSPGRP    0x5410
#define TIOCOUTQ     0x5411
#define TIOCSTI	     0x5412
#define TIOCGWINSZ   0x5413
#define TIOCSWINSZ   0x5414
#define TIOCMGET     0x5415
#define TIOCMBIS     0x5416
#define TIOCMBIC     0x5417
#define TIOCMSET     0x5418
#define TIOCGSOFTCAR 0x5419
#define TIOCSSOFTCAR 0x541a
#define TIOCINQ	     FIONREAD
#define TIOCLINUX    0x541c
#define TIOCCONS     0x541d
#define TIOCGSERIAL  0x541e
#define TIOCSSERIAL  0x541f
#define TIOCPKT	     0x5420
#define TIOCNOTTY    0x5422
#define TIOCSETD     0x5423
#define TIOCGETD     0x5424
#define TCSBRKP	     0x5425
#define TIOCSBRK     0x5427
#define TIOCCBRK     0x5428
#define TIOCGSID     0x5429
#define TCGETS2	     0x802c542a
#define TCSETS2	     0x402c542b
#define TCSETSW2     0x402c542c
#define TCSETSF2     0x402c542d
#define TIOCGPTN     0x80045430
#define TIOCSPTLCK   0x40045431
#define TIOCGDEV     0x80045432
#define TIOCSIG	     0x40045436
#define TIOCVHANGUP  0x5437
#define TIOCGPKT     0x80045438
#define TIOCGPTLCK   0x80045439
#define TIOCGEXCL    0x80045440
#define TIOCGPTPEER  0x5441
#define TIOCMIWAIT   0x545c
#define TIOCGICOUNT  0x545d

/* block devices */
#define BLKROSET	 0x125d
#define BLKROGET	 0x125e
#define BLKRRPART	 0x125f
#define BLKGETSIZE	 0x1260
#define BLKFLSBUF	 0x1261
#define BLKRASET	 0x1262
#define BLKRAGET	 0x1263
#define BLKSSZGET	 0x1268
#define BLKBSZGET	 0x80081270
#define BLKBSZSET	 0x40081271
#define BLKGETSIZE64	 0x80081272
#define BLKDISCARD	 0x1277
#define BLKIOMIN	 0x1278
#define BLKIOOPT	 0x1279
#define BLKALIGNOFF	 0x127a
#define BLKPBSZGET	 0x127b
#define BLKDISCARDZEROES 0x127c
#define BLKSECDISCARD	 0x127d
#define BLKROTATIONAL	 0x127e
#define BLKZEROOUT	 0x127f

/* file systems */
#define FIBMAP		  0x1
#define FIGETBSZ	  0x2
#define FIFREEZE	  0xc0045877
#define FITHAW		  0xc0045878
#define FITRIM		  0xc0185879
#define FICLONE		  0x40049409
#define FICLONERANGE	  0x4020940d
#define FIDEDUPERANGE	  0xc0189436
#define FS_IOC_GETFLAGS	  0x80086601
#define FS_IOC_SETFLAGS	  0x40086602
#define FS_IOC_GETVERSION 0x80087601
#define FS_IOC_SETVERSION 0x40087602
#define FS_IOC_FIEMAP	  0xc020660b
#define FS_IOC_FSGETXATTR 0x801c581f
#define FS_IOC_FSSETXATTR 0x401c5820
#define FS_IOC_GETFSLABEL 0x81009431
#define FS_IOC_SETFSLABEL 0x41009432

#define FS_SECRM_FL	      0x00000001
#define FS_UNRM_FL	      0x00000002
#define FS_COMPR_FL	      0x00000004
#define FS_SYNC_FL	      0x00000008
#define FS_IMMUTABLE_FL	      0x00000010
#define FS_APPEND_FL	      0x00000020
#define FS_NODUMP_FL	      0x00000040
#define FS_NOATIME_FL	      0x00000080
#define FS_INDEX_FL	      0x00001000
#define FS_JOURNAL_DATA_FL    0x00004000
#define FS_NOTAIL_FL	      0x00008000
#define FS_DIRSYNC_FL	      0x00010000
#define FS_TOPDIR_FL	      0x00020000
#define FS_EXTENT_FL	      0x00080000
#define FS_NOCOW_FL	      0x00800000
#define FS_PROJINHERIT_FL     0x20000000
#define FS_FL_USER_VISIBLE    0x0003dfff
#define FS_FL_USER_MODIFIABLE 0x000380ff

struct linux_file_clone_range {
	s64 src_fd;
	u64 src_offset;
	u64 src_length;
	u64 dest_offset;
};

struct linux_fstrim_range {
	u64 start;
	u64 len;
	u64 minlen;
};

struct linux_fsxattr {
	u32 fsx_xflags;
	u32 fsx_extsize;
	u32 fsx_nextents;
	u32 fsx_projid;
	u32 fsx_cowextsize;
	u8 fsx_pad[8];
};

/* namespaces: ioctl_ns(2) */
#define NS_GET_USERNS	 0xb701
#define NS_GET_PARENT	 0xb702
#define NS_GET_NSTYPE	 0xb703
#define NS_GET_OWNER_UID 0xb704

/* sockets: netdevice(7), socket(7) */
#define FIOSETOWN	 0x8901
#define SIOCSPGRP	 0x8902
#define FIOGETOWN	 0x8903
#define SIOCGPGRP	 0x8904
#define SIOCATMARK	 0x8905
#define SIOCGSTAMP_OLD	 0x8906
#define SIOCGSTAMPNS_OLD 0x8907
#define SIOCINQ		 FIONREAD
#define SIOCOUTQ	 TIOCOUTQ
#define SIOCOUTQNSD	 0x894b /* not sent only */
#define SIOCADDRT	 0x890b
#define SIOCDELRT	 0x890c
#define SIOCGIFNAME	 0x8910
#define SIOCGIFCONF	 0x8912
#define SIOCGIFFLAGS	 0x8913
#define SIOCSIFFLAGS	 0x8914
#define SIOCGIFADDR	 0x8915
#define SIOCSIFADDR	 0x8916
#define SIOCGIFDSTADDR	 0x8917
#define SIOCSIFDSTADDR	 0x8918
#define SIOCGIFBRDADDR	 0x8919
#define SIOCSIFBRDADDR	 0x891a
#define SIOCGIFNETMASK	 0x891b
#define SIOCSIFNETMASK	 0x891c
#define SIOCGIFMETRIC	 0x891d
#define SIOCSIFMETRIC	 0x891e
#define SIOCGIFMTU	 0x8921
#define SIOCSIFMTU	 0x8922
#define SIOCSIFNAME	 0x8923
#define SIOCSIFHWADDR	 0x8924
#define SIOCGIFHWADDR	 0x8927
#define SIOCADDMULTI	 0x8931
#define SIOCDELMULTI	 0x8932
#define SIOCGIFINDEX	 0x8933
#define SIOCGIFTXQLEN	 0x8942
#define SIOCSIFTXQLEN	 0x8943
#define SIOCETHTOOL	 0x8946
#define SIOCDARP	 0x8953
#define SIOCGARP	 0x8954
#define SIOCSARP	 0x8955
#define SIOCGIFMAP	 0x8970
#define SIOCSIFMAP	 0x8971
#define SIOCUNIXFILE	 0x89e0

#endif /* UAPI_IOCTL_H */
