// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.device.Device;
import io.muster.device.DeviceStore;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.spi.DeviceId;
import io.muster.web.Bearer;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;

/** Finds devices for operators. A device of a fleet that an operator may not see does not exist for that operator. */
@ApplicationScoped
public class VisibleDevices {

    private static final String UNSEEN = "no such device";

    @Inject
    DeviceStore devices;

    /**
     * Returns a device.
     *
     * @param right the right that the request needs
     * @throws RegistryException {@code NOT_FOUND} if the operator sees none by this id, {@code FORBIDDEN} if it may see
     *     the device but lacks the right
     */
    Device get(Operator operator, Right right, String id) {
        if (!DeviceId.isValid(id)) {
            throw new RegistryException(ProblemType.NOT_FOUND, "not a device id");
        }
        Device device = devices.find(new DeviceId(id)).orElseThrow(VisibleDevices::noSuchDevice);
        Bearer.require(operator, right, device.fleet(), UNSEEN);
        return device;
    }

    static RegistryException noSuchDevice() {
        return new RegistryException(ProblemType.NOT_FOUND, UNSEEN);
    }
}
