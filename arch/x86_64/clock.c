/* SPDX-License-Identifier: MIT */
/*
 * Clock hardware: which counter is the time, how fast it runs, and the event timer of each CPU.
 *
 * The TSC is the clock where it runs at a constant rate: the CPU says so, or we are in a virtual
 * machine. Its rate comes from the first of: CPUID's crystal ratio, the hypervisor's timing leaf,
 * the rate in kvm-clock's page, a measurement against HPET, ACPI PM timer or PIT. The measurement
 * takes 4 ms; each end is the best of several paired readings, so that a reading that was delayed
 * does not count.
 *
 * Without a usable TSC the HPET or the PM timer is the clock, and programs read it by system call.
 *
 * The TSCs of all CPUs are taken to agree, as those of invariant ones and of virtual machines do.
 *
 * Event timer: TSC deadline if there is that and the TSC is the clock, else the APIC's count down.
 */
#include "arch/clock.h"
#include "arch/io.h"

#include "acpi.h"
#include "apic.h"
#include "arch/cpu.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/spinlock.h"
#include "core/time.h"
#include "lib/math.h"
#include "lib/string.h"
#include "x86.h"

#define PM_TIMER_HZ 3579545u
#define PIT_HZ	    1193182u
#define MEASURE_NS  4000000ul
#define SAMPLES	    5

#define HPET_CAPABILITIES 0x00
#define HPET_CONFIG	  0x10
#define HPET_COUNTER	  0xf0
#define HPET_ENABLE	  BIT(0)
#define FEMTO		  1000000000000000ul

#define KVM_SIGNATURE	    0x4b4d564bu /* "KVMK" */
#define KVM_CLOCKSOURCE2    BIT(3)
#define MSR_KVM_SYSTEM_TIME 0x4b564d01u

struct acpi_hpet {
	struct acpi_header header;
	u32 id;
	struct acpi_address address;
} __packed;

struct kvm_time {
	u32 version, pad0;
	u64 tsc, system;
	u32 mult;
	s8 shift;
	u8 flags, pad[2];
} __packed;

/* A counter to measure others by, or to be the clock itself. */
struct reference {
	const char *name;
	u64 (*read)(void);
	u64 hz;
	u64 mask;
};

u64 boot_cycles;

static struct arch_clock clock;
const struct arch_clock *arch_clock;

static volatile u8 *hpet;
static u64 tsc_hz, apic_timer_hz;
static bool deadline_mode;

static u64
tsc_read(void)
{
	return arch_cycles();
}

static u64
hpet_read(void)
{
	return *(volatile u64 *)(hpet + HPET_COUNTER);
}

static u64
pm_timer_read(void)
{
	return arch_in32(acpi_fixed.pm_timer) & 0xffffff;
}

/* Counts up: the PIT itself counts down. */
static u64
pit_read(void)
{
	u32 low;

	arch_out8(0x43, 0x00);
	low = arch_in8(0x40);
	return 0xffff - (low | (u32)arch_in8(0x40) << 8);
}

/* The PM timer as a clock: its 24 bits wrap after 4.6 seconds, so each reading is added up. */
static u64
pm_clock_read(void)
{
	static struct spinlock lock = SPINLOCK_INIT(RANK_LOG - 1);
	static u64 total, last;
	unsigned long flags = spin_lock_irqsave(&lock);
	u64 now = pm_timer_read(), sum;

	total += (now - last) & 0xffffff;
	last = now;
	sum = total;
	spin_unlock_irqrestore(&lock, flags);
	return sum;
}

static void
hpet_find(void)
{
	const struct acpi_hpet *table = (const struct acpi_hpet *)acpi_find("HPET", sizeof(*table));

	if (!table || table->address.space != 0 || !table->address.address)
		return;
	hpet = mmu_map_device(table->address.address, 0x400);
	*(volatile u64 *)(hpet + HPET_CONFIG) |= HPET_ENABLE;
}

static bool
reference_choose(struct reference *r)
{
	u32 period;

	if (hpet && (period = *(volatile u32 *)(hpet + 4)) != 0 && period <= 100000000) {
		*r = (struct reference){ "hpet", hpet_read, FEMTO / period, ~0ul };
		/* A 32-bit counter reads as zero above. */
		if (!(*(volatile u32 *)(hpet + HPET_CAPABILITIES) & BIT(13)))
			r->mask = 0xffffffff;
		return true;
	}
	if (acpi_fixed.pm_timer) {
		*r = (struct reference){ "acpi_pm", pm_timer_read, PM_TIMER_HZ, 0xffffff };
		return true;
	}
	arch_out8(0x43, 0x30); /* channel 0, counts down once from 65536 */
	arch_out8(0x40, 0xff);
	arch_out8(0x40, 0xff);
	for (u32 i = 0; i < 100; i++)
		if (pit_read() != 0 && pit_read() < 0xffff) {
			*r = (struct reference){ "pit", pit_read, PIT_HZ, 0xffff };
			return true;
		}
	return false;
}

struct sample {
	u64 reference, tsc;
	u32 apic;
};

static struct sample
sample_take(const struct reference *r)
{
	struct sample best = { 0 };
	u64 least = ~0ul;

	for (u32 i = 0; i < SAMPLES; i++) {
		u64 before = arch_cycles(), reference = r->read(), after = arch_cycles();

		if (after - before < least) {
			least = after - before;
			best.reference = reference;
			best.tsc = before + least / 2;
			best.apic = apic_timer_remaining();
			/* The APIC was read this much later. */
		}
	}
	return best;
}

