// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A device that was admitted, as a credential issuer sees it. Immutable.
 *
 * @param id its id
 * @param serial its serial
 * @param fleet its fleet
 * @param attributes typed values: String, Number or Boolean
 * @param publicKey the JWK that it offered for this credential, its possession proved; empty if it asks for a secret
 */
public record RegisteredDevice(
        DeviceId id,
        SerialNumber serial,
        String fleet,
        Map<String, Object> attributes,
        Optional<Map<String, Object>> publicKey) {

    /** Copies the maps; none of the components may be null. */
    public RegisteredDevice {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(serial, "serial");
        Objects.requireNonNull(fleet, "fleet");
        attributes = Map.copyOf(attributes);
        publicKey = publicKey.map(Copies::deep);
    }
}
