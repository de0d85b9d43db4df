package io.muster.registration;

import io.muster.api.RegistrationReceipt;
import io.muster.device.Device;
import io.muster.fleet.Fleet;
import io.muster.jose.SealedText;
import io.muster.registration.RegistrationAttempt.Seal;
import io.muster.spi.Credential;
import java.net.URI;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Writes what an admitted device is told. Immutable. */
final class Receipts {

    private final Map<String, String> links;

    Receipts(URI issuer) {
        String base = issuer.toString().replaceAll("/+$", "");
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
     * @param seal who is to read it; empty for everybody on the way
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
                fleet.document().configuration(),
                lapses.orElse(null),
                links,
                credential.extras().isEmpty() ? null : credential.extras());
        return seal.<RegistrationReply>map(to -> new RegistrationReply.Sealed(
                        SealedText.seal(fleet.document().wire().body(receipt), to.reader())))
                .orElseGet(() -> new RegistrationReply.Plain(receipt));
    }
}