/* Both rates at once. */
static void
measure(const struct reference *r)
{
	struct sample start, end;
	u64 ticks = mul_div_u64(r->hz, MEASURE_NS, NSEC_PER_SEC), elapsed;

	apic_timer_set_count_mode();
	apic_timer_count(~0u);
	start = sample_take(r);
	while (((r->read() - start.reference) & r->mask) < ticks)
		arch_cpu_relax();
	end = sample_take(r);
	apic_timer_count(0);
	elapsed = (end.reference - start.reference) & r->mask;
	if (!tsc_hz)
		tsc_hz = mul_div_u64(end.tsc - start.tsc, r->hz, elapsed);
	if (!apic_timer_hz)
		apic_timer_hz = mul_div_u64(start.apic - end.apic, r->hz, elapsed);
}

static void
rates_from_cpuid(void)
{
	struct cpuid r;

	if (cpuid(0, 0).a >= 0x15) {
		r = cpuid(0x15, 0);
		if (r.a && r.b && r.c) {
			tsc_hz = (u64)r.c * r.b / r.a;
			apic_timer_hz = r.c;
		}
	}
	if (!cpu_has(CPU_HYPERVISOR))
		return;
	r = cpuid(0x40000000, 0);
	if (r.a >= 0x40000010 && r.a < 0x40001000) {
		r = cpuid(0x40000010, 0);
		if (r.a) {
			tsc_hz = r.a * 1000ul;
			apic_timer_hz = r.b * 1000ul;
		}
	}
}

/* Under KVM the host's page of time conversion tells the rate: ns = (tsc << shift) * mult >> 32. */
static void
rate_from_kvm(void)
{
	static struct kvm_time time __aligned(64);
	struct cpuid r = cpuid(0x40000000, 0);
	u64 hz;

	if (!cpu_has(CPU_HYPERVISOR) || r.b != KVM_SIGNATURE ||
	    !(cpuid(0x40000001, 0).a & KVM_CLOCKSOURCE2))
		return;
	wrmsr(MSR_KVM_SYSTEM_TIME, arch_image_to_phys(&time) | 1);
	barrier();
	if (time.mult) {
		hz = mul_div_u64(NSEC_PER_SEC, 1ul << 32, time.mult);
		tsc_hz = time.shift < 0 ? hz << -time.shift : hz >> time.shift;
	}
	wrmsr(MSR_KVM_SYSTEM_TIME, 0);
}

/* The largest shift whose multiplier fits in 32 bits. */
static void
clock_scale(u64 hz)
{
	clock.hz = hz;
	clock.shift = 32;
	while (clock.shift && mul_div_u64(NSEC_PER_SEC, 1ul << clock.shift, hz) > UINT32_MAX)
		clock.shift--;
	clock.mult = (u32)mul_div_u64(NSEC_PER_SEC, 1ul << clock.shift, hz);
}

void
arch_clock_init(void)
{
	struct reference r = { 0 };
	bool have_reference, trust_tsc = cpu_has(CPU_TSC_INVARIANT) || cpu_has(CPU_HYPERVISOR);

	rates_from_cpuid();
	if (!tsc_hz)
		rate_from_kvm();
	hpet_find();
	have_reference = reference_choose(&r);
	if (!tsc_hz || !apic_timer_hz) {
		if (!have_reference)
			panic("no clock to measure the processor by (HPET, ACPI PM timer or PIT)");
		measure(&r);
	}
	if (trust_tsc || !have_reference || r.read == pit_read) {
		clock = (struct arch_clock){
			.name = "tsc", .read = tsc_read, .vdso = true, .rating = 300
		};
		clock_scale(tsc_hz);
	} else {
		clock = (struct arch_clock){ .name = r.name, .read = r.read, .rating = 200 };
		if (r.read == pm_timer_read)
			clock.read = pm_clock_read;
		clock_scale(r.hz);
	}
	clock.start = clock.vdso ? boot_cycles : clock.read();
	deadline_mode = clock.vdso && cpu_has(CPU_TSC_DEADLINE);
	arch_clock = &clock;
	arch_timer_init_cpu();
}

void
arch_timer_init_cpu(void)
{
	if (deadline_mode)
		apic_timer_set_deadline_mode();
	else
		apic_timer_set_count_mode();
}

/* Late is allowed, early would only ask again: so round up, and cut what does not fit. */
void
arch_timer_set(u64 mono_ns)
{
	u64 now, delta;

	if (mono_ns == TIME_NEVER) {
		if (deadline_mode)
			wrmsr(MSR_TSC_DEADLINE, 0);
		else
			apic_timer_count(0);
		return;
	}
	now = time_mono_ns();
	delta = mono_ns > now ? MIN(mono_ns - now, NSEC_PER_SEC * 3600) : 0;
	if (deadline_mode)
		wrmsr(MSR_TSC_DEADLINE,
		      arch_cycles() + mul_div_u64(delta, tsc_hz, NSEC_PER_SEC) + 1);
	else
		apic_timer_count((u32)MIN(mul_div_u64(delta, apic_timer_hz, NSEC_PER_SEC) + 1,
					  (u64)UINT32_MAX));
}
