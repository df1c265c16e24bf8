/* SPDX-License-Identifier: MIT */
/*
 * elf(5), getauxval(3): executables, core files and what exec hands to a program.
 */
#ifndef UAPI_ELF_H
#define UAPI_ELF_H

#include "lib/types.h"

#define EI_NIDENT      16
#define EI_CLASS       4
#define EI_DATA	       5
#define EI_VERSION     6
#define EI_OSABI       7
#define ELFMAG	       "\177ELF"
#define SELFMAG	       4
#define ELFCLASS32     1
#define ELFCLASS64     2
#define ELFDATA2LSB    1
#define ELFDATA2MSB    2
#define EV_CURRENT     1
#define ELFOSABI_NONE  0
#define ELFOSABI_LINUX 3

#define ET_NONE 0
#define ET_REL	1
#define ET_EXEC 2
#define ET_DYN	3
#define ET_CORE 4

#define EM_386	   3
#define EM_X86_64  62
#define EM_AARCH64 183

struct elf64_ehdr {
	u8 e_ident[EI_NIDENT];
	u16 e_type;
	u16 e_machine;
	u32 e_version;
	u64 e_entry;
	u64 e_phoff;
	u64 e_shoff;
	u32 e_flags;
	u16 e_ehsize;
	u16 e_phentsize;
	u16 e_phnum;
	u16 e_shentsize;
	u16 e_shnum;
	u16 e_shstrndx;
};

struct elf64_phdr {
	u32 p_type;
	u32 p_flags;
	u64 p_offset;
	u64 p_vaddr;
	u64 p_paddr;
	u64 p_filesz;
	u64 p_memsz;
	u64 p_align;
};

#define PT_NULL		0
#define PT_LOAD		1
#define PT_DYNAMIC	2
#define PT_INTERP	3
#define PT_NOTE		4
#define PT_SHLIB	5
#define PT_PHDR		6
#define PT_TLS		7
#define PT_GNU_EH_FRAME 0x6474e550
#define PT_GNU_STACK	0x6474e551
#define PT_GNU_RELRO	0x6474e552
#define PT_GNU_PROPERTY 0x6474e553

#define PF_X	0x1
#define PF_W	0x2
#define PF_R	0x4
#define PN_XNUM 0xffff

struct elf64_shdr {
	u32 sh_name;
	u32 sh_type;
	u64 sh_flags;
	u64 sh_addr;
	u64 sh_offset;
	u64 sh_size;
	u32 sh_link;
	u32 sh_info;
	u64 sh_addralign;
	u64 sh_entsize;
};

#define SHT_NULL     0
#define SHT_PROGBITS 1
#define SHT_SYMTAB   2
#define SHT_STRTAB   3
#define SHT_RELA     4
#define SHT_HASH     5
#define SHT_DYNAMIC  6
#define SHT_NOTE     7
#define SHT_NOBITS   8
#define SHT_REL	     9
#define SHT_DYNSYM   11

#define SHF_WRITE     0x1
#define SHF_ALLOC     0x2
#define SHF_EXECINSTR 0x4

struct elf64_sym {
	u32 st_name;
	u8 st_info;
	u8 st_other;
	u16 st_shndx;
	u64 st_value;
	u64 st_size;
};

#define STB_LOCAL   0
#define STB_GLOBAL  1
#define STB_WEAK    2
#define STT_NOTYPE  0
#define STT_OBJECT  1
#define STT_FUNC    2
#define STT_SECTION 3
#define STT_FILE    4
#define SHN_UNDEF   0

struct elf64_rela {
	u64 r_offset;
	u64 r_info;
	s64 r_addend;
};

struct elf64_dyn {
	s64 d_tag;
	u64 d_val;
};

#define DT_NULL	   0
#define DT_HASH	   4
#define DT_STRTAB  5
#define DT_SYMTAB  6
#define DT_RELA	   7
#define DT_RELASZ  8
#define DT_RELAENT 9
#define DT_STRSZ   10
#define DT_SYMENT  11
#define DT_SONAME  14

/* A note: name and descriptor follow, each padded to four bytes. */
struct elf64_nhdr {
	u32 n_namesz;
	u32 n_descsz;
	u32 n_type;
};

#define NT_PRSTATUS	       1
#define NT_PRFPREG	       2
#define NT_PRPSINFO	       3
#define NT_AUXV		       6
#define NT_SIGINFO	       0x53494749
#define NT_FILE		       0x46494c45
#define NT_X86_XSTATE	       0x202
#define NT_GNU_PROPERTY_TYPE_0 5

/* The auxiliary vector above a new program's environment: pairs, ended by AT_NULL. */
struct elf64_auxv {
	u64 a_type;
	u64 a_val;
};

#define AT_NULL		     0
#define AT_IGNORE	     1
#define AT_EXECFD	     2
#define AT_PHDR		     3
#define AT_PHENT	     4
#define AT_PHNUM	     5
#define AT_PAGESZ	     6
#define AT_BASE		     7
#define AT_FLAGS	     8
#define AT_ENTRY	     9
#define AT_NOTELF	     10
#define AT_UID		     11
#define AT_EUID		     12
#define AT_GID		     13
#define AT_EGID		     14
#define AT_PLATFORM	     15
#define AT_HWCAP	     16
#define AT_CLKTCK	     17
#define AT_SECURE	     23
#define AT_BASE_PLATFORM     24
#define AT_RANDOM	     25
#define AT_HWCAP2	     26
#define AT_RSEQ_FEATURE_SIZE 27
#define AT_RSEQ_ALIGN	     28
#define AT_EXECFN	     31
#define AT_SYSINFO_EHDR	     33
#define AT_MINSIGSTKSZ	     51

#endif /* UAPI_ELF_H */
