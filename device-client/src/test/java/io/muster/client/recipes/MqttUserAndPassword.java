// SPDX-License-Identifier: Apache-2.0
package io.muster.client.recipes;

import io.muster.client.DeviceClient;
import io.muster.client.MqttCredentials;
import io.muster.client.MqttTopics;
import io.muster.client.RefusedException;
import java.io.IOException;
import java.nio.file.Path;

/** The parameters for an MQTT library. */
public final class MqttUserAndPassword {

    private MqttUserAndPassword() {}

    public static void main(String[] args) throws IOException, InterruptedException, RefusedException {
        // tag::recipe
        MqttCredentials mqtt =
                DeviceClient.builder().store(Path.of(args[0])).build().mqtt(); // mqttWithToken(): never the secret
        String clientId = mqtt.clientId();
        String userName = mqtt.userName(); // these two anew at each connect
        String password = mqtt.password();
        MqttTopics topics = mqtt.topics(); // where to publish and what to subscribe to, from the registry
        // once a minute, while it is connected:
        if (mqtt.isStale()) {
            password = mqtt.password(); // reconnect with it, before the broker ends the session
        }
        // end::recipe
        System.out.println(clientId + " " + userName + " " + password.length() + " " + topics.publish());
    }
}
