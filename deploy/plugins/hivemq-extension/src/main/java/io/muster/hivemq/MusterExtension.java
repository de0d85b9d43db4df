// SPDX-License-Identifier: Apache-2.0
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes HiveMQ ask a registry about every login, and disconnects clients by the registry's orders. With a faulty
 * configuration it admits nobody, because HiveMQ without an authenticator admits everybody.
 */
public final class MusterExtension implements ExtensionMain {

    private static final Logger LOG = LoggerFactory.getLogger(MusterExtension.class);
    private static final Duration PATIENCE = Duration.ofSeconds(4);

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
            Logins logins = new Logins(Clock.systemUTC(), Services.extensionExecutorService(), clientId -> {
                var unused = disconnected(clientId, false, "the access token expired");
            });
            Services.eventRegistry().setClientLifecycleEventListener(any -> logins);
            management = new Management(configuration, new ThrownOff(logins));
            RegistryAuthenticator authenticator = new RegistryAuthenticator(configuration.registry(), logins);
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

    private static CompletableFuture<Boolean> disconnected(String clientId, boolean withoutWill, String why) {
        return Services.clientService()
                .disconnectClient(clientId, withoutWill, DisconnectReasonCode.NOT_AUTHORIZED, why);
    }

    /** Disconnects the clients that the registry names. */
    private record ThrownOff(Logins logins) implements Management.Broker {

        @Override
        public void disconnect(String clientId, boolean session)
                throws InterruptedException, ExecutionException, TimeoutException {
            disconnected(clientId, true, "no longer good at the registry")
                    .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            if (session) {
                try {
                    Services.clientService()
                            .invalidateSession(clientId)
                            .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
                } catch (ExecutionException e) {
                    // A clean session ended with its connection.
                    if (!(e.getCause() instanceof NoSuchClientIdException)) {
                        throw e;
                    }
                }
            }
        }

        @Override
        public void disconnectUser(String user) throws InterruptedException, ExecutionException, TimeoutException {
            for (String clientId : logins.clientsOf(user)) {
                disconnect(clientId, true);
            }
        }
    }
}
