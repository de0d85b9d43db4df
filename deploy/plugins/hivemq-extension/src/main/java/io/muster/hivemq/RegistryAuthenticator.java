// SPDX-License-Identifier: Apache-2.0
package io.muster.hivemq;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.hivemq.extension.sdk.api.async.Async;
import com.hivemq.extension.sdk.api.async.TimeoutFallback;
import com.hivemq.extension.sdk.api.auth.SimpleAuthenticator;
import com.hivemq.extension.sdk.api.auth.parameter.SimpleAuthInput;
import com.hivemq.extension.sdk.api.auth.parameter.SimpleAuthOutput;
import com.hivemq.extension.sdk.api.auth.parameter.TopicPermission;
import com.hivemq.extension.sdk.api.auth.parameter.TopicPermission.MqttActivity;
import com.hivemq.extension.sdk.api.auth.parameter.TopicPermission.PermissionType;
import com.hivemq.extension.sdk.api.packets.auth.DefaultAuthorizationBehaviour;
import com.hivemq.extension.sdk.api.packets.auth.ModifiableDefaultPermissions;
import com.hivemq.extension.sdk.api.packets.connect.ConnackReasonCode;
import com.hivemq.extension.sdk.api.services.builder.Builders;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * Admits the clients that the registry admits, each on the topics that the registry names. Admits nobody when the
 * registry does not answer. Thread-safe.
 */
final class RegistryAuthenticator implements SimpleAuthenticator {

    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final URI registry;
    private final Logins logins;
    private final HttpClient client = HttpClient.newBuilder()
            .connectTimeout(Duration.ofSeconds(2))
            .followRedirects(HttpClient.Redirect.NEVER)
            .version(HttpClient.Version.HTTP_1_1)
            .build();

    /**
     * Asks a registry.
     *
     * @param logins gets each login
     */
    RegistryAuthenticator(URI registry, Logins logins) {
        this.registry = registry;
        this.logins = logins;
    }

    @Override
    public void onConnect(SimpleAuthInput input, SimpleAuthOutput output) {
        String clientId = input.getConnectPacket().getClientId();
        String user = input.getConnectPacket().getUserName().orElse("");
        String password = input.getConnectPacket()
                .getPassword()
                .map(bytes -> StandardCharsets.UTF_8.decode(bytes).toString())
                .orElse("");
        if (user.isEmpty() || password.isEmpty()) {
            output.failAuthentication(ConnackReasonCode.NOT_AUTHORIZED, "user name and password are required");
            return;
        }
        Async<SimpleAuthOutput> async =
                output.async(PATIENCE, TimeoutFallback.FAILURE, ConnackReasonCode.SERVER_UNAVAILABLE);
        var unused = client.sendAsync(question(clientId, user, password), HttpResponse.BodyHandlers.ofByteArray())
                .whenComplete((response, failure) -> {
                    try {
                        answer(input, output, response, failure);
                    } finally {
                        async.resume();
                    }
                });
    }

    private HttpRequest question(String clientId, String user, String password) {
        String body = JSON.createObjectNode()
                .put("clientId", clientId)
                .put("username", user)
                .put("password", password)
                .toString();
        return HttpRequest.newBuilder(registry)
                .timeout(PATIENCE.minusSeconds(1))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    private void answer(
            SimpleAuthInput input, SimpleAuthOutput output, HttpResponse<byte[]> response, Throwable failure) {
        if (failure != null || response.statusCode() != 200) {
            output.failAuthentication(ConnackReasonCode.SERVER_UNAVAILABLE, "the registry does not answer");
            return;
        }
        try {
            JsonNode login = JSON.readTree(response.body());
            if (!login.path("allow").isBoolean() || !login.path("allow").booleanValue()) {
                output.failAuthentication(ConnackReasonCode.NOT_AUTHORIZED, "refused");
                return;
            }
            permit(output.getDefaultPermissions(), login);
            logins.letIn(
                    input.getConnectPacket().getClientId(),
                    input.getConnectionInformation(),
                    input.getConnectPacket().getUserName().orElse(""),
                    login.has("until")
                            ? Optional.of(Instant.parse(login.path("until").asText()))
                            : Optional.empty());
            output.authenticateSuccessfully();
        } catch (IOException | DateTimeException e) {
            output.failAuthentication(ConnackReasonCode.SERVER_UNAVAILABLE, "the registry answers what is no answer");
        }
    }

    /** Denies everything that nothing permits, unlike HiveMQ's default. */
    private static void permit(ModifiableDefaultPermissions permissions, JsonNode login) {
        permissions.setDefaultBehaviour(DefaultAuthorizationBehaviour.DENY);
        Map.of("publish", MqttActivity.PUBLISH, "subscribe", MqttActivity.SUBSCRIBE)
                .forEach((member, activity) ->
                        login.path(member).forEach(topic -> permissions.add(permission(topic.asText(), activity))));
    }

    private static TopicPermission permission(String topic, MqttActivity activity) {
        return Builders.topicPermission()
                .topicFilter(topic)
                .activity(activity)
                .type(PermissionType.ALLOW)
                .build();
    }
}
