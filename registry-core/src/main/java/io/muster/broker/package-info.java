/**
 * MQTT brokers: the logins and topics they permit, and the clients they disconnect. Start with
 * {@link io.muster.broker.BrokerAccess}.
 */
package io.muster.broker;
