// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import io.muster.broker.Account.OfDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The rights of a device as scopes of RabbitMQ's OAuth 2 backend: its own queues, and its topics as routing keys. */
final class RabbitMqScopes {

    private static final String QUEUES = "%2F/mqtt-subscription-";
    private static final String WILLS = "%2F/mqtt-will-";
    private static final String EXCHANGE = "%2F/amq.topic/";

    // To RabbitMQ a dot is a slash and an asterisk is a plus. In a scope an asterisk is any text, and a percent sign
    // begins an escape.
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_:@=~/-]+");

    private RabbitMqScopes() {}

    /**
     * Returns the scopes, with a blank between them. A topic that RabbitMQ could take for another is left out.
     *
     * @param resourceServer the owner of the scopes, and their first part
     */
    static String of(OfDevice device, String resourceServer) {
        List<String> scopes = new ArrayList<>();
        // Not the exchange amq.default, although a will gets into its queue through it: over AMQP, a client that may
        // write to it can write into the queues of others.
        for (String permission : List.of("configure", "write", "read")) {
            scopes.add(permission + ":" + QUEUES + device.deviceId().value() + "qos*");
            scopes.add(permission + ":" + WILLS + device.deviceId().value());
        }
        add(scopes, "write:", device.topics().publish());
        add(scopes, "read:", device.topics().subscribe());
        return scopes.stream().map(scope -> resourceServer + "." + scope).collect(Collectors.joining(" "));
    }

    private static void add(List<String> scopes, String permission, Set<String> topics) {
        topics.stream()
                .filter(topic -> PLAIN.matcher(topic).matches())
                .map(topic -> permission + EXCHANGE + topic.replace('/', '.'))
                .forEach(scopes::add);
    }
}
