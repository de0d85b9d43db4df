/**
 * MQTT brokers: who may log in, on which topics, and who is thrown off. Start with {@link io.muster.broker.BrokerAccess}.
 */
package io.muster.broker;
