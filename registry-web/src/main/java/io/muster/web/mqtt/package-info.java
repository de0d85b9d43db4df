/**
 * What MQTT brokers ask, each kind in its own words: who logs in, and on which topics. Every address has a broker's secret in it, and
 * every question that cannot be answered is answered "no". Start with {@link io.muster.web.mqtt.Listener}.
 */
package io.muster.web.mqtt;
