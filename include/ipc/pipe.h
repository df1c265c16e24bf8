/* SPDX-License-Identifier: MIT */
/* Pipes as other rooms see them (splice, FIFOs). pipe(7). */
#ifndef IPC_PIPE_H
#define IPC_PIPE_H

#include "lib/types.h"
#include "sched/mutex.h"
#include "sched/wait.h"

struct file;
struct inode;
struct page;
struct user_account;

#define PIPE_DEF_PAGES 16

/* One page's worth of bytes. The page is referenced by the buffer; pages of the page cache are
 * spliced in without a copy and are then never written to. */
struct pipe_buffer {
	struct page *page;
	u32 offset, len;
	u32 flags; /* PIPE_BUF_* */
};
#define PIPE_BUF_MERGEABLE BIT(0) /* writers may append to it: the page is the pipe's own */
#define PIPE_BUF_OWN	   BIT(2) /* allocated by the pipe: may be reused when nobody else holds it */
#define PIPE_BUF_PACKET	   BIT(1) /* O_DIRECT: one read, one packet */

struct pipe {
	struct mutex lock;	  /* RANK_PIPE: everything below */
	struct pipe_buffer *bufs; /* ring of `slots` (power of two) */
	u32 slots, head, tail;	  /* head - tail buffers are full; free-running */
	u32 files;		  /* inode->spin: open files on it */
	bool poll_usage; /* somebody polls: edge-triggered watchers want to hear of each write */
	u32 readers, writers; /* open ends */
	u32 r_opens, w_opens; /* counts of opens, for FIFO open blocking */
	struct page *spare;   /* a page kept for the next write */
	struct wait_queue rd_wait, wr_wait;
	struct user_account *user; /* [I] charged for `slots` pages */
	/*
	 * splice is moving the first buffer elsewhere with the lock released: readers wait on
	 * rd_wait as for data. Poll goes by the buffers as always.
	 */
	bool tail_busy;
};

struct pipe *pipe_create(void); /* NULL: no memory */
void pipe_destroy(struct pipe *p);
/* file_ops.open of a FIFO inode. Blocks by the rules of fifo(7). */
int fifo_open(struct file *f);
/* The pipe behind a file, or NULL if it is none. */
struct pipe *pipe_of(struct file *f);
long pipe_set_size(struct pipe *p, u64 bytes); /* F_SETPIPE_SZ: new size or -EBUSY/-EPERM/-ENOMEM */
/* For splice, lock held: */
bool pipe_full(const struct pipe *p);
bool pipe_empty(const struct pipe *p);
void pipe_pop(struct pipe *p); /* drop the oldest buffer */
/* After a change, lock dropped: the ring was empty (full) before and is no longer. */
void pipe_wake_readers(struct pipe *p);
void pipe_wake_writers(struct pipe *p);
void pipe_init(void);
/* /proc/sys/fs/pipe-max-size; pipe-user-pages-soft, -hard (0: no limit) */
extern u32 pipe_max_size, pipe_user_pages_soft, pipe_user_pages_hard;
void pipe_push(struct pipe *p, struct page *page, u32 offset, u32 len,
	       u32 flags); /* takes over the page reference */
#endif
