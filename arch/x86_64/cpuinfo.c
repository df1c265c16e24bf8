/* SPDX-License-Identifier: MIT */
/* One CPU's part of /proc/cpuinfo, in Linux's format: programs look for names among the flags. */
#include "apic.h"
#include "arch/clock.h"
#include "arch/cpu.h"
#include "core/cpumask.h"
#include "lib/format.h"
#include "lib/string.h"
#include "x86.h"

struct flag_word {
	u32 leaf, subleaf;
	u8 reg;		       /* 0 EAX, 1 EBX, 2 ECX, 3 EDX */
	const char *names[32]; /* by bit; NULL: no name */
};

static const struct flag_word flag_words[] = {
	{ 1, 0, 3, { "fpu",  "vme",   "de",   "pse",	 "tsc",	 "msr", "pae",	"mce",
		     "cx8",  "apic",  NULL,   "sep",	 "mtrr", "pge", "mca",	"cmov",
		     "pat",  "pse36", "pn",   "clflush", NULL,	 "dts", "acpi", "mmx",
		     "fxsr", "sse",   "sse2", "ss",	 "ht",	 "tm",	"ia64", "pbe" } },
	{ 0x80000001,
	  0,
	  3,
	  { [11] = "syscall",
	    [19] = "mp",
	    [20] = "nx",
	    [22] = "mmxext",
	    [25] = "fxsr_opt",
	    [26] = "pdpe1gb",
	    [27] = "rdtscp",
	    [29] = "lm",
	    [30] = "3dnowext",
	    [31] = "3dnow" } },
	{ 1, 0, 2, { "pni",    "pclmulqdq", "dtes64", "monitor", "ds_cpl",
		     "vmx",    "smx",	    "est",    "tm2",	 "ssse3",
		     "cid",    "sdbg",	    "fma",    "cx16",	 "xtpr",
		     "pdcm",   NULL,	    "pcid",   "dca",	 "sse4_1",
		     "sse4_2", "x2apic",    "movbe",  "popcnt",	 "tsc_deadline_timer",
		     "aes",    "xsave",	    NULL,     "avx",	 "f16c",
		     "rdrand", "hypervisor" } },
	{ 0x80000001,
	  0,
	  2,
	  { "lahf_lm",	   "cmp_legacy",    "svm",  "extapic", "cr8_legacy", "abm",	   "sse4a",
	    "misalignsse", "3dnowprefetch", "osvw", "ibs",     "xop",	     "skinit",	   "wdt",
	    NULL,	   "lwp",	    "fma4", "tce",     NULL,	     "nodeid_msr", NULL,
	    "tbm" } },
	{ 7, 0, 1, { "fsgsbase", "tsc_adjust", NULL,	   "bmi1",	 "hle",	     "avx2",
		     NULL,	 "smep",       "bmi2",	   "erms",	 "invpcid",  "rtm",
		     NULL,	 NULL,	       NULL,	   NULL,	 "avx512f",  "avx512dq",
		     "rdseed",	 "adx",	       "smap",	   "avx512ifma", NULL,	     "clflushopt",
		     "clwb",	 NULL,	       "avx512pf", "avx512er",	 "avx512cd", "sha_ni",
		     "avx512bw", "avx512vl" } },
	{ 0xd, 1, 0, { "xsaveopt", "xsavec", "xgetbv1", "xsaves" } },
	{ 7,
	  0,
	  2,
	  { NULL, "avx512vbmi", "umip", NULL, NULL, NULL, "avx512_vbmi2", NULL, "gfni", "vaes",
	    "vpclmulqdq", "avx512_vnni", "avx512_bitalg", NULL, "avx512_vpopcntdq", NULL,
	    NULL, [22] = "rdpid" } },
	{ 7, 0, 3, { [4] = "fsrm" } },
};

static u32
cpuid_word(u32 leaf, u32 subleaf, u8 reg)
{
	struct cpuid r;

	if (cpuid(leaf & 0x80000000, 0).a < leaf)
		return 0;
	r = cpuid(leaf, subleaf);
	return reg == 0 ? r.a : reg == 1 ? r.b : reg == 2 ? r.c : r.d;
}

/* What programs cannot use because the kernel has not enabled it must not be promised. */
static u32
usable(const struct flag_word *w, u32 bits)
{
	if (w->leaf == 7 && w->reg == 1 && !cpu_has(CPU_FSGSBASE))
		bits &= ~1u;
	if (w->leaf == 7 && w->reg == 1 && !cpu_has(CPU_ERMS))
		bits &= ~(u32)BIT(9);
	return bits;
}

static void
flags_print(struct strbuf *sb)
{
	strbuf_puts(sb, "flags\t\t:");
	for (u32 i = 0; i < ARRAY_SIZE(flag_words); i++) {
		const struct flag_word *w = &flag_words[i];
		u32 bits = usable(w, cpuid_word(w->leaf, w->subleaf, w->reg));

		for (u32 bit = 0; bit < 32; bit++)
			if (bits >> bit & 1 && w->names[bit])
				strbuf_printf(sb, " %s", w->names[bit]);
	}
	strbuf_puts(sb, "\n");
}

static void
model_name(char name[49])
{
	memset(name, 0, 49);
	if (cpuid(0x80000000, 0).a < 0x80000004) {
		strscpy(name, "unknown", 49);
		return;
	}
	for (u32 i = 0; i < 3; i++) {
		struct cpuid r = cpuid(0x80000002 + i, 0);

		memcpy(name + 16 * i, &r, 16);
	}
}

void
arch_cpuinfo(struct strbuf *sb, u32 cpu)
{
	struct cpuid max = cpuid(0, 0), r = cpuid(1, 0);
	u32 family = r.a >> 8 & 15, model = r.a >> 4 & 15, lines = r.b >> 8 & 0xff;
	u32 vendor[3] = { max.b, max.d, max.c };
	u32 sizes = cpuid_word(0x80000008, 0, 0);
	char name[49];
	u64 hz = arch_clock->hz;

	if (family == 6 || family == 15)
		model |= r.a >> 12 & 0xf0;
	if (family == 15)
		family += r.a >> 20 & 0xff;
	model_name(name);
	strbuf_printf(sb, "processor\t: %u\nvendor_id\t: %.12s\ncpu family\t: %u\nmodel\t\t: %u\n",
		      cpu, (const char *)vendor, family, model);
	strbuf_printf(sb, "model name\t: %s\nstepping\t: %u\n", skip_spaces(name), r.a & 15);
	strbuf_printf(sb, "cpu MHz\t\t: %lu.%03lu\n", hz / 1000000, hz / 1000 % 1000);
	strbuf_printf(sb, "physical id\t: %u\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\n",
		      cpu);
	strbuf_printf(sb, "apicid\t\t: %u\ninitial apicid\t: %u\n", apic_id_of_cpu[cpu],
		      apic_id_of_cpu[cpu]);
	strbuf_printf(sb, "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\n",
		      max.a);
	flags_print(sb);
	strbuf_printf(sb, "bugs\t\t:\nbogomips\t: %lu.%02lu\n", hz / 500000, hz / 5000 % 100);
	strbuf_printf(sb, "clflush size\t: %u\ncache_alignment\t: 64\n", lines ? lines * 8 : 64);
	strbuf_printf(sb,
		      "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n",
		      sizes ? sizes & 0xff : 36, sizes ? sizes >> 8 & 0xff : 48);
}
