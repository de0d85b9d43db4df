// SPDX-License-Identifier: Apache-2.0
package io.muster.web.user;

import io.muster.ownership.OwnedDevice;
import io.muster.spi.DeviceId;
import java.util.LinkedHashMap;
import java.util.Map;

/** A device as its owner sees it. */
final class OwnerView {

    private OwnerView() {}

    /** Returns the members of its JSON object. */
    static Map<String, Object> of(OwnedDevice device) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("claimId", device.claimId());
        device.deviceId().map(DeviceId::value).ifPresent(id -> view.put("deviceId", id));
        view.put("fleet", device.fleet());
        view.put("serial", device.serial());
        view.put("name", device.name());
        view.put("state", device.state());
        view.put("owner", device.owner().text());
        device.owner().user().name().ifPresent(name -> view.put("ownerName", name));
        device.owner().group().ifPresent(group -> view.put("group", group));
        view.put("claimedAt", device.claimedAt());
        view.put("tags", device.tags());
        Map<String, Object> can = new LinkedHashMap<>();
        can.put("rename", device.can().rename());
        can.put("release", device.can().release());
        can.put("transfer", device.can().transfer());
        can.put("tags", device.can().tags());
        view.put("can", can);
        device.lastSeenAt().ifPresent(at -> view.put("lastSeenAt", at));
        return view;
    }
}
