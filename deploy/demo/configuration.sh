# Sourced by run and prepare.

# Random text that an address can have in it.
random() {
    head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'
}

# Writes what the registry and RabbitMQ must know of each other.
#   $1 directory  $2 address of the registry  $3 where RabbitMQ listens for MQTT  $4 and $5 for its management  $6 that address
#   $7 the directory as the registry sees it
write_configuration() {
    local secret
    secret=$(random)
    (
        umask 077
        random > "$1/management-password"
        # A broker that will ask, and where to throw devices off.
        cat > "$1/muster.properties" << TEXT
muster.issuer = $2
muster.mqtt.brokers = rabbit
muster.mqtt.broker.rabbit.kind = rabbitmq
muster.mqtt.broker.rabbit.secret = $secret
muster.mqtt.broker.rabbit.management-url = $6
muster.mqtt.broker.rabbit.management-user = muster
muster.mqtt.broker.rabbit.management-password-file = $7/management-password
TEXT
        # It asks the registry about everybody but the registry, which is its only user: made at its first start, instead of guest.
        cat > "$1/rabbitmq.conf" << TEXT
listeners.tcp = none
mqtt.listeners.tcp.1 = $3
mqtt.allow_anonymous = false
management.tcp.ip = $4
management.tcp.port = $5
log.console = true
log.file = false
default_user = muster
default_pass = $(cat "$1/management-password")
default_user_tags.administrator = true
default_permissions.configure = ^mqtt-(subscription|will)-
default_permissions.read = ^\$
default_permissions.write = ^\$
auth_backends.1 = internal
auth_backends.2 = http
auth_http.http_method = post
auth_http.user_path = $2/mqtt/$secret/rabbitmq/user
auth_http.vhost_path = $2/mqtt/$secret/rabbitmq/vhost
auth_http.resource_path = $2/mqtt/$secret/rabbitmq/resource
auth_http.topic_path = $2/mqtt/$secret/rabbitmq/topic
auth_http.request_timeout = 3000
auth_http.connection_timeout = 2000
TEXT
    )
    echo "[rabbitmq_management,rabbitmq_mqtt,rabbitmq_auth_backend_http]." > "$1/enabled_plugins"
}

# Writes what to try while the devices go on.
#   $1 file  $2 address of the registry  $3 port of MQTT  $4 directory of the devices  $5 file with the operator's token
#   $6 how to stop it
write_hints() {
    cat > "$1" << TEXT
The devices publish every five seconds. $6
In another terminal:

  # hear them all
  XDG_CONFIG_HOME=$4/mosquitto mosquitto_sub -h 127.0.0.1 -p $3 -t '#' -v
  # what the registry knows of {serial}
  curl -s -H "Authorization: Bearer \$(cat $5)" $2/api/v1/devices/{deviceId}
  # throw it off, and look here
  curl -s -X POST -H "Authorization: Bearer \$(cat $5)" $2/api/v1/devices/{deviceId}/disable
  # a serial that nobody expects
  curl -s $2/register -H 'Content-Type: application/json' -d '{"serial": "PUMP-99"}'

Keys and secrets of the devices are in $4.
TEXT
}
