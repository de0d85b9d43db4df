/** What HiveMQ loads to ask a registry about everybody. Start with {@link io.muster.hivemq.MusterExtension}. */
package io.muster.hivemq;
