/**
 * The questions of MQTT brokers, each kind in its own words: the logins and the topics to permit. Every address
 * contains a broker's secret. A question that cannot be answered gets "no". Start with
 * {@link io.muster.web.mqtt.Listener}.
 */
package io.muster.web.mqtt;
