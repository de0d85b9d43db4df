/**
 * The command {@code muster-device}, for devices that do not run Java code of their own.
 * {@link io.muster.client.DeviceClient} does all the work; only this package writes to standard output.
 */
package io.muster.client.cli;
