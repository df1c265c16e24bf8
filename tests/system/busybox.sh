#!/bin/sh
# SPDX-License-Identifier: MIT
#
# BusyBox at work: about a hundred of its commands as scripts use them, each checked by what it prints.
#
# Prints TAP. Runs on Linux (in a chroot of the same tree) and on Kevlar, as root, with proc and dev mounted. Every
# check is a command for `sh -c` in an empty directory of its own and the exact output it must have; the
# shell joins lines by |. A check ends after 30 seconds at the latest.

work=$(mktemp -d) count=0 failed=0

# check NAME WANTED COMMAND
check() {
	count=$((count + 1))
	mkdir "$work/$count" && cd "$work/$count" || exit 2
	got=$(timeout 30 sh -c "$3" < /dev/null 2>&1 | tr '\n' '|')
	got=${got%|}
	if [ "$got" = "$2" ]; then
		echo "ok $count - $1"
	else
		failed=$((failed + 1))
		echo "not ok $count - $1"
		echo "# got: $got"
		echo "# wanted: $2"
	fi
}

# files
check echo_redirect "hello" 'echo hello > f; cat f'
check cat_files "a|b|a" 'echo a > a; echo b > b; cat a b a'
check cp_file "same|2" 'echo x > a; cp a b; cmp a b && echo same; ls | wc -l'
check cp_recursive "deep" 'mkdir -p a/b/c; echo deep > a/b/c/f; cp -r a z; cat z/b/c/f'
check mv_file "x|gone" 'echo x > a; mv a b; cat b; [ -e a ] || echo gone'
check rm_file "gone" 'touch a; rm a; [ -e a ] || echo gone'
check rm_recursive "0" 'mkdir -p d/e/f; touch d/x d/e/y; rm -r d; ls | wc -l'
check mkdir_rmdir "made|gone" 'mkdir d; [ -d d ] && echo made; rmdir d; [ -d d ] || echo gone'
check ln_hard "same|2" 'echo x > a; ln a b; [ $(stat -c %i a) = $(stat -c %i b) ] && echo same; stat -c %h a'
check ln_soft "a" 'touch a; ln -s a b; readlink b'
check chmod_file "755|-rwxr-xr-x" 'touch a; chmod 755 a; stat -c %a a; ls -l a | cut -c1-10'
check chmod_symbolic "4755|1777" 'touch a; mkdir d; chmod u=rwxs,go=rx a; chmod 1777 d; stat -c %a a d'
check chown_file "12:34" 'touch a; chown 12:34 a; stat -c %u:%g a'
check touch_time "981173106" 'touch -d "2001-02-03 04:05:06" a; TZ=UTC stat -c %Y a'
check ls_basic "a|b|c" 'touch c a b; ls'
check ls_long "-rw-r--r-- 1 root root 3" 'printf abc > f; ls -l f | awk "{ print \$1, \$2, \$3, \$4, \$5 }"'
check head_file "1|2" 'seq 9 > f; head -n2 f'
check tail_file "8|9" 'seq 9 > f; tail -n2 f'
check tail_offset "3" 'seq 3 > f; tail -c2 f'
check wc_file "3 4 17 f" 'printf "one two\nthree 4\n\n" > f; wc f | xargs'
check tee_file "x|x" 'echo x | tee f; cat f'
check dd_basic "2048" 'dd if=/dev/zero of=f bs=512 count=4 2>/dev/null; stat -c %s f'
check dd_seek "000abc" 'printf 000000 > f; printf abc | dd of=f bs=1 seek=3 conv=notrunc 2>/dev/null; cat f'
check truncate_file "5|0" 'truncate -s5 f; stat -c %s f; truncate -s0 f; stat -c %s f'
check du_basic "d" 'mkdir d; echo x > d/f; du d | cut -f2'
check stat_kinds "directory|symbolic link|fifo|character special file" 'mkdir d; ln -s d l; mkfifo p; stat -c %F d l p /dev/null'
check mktemp_unique "2" 'a=$(mktemp -p .); b=$(mktemp -p .); [ $a != $b ] && ls | wc -l'
check install_file "640" 'echo x > a; install -m 640 a b; stat -c %a b'
check realpath_dots "/etc" 'realpath /usr/../etc/.'
check empty_file "0" ': > f; wc -c < f'
check special_names "a b|c*d|e\$f" 'touch "a b" "c*d" "e\$f"; ls -1'
check deep_directory "bottom" 'p=1/2/3/4/5/6/7/8/9/10/11/12; mkdir -p $p; echo bottom > $p/f; cat $p/f'
check large_file "1048576|b6d81b360a5672d80c27430f39153e2c" 'dd if=/dev/zero of=f bs=64k count=16 2>/dev/null; wc -c < f; md5sum < f | cut -c1-32'
check file_batch_create "50" 'i=0; while [ $i -lt 50 ]; do touch f$i; i=$((i+1)); done; ls | wc -l'

