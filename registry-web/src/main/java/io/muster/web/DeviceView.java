// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.device.Device;
import java.util.LinkedHashMap;
import java.util.Map;

/** A device as operators and the device itself see it. */
public final class DeviceView {

    private DeviceView() {}

    /** Returns the members of its JSON object. */
    public static Map<String, Object> of(Device device, Map<String, String> tags) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("deviceId", device.id().value());
        view.put("fleet", device.fleet());
        view.put("serial", device.serial().value());
        view.put("name", device.name());
        view.put("state", device.state().word());
        view.put("tags", tags);
        view.put("attributes", device.attributes());
        view.put("createdAt", device.createdAt());
        return view;
    }
}
