/* SPDX-License-Identifier: MIT */
/*
 * The order in which locks are taken, as numbers.
 *
 * A thread may take a lock only if its rank is higher than that of every lock it holds, or equal
 * where the lock was taken with a _nested form, which names the reason (parent before child, lower
 * address first). Debug builds check this at every acquire. docs/locking.md says what each rank
 * protects. Sleeping locks come first: they are always outside spinlocks.
 */
#ifndef CORE_LOCK_RANK_H
#define CORE_LOCK_RANK_H

enum lock_rank {
	/* sleeping locks: mutex, rwsem */
	RANK_FILE_POS = 5,    /* file->pos_lock: around a whole read, write or readdir */
	RANK_PSEUDO_TEXT = 6, /* the text of an open pseudo file, while it is made */
	RANK_MOUNTING = 9,    /* mount_bdev: looking for a super block and making it */
	RANK_MOUNT_NS = 10,   /* the tree of mounts of a namespace */
	/* an overlay's: rename_lock, directories, files, copying up; each lock's layer comes after
	   them, and may be an overlay itself (+ 4) */
	RANK_OVERLAY_RENAME = 11,
	RANK_OVERLAY_DIR = 12,
	RANK_OVERLAY_INODE = 13,
	RANK_OVERLAY_COPY = 14,
	RANK_RENAME = 20, /* one cross-directory rename a super block at a time */
	RANK_LOOP = 22,	  /* a loop device's set-up: around its disk's */
	RANK_DISK = 25,	  /* disk->open_lock: opens, the partition table; device nodes inside */
	RANK_DIR = 30,	  /* inode->lock of a directory (parent before child: nested) */
	RANK_INODE = 40,  /* inode->lock of a file: size, truncate, write */
	RANK_EXEC = 55,	  /* process->exec_lock: credentials and mm replaced by exec */
	RANK_EPOLL = 60,  /* epoll set (nested by depth) */
	RANK_PIPE = 65,	  /* pipe and log readers: held while a program's memory is copied */
	RANK_TTY = 66,
	RANK_SOCKET = 67,
	RANK_NET_CONFIG = 68, /* net_ns->config_lock: devices, addresses, routes change */
	RANK_MMAP = 70,	      /* mm->mmap_lock (parent before child at fork: nested) */
	RANK_INVALIDATE = 75, /* mapping->invalidate_lock: faults shared, truncation exclusively */
	RANK_CHECKPOINT = 76, /* dirty blocks of a journal or a buffer cache are written in place */
	RANK_JOURNAL = 77,    /* an open journal handle: no memory of programs is touched inside */
	RANK_PAGE = 80,	      /* a page's lock bit */
	RANK_FS_MAP = 85,     /* where a file's blocks are: inside handles and page locks */
	RANK_FS_META = 87,    /* lists and attributes on the disk (ext4): inside handles */
	RANK_MAPPING = 90,    /* mapping->rmap_lock: vmas of a mapping */
	RANK_ANON = 95,	      /* anon rmap */
	RANK_SLEEP_LEAF = 99, /* sleeping locks under which no other sleeping lock is taken */

	/* spinlocks that are taken with interrupts on */
	RANK_MOUNT = 100,      /* mount hash */
	RANK_RENAME_SEQ = 105, /* writers of rename_seq: dentries change their place */
	RANK_DENTRY = 110,     /* dentry->lock (parent before child: nested) */
	RANK_INODE_HASH = 115, /* stripes of the dentry and inode hashes, lists of a super block */
	RANK_INODE_SPIN = 120, /* inode->i_spin: times, flags, lists */
	RANK_FILE_LOCKS = 122,
	RANK_FD_TABLE = 125,
	RANK_JOURNAL_SPIN = 128, /* a journal's transactions and their lists */
	RANK_FS = 130,		 /* small locks inside one file system */
	RANK_TTY_LINE = 135,	 /* a terminal's line discipline */
	RANK_PAGE_TABLE = 140,	 /* leaf page-table locks */
	RANK_HUGE_PAGE = 142,	 /* a 2 MiB page: from whole to pieces, against counting */
	RANK_SWAP_ORDER = 144,	 /* which swap area is next */
	RANK_SWAP = 145,	 /* the slots of a swap area */
	RANK_BACKING = 147,	 /* backing->lock: dirty inodes of a device */
	RANK_LRU = 150,
	RANK_FUTEX = 155, /* futex bucket (lower address first: nested) */
	RANK_SYSV = 157,  /* a System V object, then an undo list */
	RANK_SYSV_UNDO = 158,
	RANK_EPOLL_READY = 160,
	/* network: in net sections and programs' calls, never in interrupts (net/core/net.h) */
	RANK_SOCK = 170,	    /* inet_sock->slock (child after its listener: nested) */
	RANK_INET_HASH = 173,	    /* ports and demultiplexing buckets */
	RANK_ROUTE = 175,	    /* path MTUs, fragments, memberships */
	RANK_NEIGHBOUR_TABLE = 177, /* writers of a neighbour table */
	RANK_NEIGHBOUR = 178,	    /* a neighbour's state and waiting packets */
	RANK_NET_QUEUE = 180,	    /* a device's transmit queue, its multicast list */
	RANK_NETLINK = 183,	    /* the list of netlink sockets */
	RANK_PACKET_QUEUE = 185,    /* a packet_queue's own */

	/* spinlocks that interrupts take: always irqsave */
	RANK_TASKLIST = 200,	/* process tree, pgrps, sessions, pid hash writers */
	RANK_SIGHAND = 210,	/* sighand->lock: actions, pending queues, stops */
	RANK_TASK = 215,	/* task->lock: comm, fs/files/mm pointers of another task */
	RANK_PAGE_CACHE = 218,	/* mapping->tree_lock: the end of I/O clears marks */
	RANK_DEVICE = 220,	/* driver state reached from interrupts */
	RANK_WAIT_QUEUE = 230,	/* wait_queue->lock (nested when a callback wakes another queue) */
	RANK_TIMER_USER = 235,	/* timerfd, posix timer, itimer state */
	RANK_EPOLL_ITEMS = 232, /* an epoll set's ready list: taken by queues' callbacks */
	RANK_THREAD = 240,	/* thread->wake_lock */
	RANK_RUNQUEUE = 250,	/* run queue (lower CPU first: nested) */
	RANK_TIMER_BASE = 260,	/* per-CPU timer tree */
	RANK_WORK = 265,
	RANK_VMALLOC = 270,
	RANK_SLAB = 275,
	RANK_BUDDY = 280,
	RANK_RCU = 285,
	RANK_LEAF = 290, /* short locks under which nothing else is taken */
	RANK_LOG = 299,
	RANK_CONSOLE = 300, /* a serial port's registers: the log prints under any other lock */
};

#endif