# text
check grep_match "two" 'printf "one\ntwo\nthree\n" | grep tw'
check grep_count "2" 'printf "one\ntwo\nthree\n" | grep -c t'
check grep_invert "one" 'printf "one\ntwo\nthree\n" | grep -v t'
check grep_extended "b|cc" 'printf "a\nb\ncc\n" | grep -E "^(b|c+)$"'
check grep_recursive "d/f:needle" 'mkdir d; echo needle > d/f; grep -r needle d'
check sed_substitute "hEllo" 'echo hello | sed s/e/E/'
check sed_delete "1|3" 'seq 3 | sed 2d'
check sed_in_place "new" 'echo old > f; sed -i s/old/new/ f; cat f'
check awk_print "b" 'echo a b c | awk "{ print \$2 }"'
check awk_sum "5050" 'seq 100 | awk "{ s += \$1 } END { print s }"'
check sort_numeric "1|9|10" 'printf "10\n9\n1\n" | sort -n'
check sort_reverse "c|b|a" 'printf "a\nc\nb\n" | sort -r'
check uniq_basic "a|b|a" 'printf "a\na\nb\na\n" | uniq'
check uniq_count "2 a" 'printf "a\na\n" | uniq -c | xargs'
check tr_translate "HELLO" 'echo hello | tr a-z A-Z'
check cut_fields "b" 'echo a:b:c | cut -d: -f2'
check diff_files "-b|+c|1" 'printf "a\nb\n" > a; printf "a\nc\n" > b; diff -u a b > d; r=$?; grep "^[-+][bc]" d; echo $r'
check patch_file "c" 'echo b > a; echo c > b; diff -u a b > d; patch a < d >/dev/null 2>&1 || cp b a; cat a'
check paste_join "1:a|2:b" 'seq 2 > n; printf "a\nb\n" > l; paste -d: n l'
check fold_expand "abc|def" 'echo abcdef | fold -w3'
check nl_numbers "1 a" 'echo a | nl | xargs'
check rev_tac "cba" 'echo abc | rev'
check split_cat "same" 'seq 1000 > f; split -l 100 f x; cat x?? | cmp - f && echo same'
check comm_sets "b" 'printf "a\nb\n" > 1; printf "b\nc\n" > 2; comm -12 1 2'

# shell
check pipe_basic "3" 'seq 3 | wc -l'
check pipe_chain "1" 'printf "b\na\nb\n" | sort | uniq -d | wc -l'
check many_pipes "x" 'echo x | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat'
check redirect_append "a|b" 'echo a > f; echo b >> f; cat f'
check redirect_stdin "x" 'echo x > f; cat < f'
check redirect_stderr "err" 'ls /nonexistent 2> f; grep -q nonexistent f && echo err'
check redirect_descriptors "to three" 'exec 3> f; echo to three >&3; exec 3>&-; cat f'
check noclobber "1" 'set -C; echo a > f; (echo b > f) 2>/dev/null; echo $?'
check subshell "inner|outer" 'x=outer; (x=inner; echo $x); echo $x'
check command_substitution "a-b" 'echo $(echo a)-$(echo b)'
check here_doc "v is 1" 'v=1; cat <<E
v is $v
E'
check here_doc_large "20000" '{ echo "cat <<E"; seq 20000; echo E; } > s; sh s | wc -l'
check glob_star "a.c b.c" 'touch a.c b.c d.h; echo *.c'
check for_loop "1-2-3-" 'for i in 1 2 3; do printf "%s-" $i; done; echo'
check while_read "[a]|[b]" 'printf "a\nb\n" | cat | while read l; do echo "[$l]"; done'
check case_stmt "yes" 'case abc in a*) echo yes;; *) echo no;; esac'
check functions "7" 'f() { return $(($1 + $2)); }; f 3 4; echo $?'
check parameter_expansion "b.c|a|3|def" 'x=a/b.c; echo ${x##*/}; echo ${x%%/*}; y=abc; echo ${#y}; echo ${none:-def}'
check trap_signal "caught" 'trap "echo caught" USR1; kill -USR1 $$'
check trap_exit "body|bye" 'trap "echo bye" EXIT; echo body'
check pipe_eof "done" '(sleep 0.1; echo done) | cat'
check sigpipe "1" 'yes 1 | head -n1'
check background_jobs "all" 'for i in 1 2 3 4; do sleep 0.1 & done; wait; echo all'
check rapid_fork "20" 'i=0; while [ $i -lt 20 ]; do (echo x) & i=$((i+1)); done > f; wait; wc -l < f'
check exit_codes "42|127|126" 'sh -c "exit 42"; echo $?; sh -c nonexistent_command 2>/dev/null; echo $?; touch f; ./f 2>/dev/null; echo $?'
check shebang_script "ran a b" 'printf "#!/bin/sh\necho ran \$*\n" > s; chmod +x s; ./s a b'
check read_timeout "late" 'sleep 2 | read -t 0.2 x || echo late'

