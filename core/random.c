/* SPDX-License-Identifier: MIT */
/*
 * Random numbers.
 *
 * Entropy is hashed into a pool (SHA-256). From the pool comes a base key; each CPU has a key
 * derived from it and makes output by fast key erasure: of each ChaCha20 block the first half
 * replaces the key, the second half is the output, so that no state that could recompute an output
 * is kept. Single words come four to a block, which would be wasted on one. A CPU whose key is
 * older than the base key (which is renewed every minute, and on request) derives a new one first.
 *
 * Seeding: RDRAND where it exists; without it, the jitter of the clock against itself, as much as
 * 1,024 samples give. Virtio-rng and writers of /dev/urandom add to the pool later.
 *
 * Locking: pool_lock guards the pool and the base key; a CPU's key is used with interrupts off.
 */
#include "core/random.h"

#include "arch/cpu.h"
#include "core/percpu.h"
#include "core/preempt.h"
#include "core/spinlock.h"
#include "core/time.h"
#include "lib/chacha20.h"
#include "lib/sha256.h"
#include "lib/string.h"

#define RESEED_INTERVAL_NS (60 * NSEC_PER_SEC)
#define JITTER_SAMPLES	   1024

static struct spinlock pool_lock = SPINLOCK_INIT(RANK_LEAF);
static struct sha256 pool;
static u8 base_key[CHACHA20_KEY_SIZE];
static u64 base_born_ns;
static u64 base_generation; /* 0: never seeded */

struct cpu_generator {
	u64 generation;
	u8 key[CHACHA20_KEY_SIZE];
	u64 words[4]; /* output for random_u64, each word zeroed as it is taken */
	u32 left;
};
static DEFINE_PERCPU(struct cpu_generator, cpu_generator);

static const u8 zero_nonce[CHACHA20_NONCE_SIZE];

/* One block from `key`: its first half becomes the new key, its second half goes to `out`. */
static void
key_step(u8 key[CHACHA20_KEY_SIZE], u8 out[32])
{
	struct chacha20 c;
	u8 block[CHACHA20_BLOCK_SIZE];

	chacha20_init(&c, key, zero_nonce, 0);
	chacha20_block(&c, block);
	memcpy(key, block, CHACHA20_KEY_SIZE);
	memcpy(out, block + CHACHA20_KEY_SIZE, 32);
	memset(block, 0, sizeof(block));
	barrier();
}

static void
reseed_locked(void)
{
	struct sha256 final = pool;
	u8 digest[SHA256_SIZE];
	u64 hw[4], stamp[2] = { arch_cycles(), time_mono_ns() };

	for (u32 i = 0; i < ARRAY_SIZE(hw); i++) {
		if (!arch_random(&hw[i]))
			hw[i] = arch_cycles();
	}
	sha256_update(&final, hw, sizeof(hw));
	sha256_update(&final, stamp, sizeof(stamp));
	sha256_update(&final, base_key, sizeof(base_key));
	sha256_final(&final, digest);
	memcpy(base_key, digest, sizeof(base_key));
	/* The pool goes on from a hash of itself, so that a reseed does not undo what was gathered.
	 */
	sha256_update(&pool, digest, sizeof(digest));
	memset(digest, 0, sizeof(digest));
	base_born_ns = stamp[1];
	WRITE_ONCE(base_generation, base_generation + 1);
}

/* Two reads of the counter are apart by a time that depends on everything the machine does
 * meanwhile. */
static void
gather_jitter(void)
{
	u64 last = arch_cycles(), mixed[8] = { 0 };

	for (u32 i = 0; i < JITTER_SAMPLES; i++) {
		u64 now = arch_cycles();

		mixed[i & 7] = (mixed[i & 7] << 7 | mixed[i & 7] >> 57) ^ (now - last) ^ now;
		last = now;
		if ((i & 7) == 7)
			sha256_update(&pool, mixed, sizeof(mixed));
	}
}

void
random_init(void)
{
	u64 hw;

	sha256_init(&pool);
	u64 real = time_real_ns();
	sha256_update(&pool, &real, sizeof(real));
	if (!arch_random(&hw))
		gather_jitter();
	unsigned long flags = spin_lock_irqsave(&pool_lock);
	reseed_locked();
	spin_unlock_irqrestore(&pool_lock, flags);
}

void
random_add(const void *data, size_t len)
{
	u64 stamp = arch_cycles();
	unsigned long flags = spin_lock_irqsave(&pool_lock);

	sha256_update(&pool, data, len);
	sha256_update(&pool, &stamp, sizeof(stamp));
	spin_unlock_irqrestore(&pool_lock, flags);
}

void
random_reseed(void)
{
	unsigned long flags = spin_lock_irqsave(&pool_lock);

	reseed_locked();
	spin_unlock_irqrestore(&pool_lock, flags);
}

/* 32 bytes from this CPU's generator; interrupts off. */
static void
cpu_step(u8 out[32])
{
	struct cpu_generator *g = this_cpu_ptr(cpu_generator);

	if (unlikely(g->generation != READ_ONCE(base_generation) ||
		     time_coarse_mono_ns() > base_born_ns + RESEED_INTERVAL_NS)) {
		spin_lock(&pool_lock);
		if (time_coarse_mono_ns() > base_born_ns + RESEED_INTERVAL_NS)
			reseed_locked();
		g->generation = base_generation;
		key_step(base_key, g->key);
		spin_unlock(&pool_lock);
	}
	key_step(g->key, out);
}

void
random_stream_init(struct chacha20 *c)
{
	u8 key[32];
	unsigned long flags = arch_irq_save();

	cpu_step(key);
	arch_irq_restore(flags);
	chacha20_init(c, key, zero_nonce, 0);
	memset(key, 0, sizeof(key));
	barrier();
}

void
random_bytes(void *out, size_t len)
{
	if (len <= 32) {
		u8 half[32];
		unsigned long flags = arch_irq_save();

		cpu_step(half);
		arch_irq_restore(flags);
		memcpy(out, half, len);
		memset(half, 0, sizeof(half));
		barrier();
		return;
	}
	struct chacha20 c;

	random_stream_init(&c);
	chacha20_stream(&c, out, len);
	memset(&c, 0, sizeof(c));
	barrier();
}

u64
random_u64(void)
{
	unsigned long flags = arch_irq_save();
	struct cpu_generator *g = this_cpu_ptr(cpu_generator);

	if (!g->left || unlikely(g->generation != READ_ONCE(base_generation))) {
		cpu_step((u8 *)g->words);
		g->left = ARRAY_SIZE(g->words);
	}
	u64 v = g->words[--g->left];
	g->words[g->left] = 0;
	arch_irq_restore(flags);
	return v;
}
