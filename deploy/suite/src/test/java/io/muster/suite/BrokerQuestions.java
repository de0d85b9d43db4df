package io.muster.suite;

import io.muster.suite.RegistryUnderTest.Registered;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What brokers of every kind ask about a device: may it log in, and may it publish to its own topic. */
final class BrokerQuestions {

    /** The kinds of brokers. */
    static final List<String> KINDS = List.of("rabbitmq", "emqx", "go-auth", "vernemq", "json");

    private BrokerQuestions() {}

    /** An answer, of which all that is not one of the two is neither. */
    private record Answer(String question, Reply reply, Predicate<Reply> isYes, Predicate<Reply> isNo) {

        static Answer of(String question, Reply reply, String yes, String no) {
            // What some of them take for no opinion is another status than this.
            return new Answer(
                    question,
                    reply,
                    one -> one.status() == 200 && one.text().contains(yes),
                    one -> one.status() == 200
                            && one.text().contains(no)
                            && !one.text().contains(yes));
        }
    }

    /** Returns the questions that this node does not answer with a clear yes. */
    static List<String> notAllowed(RegistryUnderTest node, Registered device) {
        return ask(node, device).stream()
                .filter(answer -> !answer.isYes().test(answer.reply()))
                .map(answer -> answer.question() + " " + answer.reply())
                .toList();
    }

    /** Returns the questions that this node does not answer with a clear no. */
    static List<String> notRefused(RegistryUnderTest node, Registered device) {
        return ask(node, device).stream()
                .filter(answer -> !answer.isNo().test(answer.reply()))
                .map(answer -> answer.question() + " " + answer.reply())
                .toList();
    }

    /** Tells whether a node lets a device log in at a broker; asks once, in one of the dialects. */
    static boolean isLetIn(RegistryUnderTest node, Registered device, int turn) {
        Answer answer = logIn(node, device, KINDS.get(turn % KINDS.size()));
        return !answer.isNo().test(answer.reply());
    }

    /** All at once, as brokers do, or they would take their time while the database is away. */
    private static List<Answer> ask(RegistryUnderTest node, Registered device) {
        ExecutorService brokers = Executors.newFixedThreadPool(2 * KINDS.size());
        try {
            return KINDS.stream()
                    .flatMap(kind -> Stream.<Supplier<Answer>>of(
                            () -> logIn(node, device, kind), () -> publish(node, device, kind)))
                    .map(question -> CompletableFuture.supplyAsync(question, brokers))
                    .toList()
                    .stream()
                    .map(CompletableFuture::join)
                    .toList();
        } finally {
            brokers.shutdownNow();
        }
    }

    private static Answer logIn(RegistryUnderTest node, Registered one, String kind) {
        return switch (kind) {
            case "rabbitmq" ->
                form(
                        node,
                        "user",
                        Map.of("username", one.key(), "password", one.secret(), "client_id", one.deviceId()));
            case "emqx" ->
                Answer.of(
                        "emqx authn",
                        json(node, "emqx", "emqx/authn", login("clientid", one)),
                        "\"result\":\"allow\"",
                        "{\"result\":\"deny\"}");
            case "go-auth" -> goAuth("user", json(node, "go-auth", "go-auth/user", login("clientid", one)));
            case "vernemq" -> verneMq(node, "auth_on_register", login("client_id", one));
            default ->
                Answer.of(
                        "json login",
                        json(node, "json", "json/login", login("clientId", one)),
                        "\"allow\":true",
                        "{\"allow\":false}");
        };
    }

    private static Answer publish(RegistryUnderTest node, Registered one, String kind) {
        return switch (kind) {
            case "rabbitmq" ->
                form(
                        node,
                        "topic",
                        Map.of(
                                "username",
                                one.key(),
                                "vhost",
                                "/",
                                "resource",
                                "topic",
                                "name",
                                "amq.topic",
                                "permission",
                                "write",
                                "routing_key",
                                BrokerContract.state(one).replace('/', '.'),
                                "variable_map.client_id",
                                one.deviceId()));
            case "emqx" ->
                Answer.of(
                        "emqx authz",
                        json(node, "emqx", "emqx/authz", publish("clientid", one)),
                        "\"result\":\"allow\"",
                        "{\"result\":\"deny\"}");
            case "go-auth" -> goAuth("acl", json(node, "go-auth", "go-auth/acl", publish("clientid", one)));
            case "vernemq" -> verneMq(node, "auth_on_publish", publish("client_id", one));
            default ->
                Answer.of(
                        "json topic",
                        json(node, "json", "json/topic", publish("clientId", one)),
                        "\"allow\":true",
                        "{\"allow\":false}");
        };
    }

    private static Answer form(RegistryUnderTest node, String what, Map<String, String> parameters) {
        return Answer.of(
                "rabbitmq " + what,
                node.post(
                        path("rabbitmq", "rabbitmq/" + what),
                        RegistryUnderTest.FORM,
                        parameters.entrySet().stream()
                                .map(one -> one.getKey() + "=" + RegistryUnderTest.encoded(one.getValue()))
                                .collect(Collectors.joining("&"))),
                "allow",
                "deny");
    }

    private static Answer goAuth(String what, Reply reply) {
        return new Answer("go-auth " + what, reply, one -> one.status() == 200, one -> one.status() == 403);
    }

    private static Answer verneMq(RegistryUnderTest node, String hook, String body) {
        return Answer.of(
                hook, json(node, "vernemq", "vernemq", body, "vernemq-hook", hook), "\"result\":\"ok\"", "not_allowed");
    }

    private static Reply json(RegistryUnderTest node, String kind, String path, String body, String... headers) {
        return node.post(path(kind, path), RegistryUnderTest.JSON, body, headers);
    }

    private static String path(String kind, String path) {
        return "mqtt/" + Registries.listenerSecret(kind) + "/" + path;
    }

    private static String login(String clientId, Registered one) {
        return "{\"%s\":\"%s\",\"username\":\"%s\",\"password\":\"%s\"}"
                .formatted(clientId, one.deviceId(), one.key(), one.secret());
    }

    private static String publish(String clientId, Registered one) {
        return "{\"%s\":\"%s\",\"username\":\"%s\",\"action\":\"publish\",\"acc\":2,\"topic\":\"%s\"}"
                .formatted(clientId, one.deviceId(), one.key(), BrokerContract.state(one));
    }
}
