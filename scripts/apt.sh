# shellcheck shell=bash
# Installing Debian packages without a question, without starting a service, and without removing anything.

# Only Debian 12 and later, and only as root; elsewhere the names differ and a list is kinder than a guess.
can_apt() {
    [ "$(id -u)" = 0 ] && is_debian
}

is_debian() {
    # shellcheck disable=SC1090
    have apt-get && [ -r "$OS_RELEASE" ] && (. "$OS_RELEASE" && [ "${ID:-}" = debian ] && [ "${VERSION_ID:-99}" -ge 12 ])
}
OS_RELEASE=${OS_RELEASE:-/etc/os-release}

# list_missing: what to install by hand, with versions, and why it is not done here.
list_missing() {
    {
        printf '\nMissing here:\n'
        printf '  - %s\n' ${PROBLEMS[@]+"${PROBLEMS[@]}"} ${WANTED[@]+"${WANTED[@]}"}
        if [ ${#PACKAGES[@]} -gt 0 ]; then
            if ! is_debian; then
                printf '\nOnly on Debian 12 or later can this be installed for you. Install the list above with your\nsystem'"'"'s own package manager and run the command again; what is there is used.\n'
            elif [ "$(id -u)" != 0 ]; then
                printf '\nInstalling needs root. Run the command as root, or this first:\n  sudo apt-get install --no-install-recommends %s\n' "$(unique "${PACKAGES[@]}")"
            fi
        fi
        printf '\n'
    } >&2
}

unique() { printf '%s\n' "$@" | awk '!seen[$0]++' | paste -sd' ' -; }

apt_update() {
    [ -z "${APT_UPDATED:-}" ] || return 0
    step "Debian package lists" apt_get update
    APT_UPDATED=yes
}

# apt_install PACKAGE…: in one transaction.
apt_install() {
    apt_update
    # shellcheck disable=SC2046
    set -- $(unique "$@")
    step "Debian packages: $*" quiet_install "$@"
}

# A package's service is neither started now (policy-rc.d) nor at the next boot (disable), if it was not here before.
quiet_install() {
    local policy=/usr/sbin/policy-rc.d had_nginx=
    [ ! -e /lib/systemd/system/nginx.service ] && [ ! -e /etc/init.d/nginx ] || had_nginx=yes
    if [ ! -e $policy ]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        trap 'exit 130' INT TERM
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod +x $policy
    fi
    apt_get install --yes --no-install-recommends --no-remove "$@" || return
    if [ -z "$had_nginx" ] && [ -e /etc/init.d/nginx ]; then
        if have systemctl; then systemctl disable --now nginx || true; else update-rc.d nginx disable || true; fi
    fi
}

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}
