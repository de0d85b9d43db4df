package io.muster.client;

import java.io.IOException;

/**
 * What an MQTT client logs in with. Made by {@link DeviceClient#mqtt()} and {@link DeviceClient#mqttWithToken()}; thread-safe.
 *
 * <p>Ask for {@link #userName()} and {@link #password()} at each connect. A broker may end a session whose token has expired; who
 * would rather reconnect in time asks {@link #isStale()} now and then, and reconnects if it says so. Where to publish and what
 * to subscribe to is in {@link #topics()}.
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
     * Returns whether the next {@link #password()} is another than the last: the token is due for renewal, or the credential was
     * rotated. Renews the token, so it may talk to the registry.
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
     * Asks the registry which topics the device has. They are its fleet's, and what an operator changes there is in the next answer:
     * nothing is remembered here. It takes an access token, also where the password is the secret.
     *
     * @return the topics that a broker lets this device have
     * @throws RefusedException as {@link DeviceClient#accessToken()}
     * @throws UnavailableException also if the registry tells no topics
     * @throws IOException as {@link DeviceClient#accessToken()}
     * @throws IllegalStateException if tokens are bound to the device's key: a broker takes none of those either
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
