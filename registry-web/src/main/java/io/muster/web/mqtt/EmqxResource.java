// SPDX-License-Identifier: Apache-2.0
package io.muster.web.mqtt;

import io.muster.broker.Account;
import io.muster.broker.BrokerAccess.Login;
import io.muster.broker.EmqxRules;
import io.muster.config.MusterConfig.BrokerKind;
import io.muster.json.Json;
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
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Answers EMQX 5's HTTP authenticator and authorizer. Every answer is 200. With another status EMQX would ask the next
 * authenticator, and permit whatever none of them objects to.
 */
@Path("/mqtt/{secret}/emqx")
@ApplicationScoped
public class EmqxResource {

    private static final Map<String, Object> DENY = Map.of("result", "deny");

    @Inject
    Listener listener;

    /** Decides a login, and returns all that the account may do. */
    @POST
    @Path("/authn")
    public Response logIn(@PathParam("secret") String secret, @Context HttpServletRequest request, InputStream body) {
        return json(listener.answer(
                secret,
                BrokerKind.EMQX,
                () -> Listener.question(Listener.json(request, body)),
                (broker, question) -> listener.logIn(broker, question, "clientid")
                        .map(EmqxResource::allow)
                        .orElse(DENY),
                DENY));
    }

    /**
     * Decides whether an account may publish or subscribe to a topic. An account that may subscribe may also
     * unsubscribe, which EMQX does not ask yet.
     */
    @POST
    @Path("/authz")
    public Response topic(@PathParam("secret") String secret, @Context HttpServletRequest request, InputStream body) {
        return json(listener.answer(
                secret,
                BrokerKind.EMQX,
                () -> Listener.question(Listener.json(request, body)),
                (broker, question) -> listener.account(broker, question.required("username"), question.text("clientid"))
                                .filter(account -> may(account, question))
                                .isPresent()
                        ? Map.of("result", "allow")
                        : DENY,
                DENY));
    }

    private static boolean may(Account account, Question question) {
        String topic = question.required("topic");
        return switch (question.required("action")) {
            case "publish" -> account.mayPublish(topic);
            case "subscribe", "unsubscribe" -> account.maySubscribe(topic);
            default -> false;
        };
    }

    private static Map<String, Object> allow(Login login) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("result", "allow");
        answer.put("is_superuser", false);
        login.until().ifPresent(until -> answer.put("expire_at", until.getEpochSecond()));
        answer.put("acl", EmqxRules.of(login.account()));
        return answer;
    }

    private static Response json(Map<String, Object> answer) {
        return Listener.answer(200, Json.bytes(answer), MediaType.APPLICATION_JSON);
    }
}
