/**
 * The clients that MQTT brokers must disconnect. Each transaction that ends a right to be connected writes to this
 * outbox. Start with {@link io.muster.disconnection.Disconnections}.
 */
package io.muster.disconnection;
