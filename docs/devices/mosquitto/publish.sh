#!/bin/sh
# Publishes a state of this device: publish.sh <store> <host> <port> <message>
set -eu
umask 077
options=$(mktemp -d)
trap 'rm -rf "$options"' EXIT
java -jar "${MUSTER_DEVICE:-muster-device.jar}" mqtt --store "$1" > "$options/mqtt"

first() {
    sed -n "s/^$1: //p" "$options/mqtt" | head -n 1
}

# mosquitto_pub takes options from here too: what is on its command line, everybody on the machine can read.
cat > "$options/mosquitto_pub" << TEXT
-i $(first clientId)
-u $(first userName)
-P $(first password)
-t $(first publish)
TEXT
XDG_CONFIG_HOME=$options mosquitto_pub -h "$2" -p "$3" -q 1 -m "$4"
