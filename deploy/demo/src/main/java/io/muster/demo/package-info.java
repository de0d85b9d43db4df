/** Devices that register themselves and live on MQTT, for somebody to watch. Start with {@link io.muster.demo.Demo}. */
package io.muster.demo;
