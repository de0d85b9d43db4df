/** Devices: how they are stored, and how operators find them. Start with {@link io.muster.device.DeviceStore}. */
package io.muster.device;
