// SPDX-License-Identifier: Apache-2.0
package io.muster.web.mqtt;

import io.muster.broker.Account;
import io.muster.broker.Account.OfDevice;
import io.muster.broker.BrokerAccess.Login;
import io.muster.config.MusterConfig.BrokerKind;
import io.muster.json.Json;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Questions and answers in JSON, for brokers without a format of their own, which can be made to ask this. */
@Path("/mqtt/{secret}/json")
@ApplicationScoped
public class JsonResource {

    private static final Map<String, Object> NO = Map.of("allow", false);

    @Inject
    Listener listener;

    /**
     * Decides a login, {@code {"clientId", "username", "password"}}. The answer is {@code allow}, the topics that the
     * account may {@code publish} to and {@code subscribe} to, and {@code until} when, if the login expires.
     */
    @POST
    @Path("/login")
    public Response logIn(@PathParam("secret") String secret, @Context HttpServletRequest request, InputStream body) {
        return json(listener.answer(
                secret,
                BrokerKind.JSON,
                () -> Listener.question(Listener.json(request, body)),
                (broker, question) -> listener.logIn(broker, question, "clientId")
                        .map(JsonResource::allow)
                        .orElse(NO),
                NO));
    }

    /**
     * Decides whether an account may {@code publish}, {@code subscribe} or {@code unsubscribe}: {@code {"clientId",
     * "username", "action", "topic"}}.
     */
    @POST
    @Path("/topic")
    public Response topic(@PathParam("secret") String secret, @Context HttpServletRequest request, InputStream body) {
        return json(listener.answer(
                secret,
                BrokerKind.JSON,
                () -> Listener.question(Listener.json(request, body)),
                (broker, question) -> Map.of(
                        "allow",
                        listener.account(broker, question.required("username"), question.text("clientId"))
                                .filter(account -> switch (question.required("action")) {
                                    case "publish" -> account.mayPublish(question.required("topic"));
                                    case "subscribe", "unsubscribe" -> account.maySubscribe(question.required("topic"));
                                    default -> false;
                                })
                                .isPresent()),
                NO));
    }

    private static Map<String, Object> allow(Login login) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("allow", true);
        login.until().ifPresent(until -> answer.put("until", until.toString()));
        Account account = login.account();
        if (account instanceof OfDevice device) {
            answer.put("publish", device.topics().publish());
            answer.put("subscribe", device.topics().subscribe());
        } else {
            answer.put("publish", account.mayPublish("any") ? List.of("#") : List.of());
            answer.put("subscribe", account.maySubscribe("#") ? List.of("#") : List.of());
        }
        return answer;
    }

    private static Response json(Map<String, Object> answer) {
        return Listener.answer(200, Json.bytes(answer), MediaType.APPLICATION_JSON);
    }
}
