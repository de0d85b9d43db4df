#!/usr/bin/env bash
# A device of Muster: bash device.sh <registry> <serial> <file> [attempts]
# Registers once, keeps its credential in the file, gets an access token and prints what the registry knows of it.
# Needs curl and openssl. The reply to the registration is plain: nothing but TLS hides it on the way.
set -euo pipefail
umask 077

if [ $# -lt 3 ]; then
    echo "usage: bash device.sh <registry> <serial> <file> [attempts]" >&2
    exit 2
fi
registry=${1%/} serial=$2 file=$3 attempts=${4:-10}
longest=300 # seconds

case $registry in
*@*) echo "no user in the address" >&2 && exit 4 ;;
https://* | http://127.0.0.1:* | http://localhost:*) ;;
*) echo "not without TLS" >&2 && exit 4 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A member of the reply; the first of its name, since what comes first is the registry's own.
member() {
    { grep -o "\"$1\" *: *\"[A-Za-z0-9._~-]*\"" "$work/body" || true; } | sed -n '1s/.*"\([^"]*\)"$/\1/p'
}

header() {
    sed -n "s/^$1: *\([^\r]*\).*/\1/Ip" "$work/headers" | tail -n 1
}

# Seconds, from either form of Retry-After; a date counts from the server's own Date, not from this device's clock.
retry_after() {
    local value due now
    value=$(header retry-after)
    if [[ $value =~ ^[0-9]{1,9}$ ]]; then
        echo $((10#$value))
    elif [ -n "$value" ]; then
        due=$(date -d "$value" +%s 2>/dev/null) && now=$(date -d "$(header date)" +%s 2>/dev/null) ||
            { echo $longest && return; }
        echo $((due > now ? due - now : 0))
    else
        echo 0
    fi
}

# Full jitter in milliseconds. Devices that start together have the same $RANDOM, so it comes from openssl.
pause() {
    local attempt=$1 after=$2 range=$((1000 << ($1 < 10 ? $1 - 1 : 9)))
    if [ $((after * 500)) -gt $range ]; then range=$((after * 500)); fi
    if [ $range -gt $((longest * 1000)) ]; then range=$((longest * 1000)); fi
    local wait=$((after * 1000 + 0x$(openssl rand -hex 4) % (range + 1)))
    local seconds
    seconds=$(printf '%d.%03d' $((wait / 1000)) $((wait % 1000)))
    echo "answered ${status/#000/nothing}; again in $seconds s" >&2
    sleep "$seconds"
}

# Asks until there is an answer: call <the member that it must have> <path> <more lines of curl's configuration>.
# Secrets go to curl by its standard input, where no other process sees them. No redirect is followed.
call() {
    local attempt
    for ((attempt = 1; ; attempt++)); do
        : >"$work/headers"
        : >"$work/body"
        status=$(printf '%s\n' "url = \"$registry$2\"" "${@:3}" |
            curl --silent --config - --max-time 30 --max-filesize 65536 \
                --dump-header "$work/headers" --output "$work/body" --write-out '%{http_code}') || status=000
        case $status in
        200) if [ -n "$(member "$1")" ]; then return; fi ;;
        408 | 429) ;;
        4*)
            echo "$2 answered $status: $(cat "$work/body")" >&2
            exit 1
            ;;
        esac
        if [ "$attempt" -ge "$attempts" ]; then
            echo "answered ${status/#000/nothing}" >&2
            exit 3
        fi
        pause "$attempt" "$(retry_after)"
    done
}

# Beside, forced to the disk, renamed: a power cut leaves the old file or the new one.
save() {
    rm -f "$file.tmp"
    cat >"$file.tmp"
    sync "$file.tmp"
    mv "$file.tmp" "$file"
    sync "$(dirname "$file")"
}

register() {
    local text
    text=$(printf '%s' "$serial" | sed 's/[\\"]/\\&/g')
    printf '{"serial":"%s"}' "$text" >"$work/request"
    call secret /register 'header = "Content-Type: application/json"' "data-binary = \"@$work/request\""
    printf '%s\n' "$serial" "$(member deviceId)" "$(member key)" "$(member secret)" | save
    echo "registered as $(member deviceId)" >&2
}

# Never registers over a file that it cannot use: it may be the only copy of a credential.
load() {
    mapfile -t lines <"$file"
    if [ ${#lines[@]} -ne 4 ] || [ "${lines[0]}" != "$serial" ] || [ -z "${lines[3]}" ]; then
        echo "$file is not of $serial" >&2
        exit 4
    fi
    deviceId=${lines[1]} key=${lines[2]} secret=${lines[3]}
}

if [ ! -e "$file" ]; then register; fi
load
echo "I am $deviceId" >&2 # known without a network from the second start on
call access_token /token "user = \"$key:$secret\"" 'data = "grant_type=client_credentials"'
call deviceId /devices/me "header = \"Authorization: Bearer $(member access_token)\""
cat "$work/body"
echo
