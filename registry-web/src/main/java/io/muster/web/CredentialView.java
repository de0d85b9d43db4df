// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.credential.CredentialOrders;
import io.muster.credential.CredentialState;
import io.muster.credential.StoredCredential;
import io.muster.device.Device;
import io.muster.device.DeviceTag;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The credentials of a device, as operators and the device itself see them. */
public final class CredentialView {

    private CredentialView() {}

    /**
     * Returns the credentials of a device, the oldest first.
     *
     * @param allOrders of operators, which may end or renew them
     * @param credentials of the device
     * @param tags of the device
     * @param all also those that are revoked, and where each was issued to
     */
    public static List<Map<String, Object>> of(
            CredentialOrders allOrders,
            List<StoredCredential> credentials,
            Device device,
            Map<String, String> tags,
            boolean all,
            Instant now) {
        CredentialOrders.OfFleet orders = allOrders.of(device.fleet());
        CredentialOrders.Owner owner =
                new CredentialOrders.Owner(Optional.ofNullable(tags.get(DeviceTag.LOT)), device.id());
        List<Map<String, Object>> views = new ArrayList<>();
        for (StoredCredential credential : credentials) {
            CredentialState state =
                    orders.revoke(owner, credential.createdAt()) ? CredentialState.REVOKED : credential.state();
            if (all || state != CredentialState.REVOKED) {
                Map<String, Object> view = of(credential, state, all);
                if (state != CredentialState.REVOKED) {
                    orders.rotateBy(owner, credential.renewable(), now).ifPresent(at -> view.put("rotateBy", at));
                }
                views.add(view);
            }
        }
        return views;
    }

    private static Map<String, Object> of(StoredCredential credential, CredentialState state, boolean all) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("key", credential.key());
        view.put("kind", credential.kind().word());
        view.put("state", state.word());
        if (all) {
            view.put("origin", credential.origin());
        }
        view.put("createdAt", credential.createdAt());
        credential.confirmedAt().ifPresent(at -> view.put("confirmedAt", at));
        credential.expiresAt().ifPresent(at -> view.put("expiresAt", at));
        credential.lastUsedAt().ifPresent(at -> view.put("lastUsedAt", at));
        return view;
    }
}