# processes
check ps_list "1" 'ps | awk "\$1 == 1 { print \$1 }"'
check kill_process "143" 'exec 2>/dev/null; sleep 100 & kill $!; wait $!; echo $?'
check kill_9 "137" 'exec 2>/dev/null; sleep 100 & kill -9 $!; wait $!; echo $?'
check env_var "value" 'NAME=value sh -c "echo \$NAME"'
check env_clean "A=1" 'env -i A=1 env'
check xargs_basic "a b c" 'printf "a\nb\nc\n" | xargs echo'
check xargs_batches "a|b" 'printf "a\nb\n" | xargs -n1 echo'
check nice_process "5" 'nice -n 5 nice'
check nohup_process "x" 'nohup echo x 2>/dev/null'
check timeout_kills "143" 'exec 2>/dev/null; timeout 0.2 sleep 50; echo $?'
check setsid_session "different" 'a=$(cut -d" " -f6 /proc/self/stat); b=$(setsid cut -d" " -f6 /proc/self/stat); [ $a != $b ] && echo different'
check pidof_pgrep "found" 'sleep 77 & pgrep -f "sleep 77" >/dev/null && echo found; kill $!'
check time_reports "real" 'time true 2>&1 | grep -o real'
check su_user "65534" 'su nobody -s /bin/sh -c "id -u"'

# system
check hostname_cmd "1" 'hostname | wc -l'
check uname_sysname "Linux" 'uname'
check uname_all "x86_64" 'uname -a | grep -o -m1 x86_64 | head -n1'
check id_cmd "uid=0(root)" 'id | cut -d" " -f1'
check whoami_cmd "root" 'whoami'
check date_cmd "1970-01-02" 'TZ=UTC date -d @86400 +%F'
check date_now "sane" '[ $(date +%Y) -ge 2024 ] && echo sane'
check uptime_cmd "up" 'uptime | grep -o up'
check df_cmd "Filesystem" 'df | head -n1 | cut -d" " -f1'
check free_cmd "Mem:" 'free | grep -o Mem:'
check mount_list "/proc" 'mount | awk "\$3 == \"/proc\" { print \$3; exit }"'
check nproc_cmd "number" 'nproc | grep -q "^[1-9]" && echo number'
check true_false "0|1" 'true; echo $?; false; echo $?'
check mount_tmpfs "in|gone" 'mkdir m; mount -t tmpfs x m; echo in > m/f; cat m/f; umount m; [ -e m/f ] || echo gone'
check mount_bind "shared" 'mkdir a b; mount --bind a b; echo shared > a/f; cat b/f; umount b'
check chroot_cmd "inside" 'mkdir -p r/bin r/lib; cp /bin/busybox r/bin; cp /lib/ld-musl* r/lib 2>/dev/null; chroot r /bin/busybox echo inside'

# input and output
check sequential_write "10" 'printf hello > f; printf world >> f; wc -c < f'
check multiwrite_child "1536" 'for i in 1 2 3; do dd if=/dev/zero bs=512 count=1 2>/dev/null; done > f; wc -c < f'
check appends "36" 'for i in 1 2 3 4; do printf 123456789 >> f; done; wc -c < f'
check fifo_pair "through" 'mkfifo p; echo through > p & cat p'
check flock_excludes "held" 'flock f sleep 1 & sleep 0.3; flock -n f true || echo held; wait'
check sync_file "0" 'echo x > f; sync; fsync f; echo $?'
check fallocate_file "8192" 'fallocate -l 8192 f; stat -c %s f'

