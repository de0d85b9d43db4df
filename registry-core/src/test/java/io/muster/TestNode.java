// SPDX-License-Identifier: Apache-2.0
package io.muster;

import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.config.MusterConfig;
import io.muster.credential.BrokerLogins;
import io.muster.credential.ClientAuthenticator;
import io.muster.credential.CloneDetector;
import io.muster.credential.CredentialOrders;
import io.muster.credential.Revocations;
import io.muster.device.DeviceStore;
import io.muster.fleet.Fleets;
import io.muster.once.Nonces;
import io.muster.operator.Imports;
import io.muster.operator.Operators;
import io.muster.operator.RegistrationTokens;
import io.muster.operator.SerialImport;
import io.muster.registration.Allowances;
import io.muster.registration.EvenRefusals;
import io.muster.registration.Registrar;
import io.muster.start.Metrics;
import io.muster.start.Node;
import io.muster.start.Startup;
import io.muster.start.Surroundings;
import io.muster.token.ClientAssertions;
import io.muster.token.DpopProofs;
import io.muster.token.RevokedTokens;
import io.muster.token.SigningKeys;
import io.muster.token.TokenIssuer;
import io.muster.token.TokenVerifier;
import io.muster.verification.hmac.EnrolmentKeys;
import io.muster.verification.list.Lots;
import io.muster.verification.list.SerialList;
import jakarta.enterprise.inject.se.SeContainer;
import jakarta.enterprise.inject.se.SeContainerInitializer;
import jakarta.enterprise.util.AnnotationLiteral;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;

/** A registry that a test started, and its parts. All of them live in one container, which ends with this JVM. */
public final class TestNode implements AutoCloseable {

    private static final class Container {
        static final SeContainer BEANS = SeContainerInitializer.newInstance()
                .addProperty("org.jboss.weld.bootstrap.concurrentDeployment", false)
                .addProperty("org.jboss.weld.executor.threadPoolType", "NONE")
                .addProperty("org.jboss.weld.se.shutdownHook", false)
                .initialize();
    }

    private final Node node;

    private TestNode(Node node) {
        this.node = node;
    }

    static TestNode start(Surroundings surroundings) {
        return new TestNode(Node.startAnother(Container.BEANS.select(), surroundings));
    }

    /** Returns the container, for tests that start nodes of their own. */
    public static SeContainer container() {
        return Container.BEANS;
    }

    /** Returns the part of this type. */
    public <T> T part(Class<T> type) {
        return node.part(type);
    }

    public MusterConfig config() {
        return node.part(MusterConfig.class);
    }

    public Fleets fleets() {
        return node.part(Fleets.class);
    }

    public Nonces nonces() {
        return node.part(Nonces.class);
    }

    public EvenRefusals refusals() {
        return node.part(EvenRefusals.class);
    }

    public Registrar registrar() {
        return node.part(Registrar.class);
    }

    public ClientAuthenticator authenticator() {
        return node.part(ClientAuthenticator.class);
    }

    public BrokerLogins brokerLogins() {
        return node.part(BrokerLogins.class);
    }

    public CredentialOrders credentialOrders() {
        return node.part(CredentialOrders.class);
    }

    public Revocations revocations() {
        return node.part(Revocations.class);
    }

    public CloneDetector twoPlaces() {
        return node.part(CloneDetector.class);
    }

    public Allowances allowances() {
        return node.part(Allowances.class);
    }

    public SigningKeys signingKeys() {
        return node.part(SigningKeys.class);
    }

    public TokenIssuer tokenIssuer() {
        return node.part(TokenIssuer.class);
    }

    public TokenVerifier tokenVerifier() {
        return node.part(TokenVerifier.class);
    }

    public RevokedTokens revokedTokens() {
        return node.part(RevokedTokens.class);
    }

    public ClientAssertions clientAssertions() {
        return node.part(ClientAssertions.class);
    }

    public DpopProofs dpopProofs() {
        return node.part(DpopProofs.class);
    }

    public DeviceStore devices() {
        return node.part(DeviceStore.class);
    }

    public Operators operators() {
        return node.part(Operators.class);
    }

    public SerialImport serialImport() {
        return node.part(SerialImport.class);
    }

    public Imports imports() {
        return node.part(Imports.class);
    }

    public EnrolmentKeys enrolmentKeys() {
        return node.part(EnrolmentKeys.class);
    }

    public RegistrationTokens registrationTokens() {
        return node.part(RegistrationTokens.class);
    }

    public SerialList serialList() {
        return node.part(SerialList.class);
    }

    public Lots lots() {
        return node.part(Lots.class);
    }

    public Audit audit() {
        return node.part(Audit.class);
    }

    public Clock clock() {
        return node.part(Clock.class, new AnnotationLiteral<Ours>() {});
    }

    public String metrics() {
        return node.part(Metrics.class).text();
    }

    public Optional<Path> firstOperatorToken() {
        return node.part(Startup.class).firstOperatorToken();
    }

    public Optional<Path> requestedOperatorToken() {
        return node.part(Startup.class).requestedOperatorToken();
    }

    public boolean isReady() {
        return node.part(Startup.class).isReady();
    }

    public void warmUp() {
        node.part(Startup.class).warmUp(() -> {});
    }

    @Override
    public void close() {
        node.close();
    }
}
