// SPDX-License-Identifier: Apache-2.0
package io.muster.registration;

import io.muster.cdi.Part;
import io.muster.device.Device;
import io.muster.device.DeviceStore;
import io.muster.device.DeviceTag;
import io.muster.fleet.DeviceConfiguration;
import io.muster.fleet.FleetDocument;
import io.muster.fleet.LeftOut;
import io.muster.ownership.Ownership;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import io.muster.verification.list.SerialList;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Shows what a fleet's document gives the device with a serial. Writes nothing. Thread-safe. */
@Part
public final class TemplatePreview {

    private final DeviceStore devices;
    private final SerialList serials;

    @Inject
    TemplatePreview(DeviceStore devices, SerialList serials) {
        this.devices = devices;
        this.serials = serials;
    }

    /**
     * Returns the members of the result. A device that exists keeps its name, tags and attributes, because they are
     * given at admission; only its configuration is computed.
     *
     * @param document need not be stored
     * @param given counts before what is known of the serial
     * @param listed whether to look into the list of serials
     * @param registered whether to look for a device
     */
    public Map<String, Object> preview(
            String fleet,
            FleetDocument document,
            SerialNumber serial,
            Verdict.Genuine given,
            boolean listed,
            boolean registered) {
        Optional<Device> device = registered ? devices.find(fleet, serial.value()) : Optional.empty();
        List<Map<String, String>> leftOut = new ArrayList<>();
        LeftOut noting = (pointer, reason) -> leftOut.add(Map.of("pointer", pointer, "detail", reason));
        Verdict.Genuine made = device.map(this::present)
                .map(known -> merged(known, given))
                .orElseGet(() ->
                        document.complete(serial, merged(listed ? listed(fleet, serial) : NOTHING, given), noting));
        DeviceConfiguration configuration = document.configurationOf(serial, made.tags(), made.attributes(), noting);
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("serial", serial.value());
        device.ifPresent(found -> result.put("deviceId", found.id().value()));
        result.put("name", made.name().orElse(serial.value()));
        Map<String, String> tags = new LinkedHashMap<>(made.tags());
        tags.put(DeviceTag.SERIAL, serial.value());
        result.put("tags", tags);
        result.put("attributes", made.attributes());
        result.put("configuration", configuration.values());
        result.put("configurationVersion", configuration.version());
        result.put("reported", List.copyOf(document.reported().keySet()));
        result.put("leftOut", leftOut);
        return result;
    }

    private static final Verdict.Genuine NOTHING = new Verdict.Genuine(Optional.empty(), Map.of(), Map.of());

    private Verdict.Genuine present(Device device) {
        Map<String, String> tags = new LinkedHashMap<>(Ownership.withoutOwner(devices.tags(device)));
        tags.remove(DeviceTag.SERIAL);
        return new Verdict.Genuine(Optional.of(device.name()), tags, device.attributes());
    }

    private Verdict.Genuine listed(String fleet, SerialNumber serial) {
        return serials.find(fleet, serial.value())
                .map(entry -> {
                    Map<String, String> tags =
                            new LinkedHashMap<>(entry.serial().tags());
                    entry.serial().lot().ifPresent(lot -> tags.put(DeviceTag.LOT, lot));
                    return new Verdict.Genuine(
                            entry.serial().name(), tags, entry.serial().attributes());
                })
                .orElse(NOTHING);
    }

    private static Verdict.Genuine merged(Verdict.Genuine known, Verdict.Genuine given) {
        Map<String, String> tags = new LinkedHashMap<>(known.tags());
        tags.putAll(given.tags());
        Map<String, Object> attributes = new LinkedHashMap<>(known.attributes());
        attributes.putAll(given.attributes());
        return new Verdict.Genuine(given.name().or(known::name), tags, attributes);
    }
}
