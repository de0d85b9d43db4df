/**
 * What a device needs and no more: register once, keep the credential and replace it in time, get access tokens.
 *
 * <p>Start with {@link io.muster.client.DeviceClient}. Its two failures are told apart by type: an {@link
 * java.io.IOException} means that nothing is decided and the call may be made again; a {@link
 * io.muster.client.RefusedException} means that the registry said no and repeating it is of no use.
 *
 * <p>The package does not speak MQTT (give {@link io.muster.client.DeviceClient#mqtt()} to the MQTT library of your choice), and
 * does not depend on the wall clock: a device may think it is 1970.
 */
package io.muster.client;
