// SPDX-License-Identifier: Apache-2.0
package io.muster.web.mqtt;

import io.muster.broker.Account;
import io.muster.broker.Account.OfDevice;
import io.muster.broker.Account.OfRegistry;
import io.muster.config.MusterConfig.Broker;
import io.muster.config.MusterConfig.BrokerKind;
import io.muster.spi.DeviceId;
import io.muster.web.mqtt.Listener.Question;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.stream.Stream;

/**
 * Answers RabbitMQ's {@code rabbitmq_auth_backend_http}. The answers are {@code allow} and {@code deny}, without a line
 * end: some versions drop the connection because of one. An MQTT topic comes as a routing key, with dots for slashes.
 */
@Path("/mqtt/{secret}/rabbitmq")
@ApplicationScoped
public class RabbitMqResource {

    private static final String VHOST = "/";
    private static final String EXCHANGE = "amq.topic";

    /**
     * RabbitMQ's name for the exchange without a name. Through it a will gets into the queue that keeps it until it is
     * due.
     */
    private static final String DEFAULT_EXCHANGE = "amq.default";

    private static final String QUEUES = "mqtt-subscription-";

    /** The prefix of queues for delayed wills (MQTT 5), from 3.13 on. */
    private static final String WILLS = "mqtt-will-";

    private static final Set<String> QUALITIES = Set.of("qos0", "qos1");

    @Inject
    Listener listener;

    /** Decides a login: by MQTT, which has a client id, or at the management, which has none. */
    @POST
    @Path("/user")
    public Response user(@PathParam("secret") String secret, @Context HttpServletRequest request, InputStream body) {
        return text(listener.answer(
                secret,
                BrokerKind.RABBITMQ,
                () -> Listener.form(request, body),
                (broker, question) -> listener.logIn(broker, question, "client_id")
                        .map(login -> login.account().isAdministrator() ? "allow administrator" : "allow")
                        .orElse("deny"),
                "deny"));
    }

    /** Decides whether an account may use a virtual host. There is one for all. */
    @POST
    @Path("/vhost")
    public Response vhost(@PathParam("secret") String secret, @Context HttpServletRequest request, InputStream body) {
        return answer(secret, request, body, "client_id", (account, question) -> true);
    }

    /** Decides whether an account may use a queue or an exchange: its own queues, and the exchange of MQTT. */
    @POST
    @Path("/resource")
    public Response resource(
            @PathParam("secret") String secret, @Context HttpServletRequest request, InputStream body) {
        return answer(secret, request, body, "client_id", RabbitMqResource::mayUse);
    }

    /** Decides whether an account may publish or subscribe to a topic. */
    @POST
    @Path("/topic")
    public Response topic(@PathParam("secret") String secret, @Context HttpServletRequest request, InputStream body) {
        return answer(secret, request, body, "variable_map.client_id", RabbitMqResource::mayMove);
    }

    private Response answer(
            String secret,
            HttpServletRequest request,
            InputStream body,
            String clientId,
            BiPredicate<Account, Question> may) {
        return text(listener.answer(
                secret,
                BrokerKind.RABBITMQ,
                () -> Listener.form(request, body),
                (broker, question) -> account(broker, question, clientId)
                                .filter(account -> may.test(account, question))
                                .isPresent()
                        ? "allow"
                        : "deny",
                "deny"));
    }

    private Optional<Account> account(Broker broker, Question question, String clientId) {
        return question.required("vhost").equals(VHOST)
                ? listener.account(broker, question.required("username"), question.text(clientId))
                : Optional.empty();
    }

    private static boolean mayUse(Account account, Question question) {
        String name = question.required("name");
        String permission = question.required("permission");
        return switch (question.required("resource")) {
            case "exchange" ->
                switch (name) {
                    case EXCHANGE -> mayUseExchange(account, permission);
                    // Only MQTT has a client id, and only wills go this way there. RabbitMQ asks for the will's topic
                    // next.
                    case DEFAULT_EXCHANGE ->
                        permission.equals("write")
                                && question.text("client_id").isPresent()
                                && mayUseExchange(account, permission);
                    default -> false;
                };
            case "queue" ->
                account instanceof OfRegistry
                        ? permission.equals("configure") && isQueueOfADevice(name)
                        : isQueueOf(question.required("client_id"), name);
            default -> false;
        };
    }

    private static boolean mayUseExchange(Account account, String permission) {
        return switch (permission) {
            // RabbitMQ asks for the topics next.
            case "read" -> account instanceof OfDevice || account.maySubscribe("#");
            case "write" -> account instanceof OfDevice || account.mayPublish("any");
            default -> false;
        };
    }

    private static boolean isQueueOf(String clientId, String name) {
        return !clientId.isEmpty()
                && (name.equals(WILLS + clientId)
                        || QUALITIES.stream()
                                .map(quality -> QUEUES + clientId + quality)
                                .anyMatch(name::equals));
    }

    private static boolean isQueueOfADevice(String name) {
        if (name.startsWith(WILLS)) {
            return DeviceId.isValid(name.substring(WILLS.length()));
        }
        return name.startsWith(QUEUES)
                && QUALITIES.stream()
                        .filter(name::endsWith)
                        .anyMatch(quality ->
                                DeviceId.isValid(name.substring(QUEUES.length(), name.length() - quality.length())));
    }

    private static boolean mayMove(Account account, Question question) {
        if (!question.required("name").equals(EXCHANGE)) {
            return false;
        }
        String key = question.required("routing_key");
        return switch (question.required("permission")) {
            case "write" -> topic(account, key, true);
            case "read" -> topic(account, key, false);
            default -> false;
        };
    }

    /**
     * Compares a routing key with the topics. No topic of a device has a dot or an asterisk, so each routing key stands
     * for one topic.
     */
    private static boolean topic(Account account, String routingKey, boolean publish) {
        if (account instanceof OfDevice device) {
            Stream<String> own =
                    (publish ? device.topics().publish() : device.topics().subscribe()).stream();
            return own.map(topic -> topic.replace('/', '.')).anyMatch(routingKey::equals);
        }
        return publish ? account.mayPublish(routingKey) : account.maySubscribe(routingKey);
    }

    private static Response text(String answer) {
        return Listener.answer(200, answer, MediaType.TEXT_PLAIN);
    }
}
