/** Devices: what is stored of them, and how operators find them. Start with {@link io.muster.device.DeviceStore}. */
package io.muster.device;
