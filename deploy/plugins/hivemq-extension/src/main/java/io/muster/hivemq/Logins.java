// SPDX-License-Identifier: Apache-2.0
package io.muster.hivemq;

import com.hivemq.extension.sdk.api.client.parameter.ConnectionInformation;
import com.hivemq.extension.sdk.api.events.client.ClientLifecycleEventListener;
import com.hivemq.extension.sdk.api.events.client.parameters.AuthenticationSuccessfulInput;
import com.hivemq.extension.sdk.api.events.client.parameters.ConnectionStartInput;
import com.hivemq.extension.sdk.api.events.client.parameters.DisconnectEventInput;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The present logins: client ids with their user names and expiry. Thread-safe. */
final class Logins implements ClientLifecycleEventListener {

    /** Tells one connection of a client id from the next, which may log in before the end of the first is reported. */
    private static final String LOGIN = "muster-login";

    private record Login(String id, String user, Optional<ScheduledFuture<?>> end) {}

    private final Clock clock;
    private final ScheduledExecutorService threads;
    private final Consumer<String> expired;
    private final Map<String, Login> byClient = new ConcurrentHashMap<>();

    /**
     * Begins without logins.
     *
     * @param expired gets the client id of a login that expires
     */
    Logins(Clock clock, ScheduledExecutorService threads, Consumer<String> expired) {
        this.clock = clock;
        this.threads = threads;
        this.expired = expired;
    }

    /**
     * Notes a login; an earlier one of the same client id is over.
     *
     * @param until when it expires, if it does
     */
    void letIn(String clientId, ConnectionInformation connection, String user, Optional<Instant> until) {
        String id = UUID.randomUUID().toString();
        connection.getConnectionAttributeStore().putAsString(LOGIN, id);
        Optional<ScheduledFuture<?>> end = until.map(time -> {
            long millis = Math.max(0, Duration.between(clock.instant(), time).toMillis());
            return threads.schedule(() -> expired.accept(clientId), millis, TimeUnit.MILLISECONDS);
        });
        over(byClient.put(clientId, new Login(id, user, end)));
    }

    /** Returns the client ids with which a user is logged in. */
    List<String> clientsOf(String user) {
        return byClient.entrySet().stream()
                .filter(entry -> entry.getValue().user().equals(user))
                .map(Map.Entry::getKey)
                .toList();
    }

    @Override
    public void onDisconnect(DisconnectEventInput input) {
        String clientId = input.getClientInformation().getClientId();
        Optional<String> id =
                input.getConnectionInformation().getConnectionAttributeStore().getAsString(LOGIN);
        Login login = byClient.get(clientId);
        if (login != null && id.filter(login.id()::equals).isPresent() && byClient.remove(clientId, login)) {
            over(login);
        }
    }

    private static void over(Login login) {
        if (login != null) {
            login.end().ifPresent(end -> end.cancel(false));
        }
    }

    @Override
    public void onMqttConnectionStart(ConnectionStartInput input) {
        // Not logged in yet.
    }

    @Override
    public void onAuthenticationSuccessful(AuthenticationSuccessfulInput input) {
        // The authenticator that admitted the client notes it.
    }
}
