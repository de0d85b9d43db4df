// SPDX-License-Identifier: Apache-2.0
package io.muster.client.cli;

import io.muster.client.DeviceClient;
import io.muster.client.MqttCredentials;
import io.muster.client.MqttTopics;
import io.muster.client.RefusedException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "mqtt",
        mixinStandardHelpOptions = true,
        versionProvider = MusterDevice.Version.class,
        description = "Prints what to log in to a broker with, password included, and the device's topics.")
final class Mqtt implements Callable<Integer> {

    @Mixin
    StoredCommand stored;

    @Mixin
    ConnectionOptions connection;

    @Option(names = "--token", description = "An access token as the password, never the secret.")
    boolean token;

    @Override
    public Integer call() throws IOException, RefusedException, InterruptedException {
        if (stored.open().isEmpty()) {
            return MusterDevice.NO_STORE;
        }
        DeviceClient client = connection.builder(stored).build();
        MqttCredentials mqtt = token ? client.mqttWithToken() : client.mqtt();
        MqttTopics topics = mqtt.topics();
        PrintWriter out = stored.out();
        out.println("clientId: " + mqtt.clientId());
        out.println("userName: " + mqtt.userName());
        out.println("password: " + mqtt.password());
        topics.publish().forEach(topic -> out.println("publish: " + topic));
        topics.subscribe().forEach(topic -> out.println("subscribe: " + topic));
        return 0;
    }
}
