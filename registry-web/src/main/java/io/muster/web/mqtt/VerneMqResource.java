// SPDX-License-Identifier: Apache-2.0
package io.muster.web.mqtt;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.broker.Account;
import io.muster.config.MusterConfig.Broker;
import io.muster.config.MusterConfig.BrokerKind;
import io.muster.json.Json;
import io.muster.web.mqtt.Listener.Question;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.util.Map;
import java.util.Optional;
import java.util.stream.StreamSupport;

/**
 * Answers VerneMQ's webhooks; a header has the hook's name. Every answer is 200 and must not be cached: a revoked
 * device must not live on in the broker's cache.
 */
@Path("/mqtt/{secret}/vernemq")
@ApplicationScoped
public class VerneMqResource {

    private static final Map<String, Object> OK = Map.of("result", "ok");
    private static final Map<String, Object> NO = Map.of("result", Map.of("error", "not_allowed"));

    @Inject
    Listener listener;

    /**
     * Answers the hooks {@code auth_on_register}, {@code auth_on_publish}, {@code auth_on_subscribe} and
     * {@code on_unsubscribe}, also those of MQTT 5.
     */
    @POST
    public Response hook(
            @PathParam("secret") String secret,
            @HeaderParam("vernemq-hook") String hook,
            @Context HttpServletRequest request,
            InputStream body) {
        Map<String, Object> answer = listener.answer(
                secret,
                BrokerKind.VERNEMQ,
                () -> Listener.json(request, body),
                (broker, node) -> may(broker, hook, node) ? OK : NO,
                NO);
        return Listener.answer(200, Json.bytes(answer), MediaType.APPLICATION_JSON);
    }

    private boolean may(Broker broker, String hook, JsonNode node) {
        Question question = Listener.question(node);
        return switch (hook == null ? "" : hook) {
            case "auth_on_register", "auth_on_register_m5" ->
                listener.logIn(broker, question, "client_id").isPresent();
            case "auth_on_publish", "auth_on_publish_m5" ->
                account(broker, question)
                        .filter(account -> account.mayPublish(question.required("topic")))
                        .isPresent();
            case "auth_on_subscribe", "auth_on_subscribe_m5", "on_unsubscribe", "on_unsubscribe_m5" ->
                account(broker, question)
                        .filter(account -> maySubscribe(account, node.path("topics")))
                        .isPresent();
            default -> false;
        };
    }

    private Optional<Account> account(Broker broker, Question question) {
        return listener.account(broker, question.required("username"), question.text("client_id"));
    }

    /** Tells whether the account may subscribe to all of the topics. They are objects, or texts when unsubscribing. */
    private static boolean maySubscribe(Account account, JsonNode topics) {
        return topics.isArray()
                && !topics.isEmpty()
                && StreamSupport.stream(topics.spliterator(), false)
                        .map(topic -> topic.isTextual()
                                ? topic.textValue()
                                : topic.path("topic").textValue())
                        .allMatch(topic -> topic != null && account.maySubscribe(topic));
    }
}
