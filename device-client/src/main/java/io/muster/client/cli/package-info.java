/**
 * The command {@code muster-device}, for devices that do not run Java code of their own. Everything it does, {@link
 * io.muster.client.DeviceClient} does; only this package writes to standard output.
 */
package io.muster.client.cli;