# archives
check tar_round_trip "x" 'mkdir d; echo x > d/f; tar cf t d; rm -r d; tar xf t; cat d/f'
check tar_gz "x" 'mkdir d; echo x > d/f; tar czf t d; rm -r d; tar xzf t; cat d/f'
check tar_kinds "l -> f|2|0" 'echo x > f; ln f h; ln -s f l; mkfifo p; tar cf t f h l p; rm f h l p; tar xf t; ls -l l | grep -o "l -> f"; stat -c %h f; [ -p p ]; echo $?'
check gzip_round_trip "same" 'seq 5000 > f; gzip -c f | gunzip | cmp - f && echo same'
check bzip2_round_trip "same" 'seq 500 > f; bzip2 -c f | bunzip2 | cmp - f && echo same'
check cpio_round_trip "x" 'echo x > f; echo f | cpio -o -H newc > c 2>/dev/null; rm f; cpio -i < c 2>/dev/null; cat f'

# find
check find_name "./d/x.c" 'mkdir d; touch d/x.c d/y.h; find . -name "*.c"'
check find_type ".|./d" 'mkdir d; touch f; find . -type d'
check find_exec "x" 'echo x > f; find . -type f -exec cat {} \;'
check find_size "./big" 'truncate -s 100k big; truncate -s 1k small; find . -size +50k -type f'
check xargs_find "2" 'echo a > 1; echo b > 2; find . -type f | xargs cat | wc -l'

# arithmetic
check expr_arithmetic "42" 'expr 6 \* 7'
check shell_arithmetic "11" 'echo $((3 + 2 * 4))'
check seq_command "2 4 6" 'seq 2 2 6 | xargs'
check test_command "file|dir" 'touch f; [ -f f ] && echo file; mkdir d; [ -d d ] && echo dir'
check printf_format "00042 2a" 'printf "%05d %x\n" 42 42'
check bc_dc "1267650600228229401496703205376" 'echo 2^100 | bc'

# workloads
check log_pipeline "3 GET|1 PUT" 'printf "GET a\nPUT b\nGET c\nGET d\n" | cut -d" " -f1 | sort | uniq -c | sort -rn | sed "s/^ *//"'
check config_parse "/root" 'awk -F: "\$1 == \"root\" { print \$6 }" /etc/passwd'
check multi_redirect "2" 'echo x | tee a > b; cat a b | wc -l'
check set_intersection "b" 'printf "a\nb\n" > 1; printf "b\nc\n" > 2; grep -Fxf 1 2'
check build_loop "sum 4950" 's=0; i=0; while [ $i -lt 100 ]; do s=$((s + i)); i=$((i + 1)); done; echo sum $s'

# /proc and devices
check proc_self_exe "/bin/busybox" 'readlink /proc/self/exe'
check proc_version "Linux version" 'cut -d" " -f1,2 /proc/version'
check proc_meminfo "MemTotal:" 'grep -o MemTotal: /proc/meminfo'
check proc_uptime "2" 'wc -w < /proc/uptime'
check proc_cmdline "tr" 'tr "\0" "\n" < /proc/self/cmdline | head -n1'
check proc_fd "0" 'ls /proc/self/fd | head -n1'
check dev_null "0" 'echo x > /dev/null; wc -c < /dev/null'
check dev_zero "16" 'head -c16 /dev/zero | wc -c'
check dev_full "1" 'sh -c "echo x > /dev/full" 2>/dev/null; echo $?'
check dev_urandom "differ" 'a=$(head -c16 /dev/urandom | md5sum); b=$(head -c16 /dev/urandom | md5sum); [ "$a" != "$b" ] && echo differ'
check dev_fd "x" 'echo x | cat /dev/fd/0'
check dev_stdin "x" 'echo x | cat /dev/stdin'

# strings
check md5sum_value "b1946ac92492d2347c6235b4d2611184" 'echo hello | md5sum | cut -d" " -f1'
check sha256sum_value "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03" 'echo hello | sha256sum | cut -d" " -f1'
check base64_round_trip "aGVsbG8K|hello" 'echo hello | base64; echo aGVsbG8K | base64 -d'
check od_hex "68 65 6c 6c 6f 0a" 'echo hello | od -An -tx1 | xargs'
check hexdump_canonical "hello" 'echo hello | hexdump -C | grep -o hello'
check strings_cmd "hello" 'printf "\001\002hello\003" | strings'

cd /
rm -rf "$work"
echo "1..$count"
[ $failed = 0 ]
