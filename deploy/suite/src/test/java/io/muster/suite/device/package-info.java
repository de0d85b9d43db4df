/**
 * Devices: they register by any proof, lose replies, come back and keep their own keys. They use the client, its
 * command and the programs of {@code docs/devices}. Other tests show what a device is told that is not admitted.
 *
 * <p>Start reading at {@link io.muster.suite.device.ScenarioContract}, the main job from end to end. {@code EmbeddedIT}
 * and {@code OnMariaDbIT} run it on both databases, together with the contracts of {@link io.muster.suite.operator}.
 */
package io.muster.suite.device;
