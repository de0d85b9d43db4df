// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Replaces the credential of a device, when the application or the registry asks for it. At every moment the store has
 * a credential that works. Thread-safe.
 */
final class Rotation {

    private static final Logger LOG = System.getLogger(Rotation.class.getName());

    private final Registry registry;
    private final Authentication authentication;
    private final Patience patience;
    private final Credentials credentials;
    private final AccessTokens tokens;
    private final RotationSchedule schedule;
    private final Optional<KeyKind> keyKind;

    Rotation(
            Registry registry,
            Authentication authentication,
            Patience patience,
            Credentials credentials,
            AccessTokens tokens,
            RotationSchedule schedule,
            Optional<KeyKind> keyKind) {
        this.registry = registry;
        this.authentication = authentication;
        this.patience = patience;
        this.credentials = credentials;
        this.tokens = tokens;
        this.schedule = schedule;
        this.keyKind = keyKind;
    }

    /**
     * Gets another credential, stores it beside the present one, and gets a token with it. If another process has
     * rotated meanwhile, that suffices.
     *
     * @throws RefusedException if the registry gives no other credential, or does not accept the one it gave
     */
    StoreContent rotate(Deadline call) throws IOException, RefusedException, InterruptedException {
        return patience.inTurn(call, limit -> credentials.locked(limit, this::rotateLocked));
    }

    /**
     * Makes one attempt at most, if the registry has asked for it and the moment has come. Failures are ignored, since
     * there is a valid token.
     */
    void rotateIfDue() throws InterruptedException {
        if (schedule.isDue()) {
            patience.ifPossibleNow(this::rotateOnce);
        }
    }

    private void rotateOnce() throws InterruptedException {
        if (!schedule.isDue()) {
            return;
        }
        Deadline call = patience.newCallOfOneAttempt();
        try {
            credentials.locked(call, this::rotateLocked);
        } catch (IOException | RefusedException e) {
            schedule.cancel();
            LOG.log(Level.WARNING, "the credential is not rotated yet: {0}", e.getMessage());
        }
    }

    private StoreContent rotateLocked(Deadline call) throws IOException, RefusedException, InterruptedException {
        String before = credentials.present().identity().key();
        if (credentials.reload().next().isPresent() || !isCurrent(before)) {
            patience.persistently(call, tokens::confirm); // what another process, or this one before, has begun
        }
        if (isCurrent(before)) {
            storeNext(call);
            Optional<RefusedException> nextRefused = patience.persistently(call, tokens::confirm);
            if (nextRefused.isPresent()) {
                throw nextRefused.get();
            }
        }
        return credentials.present();
    }

    private boolean isCurrent(String key) {
        return credentials.present().identity().key().equals(key);
    }

    private void storeNext(Deadline call) throws IOException, RefusedException, InterruptedException {
        StoreContent stored = credentials.present();
        CredentialRequest request = credentials.request(
                stored.identity().serial(),
                Optional.empty(),
                Optional.of(stored.identity().key()),
                keyKind.or(() -> stored.deviceKey().map(JoseKey::kind)));
        Credential next = patience.persistently(
                call,
                limit -> authentication.authenticated(
                        stored.credential(), byTime -> ask(stored, request, byTime, limit)));
        credentials.save(stored.withNext(next)); // or the request gets the same one again
        credentials.forgetRequest();
    }

    private Credential ask(StoreContent stored, CredentialRequest request, boolean byTime, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        URI uri = registry.address(stored);
        Credential present = stored.credential();
        Map<String, Object> body = new LinkedHashMap<>();
        Map<String, String> headers = new LinkedHashMap<>();
        if (request.deviceKey().isPresent()) {
            request.addKeyTo(body, registry.issuer(stored), registry.nonce(uri, limit));
        }
        request.addTo(body);
        if (present.deviceKey() == null) {
            headers.put("Authorization", Authentication.basic(present));
        } else {
            body.put("clientAssertion", authentication.assertion(stored, present, byTime, limit));
        }
        Map<String, Object> reply = registry.post(
                        Registry.at(uri, "/devices/me/credentials"), body, headers, request.replyKey(), limit)
                .json();
        try {
            return Credential.read(reply, request.deviceKey().orElse(null));
        } catch (IllegalArgumentException e) {
            throw new NoAnswer("HTTP 200 that is no credential: " + e.getMessage());
        }
    }
}
