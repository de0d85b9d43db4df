/**
 * The device's side, and no more: register once, keep the credential and replace it in time, get access tokens.
 *
 * <p>Start with {@link io.muster.client.DeviceClient}. It has two kinds of failure, told apart by type. After an
 * {@link java.io.IOException} nothing is decided, and you may call again. A {@link io.muster.client.RefusedException}
 * means that the registry said no; repeating the call is of no use.
 *
 * <p>The package does not speak MQTT: give {@link io.muster.client.DeviceClient#mqtt()} to the MQTT library of your
 * choice. It does not depend on the wall clock either: a device may think it is 1970.
 */
package io.muster.client;
