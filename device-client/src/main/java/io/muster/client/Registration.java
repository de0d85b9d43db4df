// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Registers this device, once. Makes the request and evaluates the reply. Thread-safe. */
final class Registration {

    private final Registry registry;
    private final Patience patience;
    private final Credentials credentials;
    private final Optional<String> serial;
    private final Optional<String> fleet;
    private final Optional<KeyKind> keyKind;
    private final Supplier<? extends Map<String, ?>> evidence;
    private final Optional<DeviceCertificate> certificate;
    private Optional<StoreContent> unsaved = Optional.empty(); // a registration that the disk did not take

    Registration(Registry registry, Patience patience, Credentials credentials, DeviceClient.Builder settings) {
        this.registry = registry;
        this.patience = patience;
        this.credentials = credentials;
        this.serial = settings.serial;
        this.fleet = settings.fleet;
        this.keyKind = settings.keyKind;
        this.evidence = settings.evidence;
        this.certificate = settings.certificate;
    }

    /** Returns the known or the stored identity, or else registers and stores it. */
    StoreContent registered(Deadline call) throws IOException, RefusedException, InterruptedException {
        Optional<StoreContent> known = credentials.known();
        return known.isPresent() ? known.get() : patience.inTurn(call, this::storedOrRegister);
    }

    private StoreContent storedOrRegister(Deadline call) throws IOException, RefusedException, InterruptedException {
        Optional<StoreContent> stored = credentials.knownOrStored();
        if (stored.isPresent()) {
            credentials.forgetLeftoverRequest();
            return credentials.use(stored.get());
        }
        if (registry.configuredAddress().isEmpty() || serial.isEmpty()) {
            throw new IllegalStateException(
                    "this device has not registered yet; registry and serial are needed for it");
        }
        return credentials.locked(call, this::register);
    }

    /** Registers. The caller holds the store's lock. */
    private StoreContent register(Deadline call) throws IOException, RefusedException, InterruptedException {
        Optional<StoreContent> stored = credentials.stored(); // by the process that held the lock before
        if (stored.isPresent()) {
            return credentials.use(stored.get());
        }
        if (unsaved.isEmpty()) {
            CredentialRequest request = credentials.request(serial.get(), fleet, Optional.empty(), keyKind);
            unsaved = Optional.of(patience.persistently(call, limit -> ask(request, limit)));
        }
        StoreContent saved = credentials.save(unsaved.get());
        unsaved = Optional.empty();
        credentials.forgetRequest();
        return saved;
    }

    private StoreContent ask(CredentialRequest request, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        URI uri = registry.configuredAddress().orElseThrow();
        // The issuer is configured on this device and never taken from a reply. Otherwise a false registry could pass
        // the proof on to the true one.
        String issuer = Registry.withoutSlash(registry.configuredAudience().orElse(uri));
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("serial", request.serial());
        Map<String, Object> offered = evidence(uri, issuer, request, limit);
        if (!offered.isEmpty()) {
            body.put("evidence", offered);
        }
        if (request.deviceKey().isPresent()) {
            request.addKeyTo(body, issuer, registry.nonce(uri, limit));
        }
        request.addTo(body);
        URI endpoint = Registry.at(uri, path(request.fleet()));
        Map<String, Object> reply = registry.post(endpoint, body, Map.of(), request.replyKey(), limit)
                .json();
        try {
            DeviceIdentity identity = DeviceIdentity.read(
                    reply, uri, request.serial(), request.deviceKey().orElse(null));
            Optional<JoseKey> key = identity.secret() == null ? request.deviceKey() : Optional.empty();
            return StoreContent.of(identity, key, registry.configuredAudience());
        } catch (IllegalArgumentException e) {
            throw new NoAnswer("HTTP 200 that is no receipt: " + e.getMessage());
        }
    }

    private Map<String, Object> evidence(URI uri, String issuer, CredentialRequest request, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        Map<String, Object> offered = new LinkedHashMap<>(evidence.get());
        if (certificate.isPresent()) {
            String nonce = registry.nonce(uri, limit);
            offered.put("x509", certificate.get().evidence(request.serial(), request.fleetName(), issuer, nonce));
        }
        return offered;
    }

    private static String path(Optional<String> fleet) {
        String prefix =
                fleet.isPresent() ? "/fleets/" + Registry.encoded(fleet.get()).replace("+", "%20") : "";
        return prefix + "/register";
    }
}
