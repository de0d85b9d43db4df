// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;

/**
 * The login of an MQTT client. Made by {@link DeviceClient#mqtt()} and {@link DeviceClient#mqttWithToken()};
 * thread-safe.
 *
 * <p>Ask for {@link #userName()} and {@link #password()} at each connect. A broker may end a session whose token has
 * expired. To reconnect before that, ask {@link #isStale()} now and then, and reconnect when it returns true.
 * {@link #topics()} has the topics to publish and subscribe to.
 */
public final class MqttCredentials {

    private final DeviceClient client;
    private final boolean always;
    private volatile String given;

    MqttCredentials(DeviceClient client, boolean always) {
        this.client = client;
        this.always = always;
    }

    /**
     * Returns the client id. Registers first if need be.
     *
     * @return the device id
     * @throws RefusedException as {@link DeviceClient#register()}
     * @throws IOException as {@link DeviceClient#register()}
     * @throws InterruptedException if interrupted while waiting
     */
    public String clientId() throws IOException, RefusedException, InterruptedException {
        return client.register().deviceId();
    }

    /**
     * Returns the user name. A rotation changes it.
     *
     * @return the access key
     * @throws RefusedException as {@link DeviceClient#register()}
     * @throws IOException as {@link DeviceClient#register()}
     * @throws InterruptedException if interrupted while waiting
     */
    public String userName() throws IOException, RefusedException, InterruptedException {
        return client.register().key();
    }

    /**
     * Returns the password for the next connect: the secret, or an access token.
     *
     * @return a password that is good now; not to be logged
     * @throws RefusedException as {@link DeviceClient#accessToken()}
     * @throws IOException as {@link DeviceClient#accessToken()}
     * @throws InterruptedException if interrupted while waiting
     */
    public String password() throws IOException, RefusedException, InterruptedException {
        String password = current();
        given = password;
        return password;
    }

    /**
     * Returns whether the next {@link #password()} differs from the last: the token is due for renewal, or the
     * credential was rotated. Renews the token, so it may talk to the registry.
     *
     * @return true if it is time to reconnect, or if there was no password yet
     * @throws RefusedException as {@link DeviceClient#accessToken()}
     * @throws IOException as {@link DeviceClient#accessToken()}
     * @throws InterruptedException if interrupted while waiting
     */
    public boolean isStale() throws IOException, RefusedException, InterruptedException {
        return !current().equals(given);
    }

    /**
     * Asks the registry for the device's topics. The fleet defines them. Nothing is remembered here, so the next answer
     * has an operator's change. This needs an access token, even if the password is the secret.
     *
     * @return the topics that a broker permits this device
     * @throws RefusedException as {@link DeviceClient#accessToken()}
     * @throws UnavailableException also if the registry tells no topics
     * @throws IOException as {@link DeviceClient#accessToken()}
     * @throws IllegalStateException if tokens are bound to the device's key: a broker does not accept those either
     * @throws InterruptedException if interrupted while waiting
     */
    public MqttTopics topics() throws IOException, RefusedException, InterruptedException {
        return client.topics();
    }

    private String current() throws IOException, RefusedException, InterruptedException {
        String secret = client.register().secret();
        return always || secret == null ? client.accessToken() : secret;
    }

    /** Names the client and hides the password. */
    @Override
    public String toString() {
        return "MqttCredentials[" + client + "]";
    }
}
