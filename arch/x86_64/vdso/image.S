/* SPDX-License-Identifier: MIT */
/* The vDSO's image and its data page, as the kernel maps them into programs: whole pages of their own. */
	.section .rodata.vdso, "a"
	.balign 4096
	.globl arch_vdso_image, arch_vdso_size
arch_vdso_image:
	.incbin "vdso.so"
	.balign 4096
arch_vdso_end:
arch_vdso_size:
	.quad arch_vdso_end - arch_vdso_image

	.section .data.page_aligned, "aw"
	.balign 4096
vdso_data_page:
	.skip 4096
	.section .data.vdso, "aw"
	.balign 8
	.globl vdso_data
vdso_data:
	.quad vdso_data_page
