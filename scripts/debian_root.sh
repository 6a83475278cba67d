#!/bin/sh
# Make a folder for `coalmm run --root` of Debian packages:
#
#     sh scripts/debian_root.sh ARCHITECTURE FOLDER PACKAGE...
#
# apt picks the packages, with all that they need, from this machine's own sources and checks their signatures. What it
# writes is below FOLDER.work: nothing of the machine changes, and no right is needed. Packages are unpacked, not
# configured: no maintainer script runs. Exit status 100 (apt's) where the packages cannot be had.
set -eu
if [ $# -lt 3 ]; then
    echo "usage: sh scripts/debian_root.sh ARCHITECTURE FOLDER PACKAGE..." >&2
    exit 2
fi
architecture=$1 folder=$2
shift 2
case $folder in
/*) ;;
*) folder=$PWD/$folder ;;
esac
if [ -e "$folder" ]; then
    echo "debian_root.sh: $folder is there already" >&2
    exit 1
fi

work=$folder.work
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
: >"$work/state/status"
cat >"$work/apt.conf" <<END
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "2";
Dir::Cache "$work/cache";
Dir::Log "$work";
Dir::State "$work/state";
Dir::State::status "$work/state/status";
END
export APT_CONFIG="$work/apt.conf"

# A source that does not answer may have nothing of what is asked for: the second command knows.
apt-get -q update || echo "debian_root.sh: going on without what could not be fetched" >&2
apt-get -q -y --download-only install "$@"

# /bin, /lib and /sbin are links to their namesakes in /usr, as an installed Debian has them.
rm -rf "$work/root"
for name in bin lib sbin; do
    mkdir -p "$work/root/usr/$name"
    ln -s "usr/$name" "$work/root/$name"
done
for package in "$work"/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$work/root"
done
mv "$work/root" "$folder"
rm -rf "$work"
