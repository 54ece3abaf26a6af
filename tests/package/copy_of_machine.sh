# copy_of_machine.sh FOLDER TREE SCRIPT: in namespaces of its own, makes a copy of the machine beneath FOLDER, of which
# nothing outlives this, and runs TREE/tests/package/SCRIPT in it, which finds the tree in /mnt and FOLDER's package, if
# there is one, in /tmp. 77: no copy can be made here.
set -eu
folder=$1 tree=$2 script=$3
cannot() { echo "$1"; exit 77; }
mkdir "$folder/layers" "$folder/machine"
mount -t tmpfs none "$folder/layers" || cannot "tmpfs"
mkdir "$folder/layers/upper" "$folder/layers/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/layers/upper,workdir=$folder/layers/work" "$folder/machine" ||
  cannot "overlay"
machine=$folder/machine
mount -t proc proc "$machine/proc"
mount --rbind /dev "$machine/dev"
mount -t tmpfs none "$machine/tmp"
mount -t tmpfs -o mode=755 none "$machine/run"
# The tree may be on a file system of its own, which the overlay does not show.
mkdir -p "$machine/mnt"
mount --rbind "$tree" "$machine/mnt"
for package in "$folder"/*.deb; do if [ -e "$package" ]; then cp "$package" "$machine/tmp/"; fi; done
ip link set lo up 2>/dev/null || /usr/bin/python3 - <<'END'
import fcntl, socket, struct
with socket.socket() as one:
    fcntl.ioctl(one, 0x8914, struct.pack("16sh", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
END
echo machine.example.test >/proc/sys/kernel/hostname
printf '127.0.0.1 localhost machine.example.test\n' >"$machine/etc/hosts"
exec chroot "$machine" /usr/bin/python3 "/mnt/tests/package/$script"
