# A bare Debian root and a way into it; read by tests/fresh/run.

stop() {
    echo "test-fresh: $1" >&2
    exit 1
}

# bare_root RELEASE FOLDER: unpacks a root with the base system alone, made once from
# where this machine's apt gets its packages.
bare_root() {
    case $1 in
    12) suite=bookworm ;;
    13) suite=trixie ;;
    *) stop "Debian $1 is not one of those this is tried on (12, 13)" ;;
    esac
    tarball=$work/debian-$1.tar
    if [ ! -e "$tarball" ]; then
        apt_settings=$work/apt.conf
        apt-config dump | grep -E '^Acquire::(Check-|Retries|https?|ForceIP)' >"$apt_settings" || true
        mmdebstrap --variant=minbase --format=tar --include=ca-certificates,git,make --aptopt="$apt_settings" \
            "$suite" "$tarball.part" $(archive Debian "$suite $suite-updates") $(archive Debian-Security "$suite-security")
        mv "$tarball.part" "$tarball"
    fi
    mkdir -p "$2"
    tar -xpf "$tarball" -C "$2"
    cp --remove-destination /etc/resolv.conf "$2/etc/resolv.conf"
    # What this machine trusts and how its cargo finds the registry is part of its network.
    cp "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$2/etc/fresh-ca.crt"
    settings=${CARGO_HOME:-$HOME/.cargo}/config.toml
    if [ -e "$settings" ]; then
        mkdir -p "$2/root/.cargo"
        cp "$settings" "$2/root/.cargo/config.toml"
    fi
}

# archive LABEL SUITES: sources of this machine's archive with that label, a file name for
# mmdebstrap; nothing if it has none, and mmdebstrap takes its own default.
archive() {
    address=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' | sed -n "s/^$1 //p" | head -n 1)
    [ -n "$address" ] || return 0
    list=$work/$1.list
    for suite in $2; do echo "deb $address $suite main"; done >"$list"
    echo "$list"
}

# inside ROOT COMMAND...: runs a command in the root as its root user, at home; when it is
# killed, all that it started dies with it.
inside() {
    unshare --mount --pid --ipc --uts --fork --kill-child sh -euc '
        root=$1
        shift
        mount -t proc proc "$root/proc"
        mount -t sysfs -o ro sysfs "$root/sys"
        mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
        mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
        exec chroot "$root" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            SSL_CERT_FILE=/etc/fresh-ca.crt CARGO_HTTP_CAINFO=/etc/fresh-ca.crt \
            http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" no_proxy="${no_proxy:-}" \
            sh -c "cd && exec \"\$@\"" sh "$@"' sh "$@"
}
