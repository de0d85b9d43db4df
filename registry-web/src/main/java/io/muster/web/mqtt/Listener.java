// SPDX-License-Identifier: Apache-2.0
package io.muster.web.mqtt;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.api.ProblemType;
import io.muster.broker.Account;
import io.muster.broker.BrokerAccess;
import io.muster.broker.BrokerAccess.Login;
import io.muster.config.MusterConfig.Broker;
import io.muster.config.MusterConfig.BrokerKind;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import io.muster.log.RareLog;
import io.muster.problem.RegistryException;
import io.muster.web.Bodies;
import io.muster.web.Form;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.util.Optional;
import java.util.function.BiFunction;

/** The common part for all kinds of brokers: the secret of the address, the question, and "no" to every failure. */
@ApplicationScoped
public class Listener {

    private static final RareLog LOG = RareLog.of(Listener.class);

    @Inject
    BrokerAccess brokerAccess;

    /** A broker's question: members of JSON, or parameters of a form. */
    interface Question {

        /** Returns the text, or empty if it is absent or empty. */
        Optional<String> text(String name);

        /** Returns the text; the empty one if there is none. */
        default String required(String name) {
            return text(name).orElse("");
        }
    }

    /**
     * Answers a broker.
     *
     * @param secret of the address
     * @param read how its question is read
     * @param answer may throw; an exception means "no"
     * @param no the answer to everything that is not clearly a "yes"
     * @throws RegistryException {@code NOT_FOUND} if there is no broker of this kind with this secret
     */
    <Q, A> A answer(String secret, BrokerKind kind, Reader<Q> read, BiFunction<Broker, Q, A> answer, A no) {
        Broker broker = brokerAccess
                .broker(secret, kind)
                .orElseThrow(() -> new RegistryException(ProblemType.NOT_FOUND, "no such listener"));
        try {
            return answer.apply(broker, read.read());
        } catch (RegistryException | MalformedJsonException | IllegalArgumentException e) {
            LOG.warn(broker.name(), "The broker {} asked what nobody understands: {}", broker.name(), e.getMessage());
            return no;
        } catch (RuntimeException e) {
            LOG.warn(
                    broker.name(),
                    "The broker {} cannot be answered, and is told no: {}",
                    broker.name(),
                    e.getClass().getSimpleName());
            return no;
        }
    }

    /** Reads the question of a request. */
    interface Reader<Q> {

        Q read() throws MalformedJsonException;
    }

    static Question form(HttpServletRequest request, InputStream body) {
        Form form = Form.parse(Bodies.read(request, body, Bodies.FORM));
        if (form.hasRepeated()) {
            throw new IllegalArgumentException("a parameter is given twice");
        }
        return form::get;
    }

    static JsonNode json(HttpServletRequest request, InputStream body) throws MalformedJsonException {
        return Json.parse(Bodies.read(request, body, Bodies.JSON));
    }

    static Question question(JsonNode node) {
        return name -> Optional.ofNullable(node.path(name).textValue()).filter(text -> !text.isEmpty());
    }

    Optional<Login> logIn(Broker broker, Question question, String clientId) {
        return brokerAccess.logIn(
                broker, question.required("username"), question.required("password"), question.text(clientId));
    }

    Optional<Account> account(Broker broker, String user, Optional<String> clientId) {
        return brokerAccess.account(broker, user, clientId);
    }

    static Response answer(int status, Object entity, String type) {
        return Response.status(status)
                .entity(entity)
                .type(type)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .build();
    }
}
