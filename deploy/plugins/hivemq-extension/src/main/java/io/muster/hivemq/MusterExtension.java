package io.muster.hivemq;

import com.hivemq.extension.sdk.api.ExtensionMain;
import com.hivemq.extension.sdk.api.auth.SimpleAuthenticator;
import com.hivemq.extension.sdk.api.packets.disconnect.DisconnectReasonCode;
import com.hivemq.extension.sdk.api.parameter.ExtensionStartInput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStartOutput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStopInput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStopOutput;
import com.hivemq.extension.sdk.api.services.Services;
import com.hivemq.extension.sdk.api.services.exception.NoSuchClientIdException;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has HiveMQ ask a registry who logs in, and throws off whom the registry says. With a faulty configuration it lets nobody in, because
 * HiveMQ without an authenticator lets everybody in.
 */
public final class MusterExtension implements ExtensionMain {

    private static final Logger LOG = LoggerFactory.getLogger(MusterExtension.class);
    private static final Duration PATIENCE = Duration.ofSeconds(4);

    private final Clock clock = Clock.systemUTC();
    private final Map<String, ScheduledFuture<?>> ends = new ConcurrentHashMap<>();
    private Management management;

    /** Called by HiveMQ. */
    public MusterExtension() {
        // Everything waits for the start.
    }

    @Override
    public void extensionStart(ExtensionStartInput input, ExtensionStartOutput output) {
        SimpleAuthenticator nobody = (in, out) -> out.failAuthentication();
        try {
            Configuration configuration = Configuration.read(
                    input.getExtensionInformation().getExtensionHomeFolder().toPath());
            management = new Management(configuration, MusterExtension::disconnect);
            RegistryAuthenticator authenticator = new RegistryAuthenticator(configuration.registry(), this::endAt);
            Services.securityRegistry().setAuthenticatorProvider(any -> authenticator);
        } catch (Configuration.FaultyException e) {
            Services.securityRegistry().setAuthenticatorProvider(any -> nobody);
            LOG.error("Muster lets nobody in, because its configuration is faulty:\n{}", e.getMessage());
        } catch (IOException e) {
            Services.securityRegistry().setAuthenticatorProvider(any -> nobody);
            LOG.error("Muster lets nobody in, because it cannot listen for whom to throw off: {}", e.getMessage());
        }
    }

    @Override
    public void extensionStop(ExtensionStopInput input, ExtensionStopOutput output) {
        if (management != null) {
            management.close();
        }
    }

    private static void disconnect(String clientId, boolean session)
            throws InterruptedException, ExecutionException, TimeoutException {
        Services.clientService()
                .disconnectClient(clientId, true, DisconnectReasonCode.NOT_AUTHORIZED, "no longer good at the registry")
                .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        if (session) {
            try {
                Services.clientService().invalidateSession(clientId).get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            } catch (ExecutionException e) {
                // A clean session was gone with its connection.
                if (!(e.getCause() instanceof NoSuchClientIdException)) {
                    throw e;
                }
            }
        }
    }

    /** The login of a token ends with the token; a later login of the same client has an end of its own, or none. */
    private void endAt(String clientId, Optional<Instant> end) {
        ScheduledFuture<?> before =
                end.isPresent() ? ends.put(clientId, scheduled(clientId, end.get())) : ends.remove(clientId);
        if (before != null) {
            before.cancel(false);
        }
    }

    private ScheduledFuture<?> scheduled(String clientId, Instant end) {
        long millis = Math.max(0, Duration.between(clock.instant(), end).toMillis());
        return Services.extensionExecutorService().schedule(() -> end(clientId), millis, TimeUnit.MILLISECONDS);
    }

    private void end(String clientId) {
        ends.remove(clientId);
        Services.clientService()
                .disconnectClient(clientId, false, DisconnectReasonCode.NOT_AUTHORIZED, "the access token expired");
    }
}
