/**
 * MQTT brokers: their questions to Muster, and Muster's orders to them. The brokers run here; the demo brings its own.
 *
 * <p>Start reading at {@link io.muster.suite.broker.BrokerContract}, the promises to devices at every broker. Each
 * broker has a test that extends it. If the broker is a process, a {@code ...Server} starts it as its page in
 * {@code docs/brokers} says.
 */
package io.muster.suite.broker;
