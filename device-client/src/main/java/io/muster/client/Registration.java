package io.muster.client;

import java.io.IOException;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/** One attempt to register: what the device says of itself, and what the registry makes of it. */
final class Registration {

    private final Registry registry;
    private final URI address;
    private final URI audience; // null: the address
    private final Supplier<? extends Map<String, ?>> evidence;
    private final DeviceCertificate certificate; // null: none

    Registration(
            Registry registry,
            URI address,
            URI audience,
            Supplier<? extends Map<String, ?>> evidence,
            DeviceCertificate certificate) {
        this.registry = registry;
        this.address = address;
        this.audience = audience;
        this.evidence = evidence;
        this.certificate = certificate;
    }

    Stored ask(Pending pending, Deadline limit) throws IOException, RefusedException, InterruptedException {
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("serial", pending.serial());
        Map<String, Object> offered = new LinkedHashMap<>(evidence.get());
        if (certificate != null) {
            String nonce = registry.nonce(address, limit);
            offered.put("x509", certificate.evidence(pending.serial(), issuer(), nonce));
        }
        if (!offered.isEmpty()) {
            request.put("evidence", offered);
        }
        addKey(request, pending, issuer(), registry, address, limit);
        pending.addTo(request);

        URI uri = Registry.at(address, path(pending.fleet()));
        Map<String, Object> reply =
                registry.post(uri, request, Map.of(), pending.replyKey(), limit).json();
        try {
            DeviceIdentity identity = DeviceIdentity.read(reply, address, pending.serial(), pending.deviceKey());
            JoseKey deviceKey = identity.secret() == null ? pending.deviceKey() : null;
            return new Stored(identity, deviceKey, audience, null, null);
        } catch (IllegalArgumentException e) {
            throw new NoAnswer("HTTP 200 that is no receipt: " + e.getMessage());
        }
    }

    /** Adds the public half of a device key and the proof that the device has the other half, if the attempt has one. */
    static void addKey(
            Map<String, Object> request, Pending pending, String issuer, Registry registry, URI address, Deadline limit)
            throws IOException, RefusedException, InterruptedException {
        if (pending.deviceKey() != null) {
            Map<String, Object> claims = new LinkedHashMap<>();
            claims.put("serial", pending.serial());
            claims.put("aud", issuer);
            claims.put("nonce", registry.nonce(address, limit)); // needs no clock
            request.put("publicKey", pending.deviceKey().jwk());
            request.put("proof", pending.deviceKey().sign(Map.of("typ", "muster-proof+jwt"), claims));
        }
    }

    /** What this device was configured with, never what a reply says: or a false registry could pass the proof on to the true one. */
    private String issuer() {
        return Registry.withoutSlash(audience != null ? audience : address);
    }

    private static String path(String fleet) {
        return (fleet == null ? "" : "/fleets/" + Registry.encoded(fleet).replace("+", "%20")) + "/register";
    }
}
