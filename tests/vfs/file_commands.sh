# Commands on files, run natively and on ours in copies of one tree (test_file_programs.py). A section is one shell.

## list
ls -l
ls -lR sub
ls -a missing
ls -di . ../here/sub >/dev/null

## cat
cat words numbers
cat missing
cat sub
cat <words - words

## copy
cp words new
cp -r sub other
cp -p words kept
ls -lR --time-style=+ other
cp missing x
cp words sub/
cat new
cmp new words

## copy_attributes
cp -a sub again
stat -c '%a %s %Y %F %h %N' again again/* sub/*
chmod 600 words
cp words w2
stat -c %a w2

## move
mv words sub/moved
mv sub renamed
ls -R
mv missing x
mv renamed/moved .
mv -n moved numbers
ls

## remove
rm words
rm missing
rm sub
rm -r sub
ls -A
rm -rf missing
rmdir empty
rmdir empty
ls

## find
find . | sort
find . -type l
find . -name '*.txt' -size -2 | sort
find . -empty | sort
find . -newer words -type f

## find_delete
find . -name '*.txt' -delete
find . -type d -exec touch {}/seen ';'
find . | sort

## links
ln words hard
ln -s words soft
ln -s /nowhere broken
cat hard soft
cat broken
readlink -f soft | sed 's,.*/,,'
stat -c '%h %F' hard soft
echo more >>soft
tail -1 hard
rm words
cat soft
cat hard | wc -l
ln sub x

## tar
tar cf a.tar sub words
tar tf a.tar
mkdir out
tar xf a.tar -C out
diff -r sub out/sub && echo same
ls -l --time-style=+ out

## tar_pipe
tar c sub | (mkdir p
cd p
tar x
find . | sort)

## grep
grep -rn o . | sort
grep -c e words
grep -q nothing words
echo $?
grep -l '' sub/*
grep x missing

## sed
sed -i s/one/ONE/ words
cat words
sed -n 2,3p numbers
ls
sed -i.bak d numbers
cat numbers.bak numbers | wc

## awk
awk '{ total += $1 } END { print total, NR }' numbers
awk '{ print > ("n" NR % 3) }' numbers
cat n0 n1 n2

## sort
sort -r words
sort -n numbers -o numbers
head -3 numbers
sort -u words words | uniq -c
sort missing
shuf --help >/dev/null

## sort_large
seq 1 3000 | sort -r | head -4
seq 20000 | sort -n -S 64k -r | tail -2

## tail
tail -2 numbers
tail -c 5 words
head -c 3 words
tail -n +98 numbers
(timeout 1 tail -f words 2>/dev/null
echo $?)

## tee
echo a | tee x y
cat x y
echo b | tee -a x
cat x
echo c | tee sub
echo d | tee missing/x

## dd
dd if=words of=d bs=3 count=2 seek=1 2>/dev/null
od -c d
dd if=/dev/zero bs=1k count=3 2>/dev/null | wc -c
dd if=words of=d conv=notrunc bs=1 count=1 seek=20 2>/dev/null
wc -c d
dd if=missing

## directories
mkdir a
mkdir a
mkdir -p b/c/d
mkdir x/y
mkdir -m 700 m
stat -c %a m b
rmdir -p b/c/d
ls
cd a
cd ../..
cd here
pwd | sed s,.*/,,

## modes
touch f
chmod 640 f
stat -c %a f
chmod u+x,g=w f
stat -c %a f
umask 077
touch g
mkdir h
stat -c %a g h
test -x f && echo x
chmod 000 f
test -r f
echo $?
chmod 644 missing
chmod -R go-rwx sub
stat -c %a sub sub/*

## times
touch -d @1000 words
stat -c %Y words
touch -r words n
stat -c '%X %Y' n
touch -h -d @5 link
stat -c %Y link
[ words -ot numbers ] && echo older
cp -p words q
stat -c %Y q

## sizes
truncate -s 10 words
od -c words
truncate -s 5000000 big
stat -c '%s' big
wc -c <big
truncate -s +3 words
wc -c words
fallocate -l 99 fa
wc -c fa

## redirections
echo 1 >f
echo 2 >>f
cat <f
exec 5<>f
read -r x <&5
echo $x
echo Z >&5
exec 5>&-
cat f
set -C
echo 3 >f
cat nope 2>/dev/null || echo none
{ echo out
echo err >&2
} 2>&1 | sort
: >f
test -s f || echo empty

## pipes
cat words | tr a-z A-Z | sort | head -2
yes | head -1
(exit 3) | true
echo $?
seq 100000 | tail -1
echo x | (read a
echo $a)

## fifo
mkfifo p
(cat p
echo done) & echo through >p
wait
ls -l p | cut -c1
rm p
ls p

## devices
echo x >/dev/null
head -c 4 /dev/zero | od -c
echo x >/dev/full
cat /dev/null | wc -c
echo hi >/dev/stderr
echo in | cat /dev/stdin
head -c 9 /dev/urandom | wc -c
cat /dev/fd/0 <words

## globs
echo *
echo sub/*
echo .*hid*
for f in sub/*.txt
do echo "$f"
done
ls sub | xargs -n1 echo got

## temporary
t=$(mktemp)
echo data >$t
cat $t
rm $t
test -e $t || echo gone
d=$(mktemp -d ./x.XXXXXX)
rmdir $d && echo ok
cat <<END
here
END

## split
split -l 30 numbers part.
ls part.*
cat part.* | cmp - numbers && echo same
paste -sd, numbers | cut -c1-9
comm -12 words words | wc -l

## du
du -a --apparent-size sub | sort
wc words numbers
md5sum words numbers
sha256sum sub/* 2>&1

## install
install -m 751 -D words deep/er/target
stat -c '%a %s' deep/er/target
cp -u words deep/er/target
ln -sf numbers link
cat link | wc -l

## unlinked
exec 3<words
rm words
cat <&3
exec 4>gone
rm gone
echo x >&4
ls

## long_names
n=$(printf 'n%.0s' $(seq 255))
touch $n
ls | wc -L
touch ${n}n
rm $n
ls | wc -l

## status
cat missing
echo $?
ls / >/dev/null
echo $?
false
echo $?
nosuchprogram
echo $?
./words
echo $?
./sub
echo $?
./script
echo $?

## signals_of_pipes
(seq 1000000
echo $? >&2) 2>&1 >&3 3>&- | cat
seq 100000 | head -1 >/dev/null
echo ok
