package io.muster.broker;

import io.muster.broker.Account.OfDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What a device may do as scopes of RabbitMQ's OAuth 2 backend: its own queues, and its topics as routing keys. */
final class RabbitMqScopes {

    private static final String QUEUES = "%2F/mqtt-subscription-";
    private static final String EXCHANGE = "%2F/amq.topic/";

    // A dot is a slash to RabbitMQ, an asterisk a plus; in a scope an asterisk is any text, and a percent sign begins a
    // character.
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_:@=~/-]+");

    private RabbitMqScopes() {}

    /**
     * Returns the scopes, with a blank between them. A topic that RabbitMQ could take for another is left out.
     *
     * @param resourceServer whose scopes they are, which each begins with
     */
    static String of(OfDevice device, String resourceServer) {
        List<String> scopes = new ArrayList<>();
        for (String permission : List.of("configure", "write", "read")) {
            scopes.add(permission + ":" + QUEUES + device.deviceId().value() + "qos*");
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
