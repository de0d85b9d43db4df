// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A device that asks to join. It is immutable, its lists and maps included. Only its form has been checked.
 *
 * @param serial the serial that the device presents
 * @param fleet the fleet it asks to join; {@code default} if it named none
 * @param publicKey the JWK it offers, its possession proved; empty if it offers none
 * @param evidence all that it offers beyond its serial, as parsed from JSON (String, Number, Boolean, List, Map); empty
 *     if nothing
 * @param clientCertificates the certificate chain of the TLS connection, the device's own first. The connection proved
 *     possession of its key; nothing else about the chain was checked. Empty where the connection has none or ends at a
 *     proxy
 * @param origin the address the request came from; for records and limits, never for trust
 * @param binding the thumbprint (RFC 7638) of the key that only this device has: its public key, otherwise the key for
 *     which its reply is sealed; empty if it offers neither. Two candidates with one serial and different bindings are
 *     two devices that say that they are one
 */
public record Candidate(
        SerialNumber serial,
        String fleet,
        Optional<Map<String, Object>> publicKey,
        Map<String, Object> evidence,
        List<X509Certificate> clientCertificates,
        String origin,
        Optional<String> binding) {

    /** Copies the maps, with every list and map in them. None of the components may be null. */
    public Candidate {
        Objects.requireNonNull(serial, "serial");
        Objects.requireNonNull(fleet, "fleet");
        Objects.requireNonNull(origin, "origin");
        publicKey = publicKey.map(Copies::deep);
        evidence = Copies.deep(evidence);
        clientCertificates = List.copyOf(clientCertificates);
        Objects.requireNonNull(binding, "binding");
    }

    /**
     * Makes a candidate without a binding.
     *
     * @param serial its serial
     * @param fleet the fleet it asks to join
     * @param publicKey the JWK it offers; empty if none
     * @param evidence all that it offers beyond its serial
     * @param clientCertificates the certificate chain of its connection
     * @param origin the address it came from
     */
    public Candidate(
            SerialNumber serial,
            String fleet,
            Optional<Map<String, Object>> publicKey,
            Map<String, Object> evidence,
            List<X509Certificate> clientCertificates,
            String origin) {
        this(serial, fleet, publicKey, evidence, clientCertificates, origin, Optional.empty());
    }

    /**
     * Returns the same candidate with this binding.
     *
     * @param thumbprint of the key that only this device has
     * @return a copy
     */
    public Candidate boundTo(String thumbprint) {
        return new Candidate(serial, fleet, publicKey, evidence, clientCertificates, origin, Optional.of(thumbprint));
    }

    /**
     * Makes a candidate that offers nothing but its serial.
     *
     * @param serial its serial
     * @param fleet the fleet it asks to join
     * @param origin the address it came from
     * @return a candidate without public key and evidence
     */
    public static Candidate of(SerialNumber serial, String fleet, String origin) {
        return new Candidate(serial, fleet, Optional.empty(), Map.of(), List.of(), origin);
    }

    /** Names serial, fleet and origin; evidence may be secret. */
    @Override
    public String toString() {
        return "Candidate[serial=" + serial + ", fleet=" + fleet + ", origin=" + origin + "]";
    }
}
