// SPDX-License-Identifier: Apache-2.0
package io.muster.web.mqtt;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.broker.Account;
import io.muster.config.MusterConfig.Broker;
import io.muster.config.MusterConfig.BrokerKind;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import io.muster.web.Bodies;
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
import java.util.Map;
import java.util.Optional;
import java.util.function.BiPredicate;

/**
 * Answers mosquitto-go-auth's HTTP backend, in JSON or as a form. The answers fit its response modes {@code status} and
 * {@code json}.
 */
@Path("/mqtt/{secret}/go-auth")
@ApplicationScoped
public class GoAuthResource {

    @Inject
    Listener listener;

    /** Decides a login. */
    @POST
    @Path("/user")
    public Response user(@PathParam("secret") String secret, @Context HttpServletRequest request, InputStream body) {
        return answer(secret, request, body, (broker, question) -> listener.logIn(broker, question, "clientid")
                .isPresent());
    }

    /** Denies: no account is above the rules. */
    @POST
    @Path("/superuser")
    public Response superuser(
            @PathParam("secret") String secret, @Context HttpServletRequest request, InputStream body) {
        return answer(secret, request, body, (broker, question) -> false);
    }

    /** Decides whether an account may publish to a topic, subscribe to it, unsubscribe, or receive its messages. */
    @POST
    @Path("/acl")
    public Response acl(@PathParam("secret") String secret, @Context HttpServletRequest request, InputStream body) {
        return answer(secret, request, body, (broker, question) -> listener.account(
                        broker, question.required("username"), question.text("clientid"))
                .filter(account -> may(account, question.required("topic"), question.required("acc")))
                .isPresent());
    }

    private static boolean may(Account account, String topic, String access) {
        return switch (access) {
            // Delivery, publishing, both, subscribing, and unsubscribing, which Mosquitto asks from 2.0 on.
            case "1", "4", "8" -> account.maySubscribe(topic);
            case "2" -> account.mayPublish(topic);
            case "3" -> account.maySubscribe(topic) && account.mayPublish(topic);
            default -> false;
        };
    }

    private Response answer(
            String secret, HttpServletRequest request, InputStream body, BiPredicate<Broker, Question> yes) {
        boolean allowed = listener.answer(secret, BrokerKind.GO_AUTH, () -> question(request, body), yes::test, false);
        return Listener.answer(
                allowed ? 200 : 403,
                Json.bytes(Map.of("Ok", allowed, "Error", allowed ? "" : "denied")),
                MediaType.APPLICATION_JSON);
    }

    private static Question question(HttpServletRequest request, InputStream body) throws MalformedJsonException {
        if (Bodies.is(request, Bodies.FORM)) {
            return Listener.form(request, body);
        }
        JsonNode node = Listener.json(request, body);
        Question texts = Listener.question(node);
        // The access is a number in JSON and a text in a form.
        return name -> name.equals("acc") && node.path(name).isIntegralNumber()
                ? Optional.of(node.path(name).asText())
                : texts.text(name);
    }
}
