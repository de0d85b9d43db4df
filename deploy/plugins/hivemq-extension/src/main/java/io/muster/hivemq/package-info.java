/** A HiveMQ extension that asks a registry about every client. Start with {@link io.muster.hivemq.MusterExtension}. */
package io.muster.hivemq;
