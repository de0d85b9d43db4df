# Boots systemd as process 1 in a root file system of its own, copy on write. Called by Machine, in new namespaces of everything.
#   $1  the root file system below
#   $2  a directory with upper, work, root, and the file console
set -eu

mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
cd "$2/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do
    : > dev/$node
    mount --bind /dev/$node dev/$node
done
mkdir dev/pts dev/shm
mount -t tmpfs tmpfs dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
: > dev/console
mount --bind "$2/console" dev/console
# The one hierarchy alone, of which this machine sees its own branch: systemd then mounts no other.
mount -t cgroup2 cgroup sys/fs/cgroup
# Nothing of the machine below runs here but what is installed from now on.
rm -f usr/sbin/policy-rc.d
: > etc/machine-id
pivot_root . mnt
cd /
umount -l mnt
# As a container manager does: units have mounts of their own, credentials for example.
mount --make-rshared /
exec env -i PATH="$PATH" container=test /lib/systemd/systemd --unit=basic.target
