// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.muster.api.RegistrationReceipt;
import io.muster.cdi.Part;
import io.muster.config.MusterConfig;
import io.muster.device.Device;
import io.muster.fleet.Fleet;
import io.muster.fleet.LeftOut;
import io.muster.jose.SealedText;
import io.muster.registration.RegistrationAttempt.Seal;
import io.muster.spi.Credential;
import jakarta.inject.Inject;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Writes the replies to admitted devices. Immutable. */
@Part
final class Receipts {

    private final Map<String, String> links;

    @Inject
    Receipts(MusterConfig config) {
        String base = config.issuer().toString().replaceAll("/+$", "");
        Map<String, String> addresses = new LinkedHashMap<>();
        addresses.put("token", base + "/token");
        addresses.put("device", base + "/devices/me");
        this.links = addresses;
    }

    /**
     * Writes a reply.
     *
     * @param tags all tags of the device, {@code serial} among them
     * @param lapses when the credential ends if nothing happens; empty if it does not
     * @param seal the key of the reader; empty for a reply in clear
     */
    RegistrationReply reply(
            Fleet fleet,
            Device device,
            Map<String, String> tags,
            Credential credential,
            Optional<Instant> lapses,
            Optional<Seal> seal) {
        RegistrationReceipt receipt = new RegistrationReceipt(
                device.id().value(),
                credential.key(),
                credential instanceof Credential.Secret secret ? secret.secret() : null,
                fleet.name(),
                device.name(),
                tags,
                device.attributes(),
                fleet.document()
                        .configurationOf(device.serial(), tags, device.attributes(), LeftOut.UNSAID)
                        .values(),
                lapses.orElse(null),
                links,
                credential.extras().isEmpty() ? null : credential.extras());
        return seal.<RegistrationReply>map(to -> new RegistrationReply.Sealed(
                        SealedText.seal(fleet.document().wire().body(receipt), to.reader())))
                .orElseGet(() -> new RegistrationReply.Plain(receipt));
    }
}
