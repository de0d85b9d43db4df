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
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "mqtt",
        mixinStandardHelpOptions = true,
        versionProvider = MusterDevice.Version.class,
        description = "Prints what to log in to a broker with, password included, and the device's topics.")
final class Mqtt implements Callable<Integer> {

    @Spec
    CommandSpec spec;

    @Mixin
    StoreOption store;

    @Mixin
    ConnectionOptions connection;

    @Option(names = "--token", description = "An access token as the password, never the secret.")
    boolean token;

    @Override
    public Integer call() throws IOException, RefusedException, InterruptedException {
        if (store.load().isEmpty()) {
            spec.commandLine().getErr().println(store.missing());
            return MusterDevice.NO_STORE;
        }
        DeviceClient client = connection.builder(store).build();
        MqttCredentials mqtt = token ? client.mqttWithToken() : client.mqtt();
        MqttTopics topics = mqtt.topics();
        PrintWriter out = spec.commandLine().getOut();
        out.println("clientId: " + mqtt.clientId());
        out.println("userName: " + mqtt.userName());
        out.println("password: " + mqtt.password());
        topics.publish().forEach(topic -> out.println("publish: " + topic));
        topics.subscribe().forEach(topic -> out.println("subscribe: " + topic));
        return 0;
    }
}
