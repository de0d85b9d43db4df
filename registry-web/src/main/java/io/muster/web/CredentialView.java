package io.muster.web;

import io.muster.Registry;
import io.muster.credential.CredentialState;
import io.muster.credential.StoredCredential;
import io.muster.spi.DeviceId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The credentials of a device, as operators and the device itself see them. */
public final class CredentialView {

    private CredentialView() {}

    /**
     * Returns the credentials of a device, the oldest first.
     *
     * @param all also those that are revoked, and where each was issued to
     */
    public static List<Map<String, Object>> of(Registry registry, DeviceId device, boolean all) {
        return registry.authenticator().credentials(device).stream()
                .map(credential -> of(registry, credential, all))
                .filter(view -> all || !view.get("state").equals(CredentialState.REVOKED.word()))
                .toList();
    }

    private static Map<String, Object> of(Registry registry, StoredCredential credential, boolean all) {
        boolean revoked = registry.authenticator().isRevokedByOrder(credential.key());
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("key", credential.key());
        view.put("kind", credential.kind().word());
        view.put("state", (revoked ? CredentialState.REVOKED : credential.state()).word());
        if (all) {
            view.put("origin", credential.origin());
        }
        view.put("createdAt", credential.createdAt());
        credential.confirmedAt().ifPresent(at -> view.put("confirmedAt", at));
        credential.expiresAt().ifPresent(at -> view.put("expiresAt", at));
        registry.authenticator().rotateBy(credential.key()).ifPresent(at -> view.put("rotateBy", at));
        credential.lastUsedAt().ifPresent(at -> view.put("lastUsedAt", at));
        return view;
    }
}
