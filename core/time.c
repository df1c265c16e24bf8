/* SPDX-License-Identifier: MIT */
/*
 * Time keeping.
 *
 * Idea: time is a base plus what the counter has advanced since, scaled:
 *	monotonic ns = base_ns + ((count - base_count) * mult + fraction) >> shift
 * in 128 bits, so the base may be of any age; the tick renews it for the vDSO's and the coarse
 * clocks' sake and carries the fraction over, so nothing is ever lost. Real time is monotonic
 * time plus an offset that settimeofday changes.
 *
 * Locking: time_lock for writers; readers and the vDSO by sequence counts.
 */
#include "core/time.h"

#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/vdso.h"
#include "core/log.h"
#include "core/spinlock.h"
#include "lib/atomic.h"
#include "lib/math.h"

#define COARSE_RES_NS (4 * NSEC_PER_MSEC)

static struct {
	struct seqcount seq;
	u64 base_count;
	u64 base_ns;  /* monotonic */
	u64 fraction; /* below 1 ns, shifted */
	s64 real_offset;
	u64 coarse_ns; /* monotonic */
} keeper;

static struct spinlock time_lock = SPINLOCK_INIT(RANK_LEAF);
static struct time_step_hook *step_hooks;

static __noinline u64
scaled(u64 count, u64 *fraction)
{
	const struct arch_clock *clock = arch_clock;
	unsigned __int128 sum = (unsigned __int128)(count - keeper.base_count) * clock->mult +
				keeper.fraction;

	if (fraction)
		*fraction = (u64)sum & ((1ul << clock->shift) - 1);
	return keeper.base_ns + (u64)(sum >> clock->shift);
}

/* The TSC without the indirect call. */
static inline u64
counter_read(void)
{
	return likely(arch_clock->vdso) ? arch_cycles() : arch_clock->read();
}

/* As scaled(), in 64 bits while the base is young, as it is unless no CPU had a tick for long. */
static inline u64
scaled_soon(u64 count)
{
	u64 passed = count - keeper.base_count;
	const struct arch_clock *clock = arch_clock;

	if (unlikely(passed > UINT32_MAX))
		return scaled(count, NULL);
	return keeper.base_ns + ((passed * clock->mult + keeper.fraction) >> clock->shift);
}

u64
time_mono_ns(void)
{
	u64 ns, count;
	u32 seq;

	if (unlikely(!arch_clock))
		return 0;
	do {
		seq = seq_read_begin(&keeper.seq);
		count = counter_read();
		/* Another CPU's counter may be a few cycles behind the one that made the base. */
		ns = likely((s64)(count - keeper.base_count) >= 0) ? scaled_soon(count)
								   : keeper.base_ns;
	} while (seq_read_retry(&keeper.seq, seq));
	return ns;
}

/* A writer on this CPU, below an NMI or a panic, would keep a reader for ever: then the base will
 * do. */
u64
time_log_ns(void)
{
	for (u32 tries = 0; arch_clock && tries < 1000; tries++) {
		u32 seq = READ_ONCE(keeper.seq.seq);
		u64 ns;

		if (seq & 1)
			continue;
		smp_rmb();
		ns = scaled(counter_read(), NULL);
		if (!seq_read_retry(&keeper.seq, seq))
			return ns;
	}
	return READ_ONCE(keeper.base_ns);
}

u64
time_boot_ns(void)
{
	return time_mono_ns();
}

s64
time_real_offset_ns(void)
{
	return READ_ONCE(keeper.real_offset);
}

u64
time_real_ns(void)
{
	return time_mono_ns() + (u64)time_real_offset_ns();
}

u64
time_coarse_mono_ns(void)
{
	return READ_ONCE(keeper.coarse_ns);
}

u64
time_coarse_real_ns(void)
{
	return time_coarse_mono_ns() + (u64)time_real_offset_ns();
}

/* time_lock held, keeper up to date. */
static void
vdso_update(void)
{
	struct vdso_data *v = vdso_data;
	const struct arch_clock *clock = arch_clock;
	u64 real = keeper.base_ns + (u64)keeper.real_offset;

	WRITE_ONCE(v->seq, v->seq + 1);
	smp_wmb();
	v->use_counter = clock->vdso;
	v->last_count = keeper.base_count;
	v->mult = clock->mult;
	v->shift = clock->shift;
	v->mono_sec = keeper.base_ns / NSEC_PER_SEC;
	v->mono_nsec = (keeper.base_ns % NSEC_PER_SEC << clock->shift) + keeper.fraction;
	v->real_sec = real / NSEC_PER_SEC;
	v->real_nsec = (real % NSEC_PER_SEC << clock->shift) + keeper.fraction;
	v->boot_offset_ns = 0;
	v->coarse_mono_sec = keeper.base_ns / NSEC_PER_SEC;
	v->coarse_mono_nsec = keeper.base_ns % NSEC_PER_SEC;
	v->coarse_real_sec = real / NSEC_PER_SEC;
	v->coarse_real_nsec = real % NSEC_PER_SEC;
	v->coarse_res_ns = COARSE_RES_NS;
	smp_store_release(&v->seq, v->seq + 1);
}

/* time_lock held. */
static void
base_renew(void)
{
	u64 count = counter_read(), ns, fraction;

	if ((s64)(count - keeper.base_count) < 0)
		return;
	ns = scaled(count, &fraction);
	keeper.base_count = count;
	keeper.base_ns = ns;
	keeper.fraction = fraction;
	WRITE_ONCE(keeper.coarse_ns, ns);
}

void
time_tick(void)
{
	unsigned long flags = arch_irq_save();

	if (spin_trylock(&time_lock)) {
		seq_write_begin(&keeper.seq);
		base_renew();
		seq_write_end(&keeper.seq);
		vdso_update();
		spin_unlock(&time_lock);
	}
	arch_irq_restore(flags);
}

void
time_set_real_ns(u64 ns)
{
	unsigned long flags = spin_lock_irqsave(&time_lock);

	seq_write_begin(&keeper.seq);
	base_renew();
	WRITE_ONCE(keeper.real_offset, (s64)(ns - keeper.base_ns));
	seq_write_end(&keeper.seq);
	vdso_update();
	spin_unlock_irqrestore(&time_lock, flags);
	for (struct time_step_hook *hook = READ_ONCE(step_hooks); hook;
	     hook = READ_ONCE(hook->next))
		hook->stepped();
}

void
time_add_step_hook(struct time_step_hook *hook)
{
	unsigned long flags = spin_lock_irqsave(&time_lock);

	hook->next = step_hooks;
	smp_store_release(&step_hooks, hook);
	spin_unlock_irqrestore(&time_lock, flags);
}

void
time_init(void)
{
	u64 now;

	arch_clock_init();
	keeper.base_count = arch_clock->start;
	now = arch_rtc_read();
	if (!now)
		log_warn("time: the battery clock has no valid time\n");
	time_set_real_ns(now * NSEC_PER_SEC);
	log_info("clock: %s at %lu kHz\n", arch_clock->name, arch_clock->hz / 1000);
}

void
udelay(u32 us)
{
	u64 end;

	if (!arch_clock) {
		/* No clock yet: longer than asked for, on any machine. */
		for (u32 i = 0; i < us * 1000u; i++)
			arch_cpu_relax();
		return;
	}
	end = time_mono_ns() + us * NSEC_PER_USEC;
	while (time_mono_ns() < end)
		arch_cpu_relax();
}
