#!/bin/sh
# Runs inside the new image, last. It turns services off, makes the login user and takes away what a host does not need.
set -eu

# The roles decide what runs.
systemctl disable haproxy.service nginx.service redis-server.service \
    prometheus.service prometheus-node-exporter.service nftables.service \
    prometheus-redis-exporter.service prometheus-nginx-exporter.service \
    remote-fs.target systemd-pstore.service e2scrub_reap.service getty@tty1.service

# Timers that would wake every host at the same moment, and parts that manage hardware, seats or names, which a host of the
# lab does not have. Each costs memory or boot time, times the number of hosts.
systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
    systemd-tmpfiles-clean.timer logrotate.timer man-db.timer \
    console-getty.service getty.target systemd-logind.service dbus-org.freedesktop.login1.service \
    systemd-journal-flush.service systemd-update-utmp.service systemd-update-utmp-runlevel.service \
    systemd-remount-fs.service systemd-firstboot.service systemd-hwdb-update.service \
    dev-hugepages.mount dev-mqueue.mount sys-fs-fuse-connections.mount

systemctl enable ssh.service lab-user-data.service
systemctl set-default multi-user.target

# Debian's login user on EC2. The uid is fixed: the lab writes the authorized key from outside.
useradd --uid 1000 --create-home --shell /bin/bash --groups adm,sudo admin
echo 'admin ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/90-cloud-init-users
chmod 0440 /etc/sudoers.d/90-cloud-init-users

# A host's own, written at its start.
rm -f /etc/ssh/ssh_host_* /etc/machine-id /var/lib/dbus/machine-id /etc/hostname
: >/etc/machine-id

rm -f /usr/sbin/policy-rc.d /etc/dpkg/dpkg.cfg.d/wsfleet-lab
rm -rf /debootstrap /var/cache/apt/* /var/cache/debconf/*-old /var/lib/apt/lists/* /var/log/*.log /var/log/apt \
    /usr/share/doc/* /usr/share/man/* /usr/share/locale/* /usr/share/info/* \
    /usr/share/javascript/moment-timezone
