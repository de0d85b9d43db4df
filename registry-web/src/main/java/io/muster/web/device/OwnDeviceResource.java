// SPDX-License-Identifier: Apache-2.0
package io.muster.web.device;

import io.muster.api.DisplayCode;
import io.muster.api.ProblemType;
import io.muster.cdi.Ours;
import io.muster.config.MusterConfig;
import io.muster.credential.ClientAuthenticator;
import io.muster.credential.CredentialOrders;
import io.muster.device.Device;
import io.muster.device.DeviceStore;
import io.muster.device.DeviceStore.Standing;
import io.muster.fleet.DeviceConfiguration;
import io.muster.fleet.Fleets;
import io.muster.fleet.LeftOut;
import io.muster.fleet.Wire;
import io.muster.json.Fields;
import io.muster.json.Json;
import io.muster.lifecycle.DeviceLifecycle;
import io.muster.lifecycle.DeviceReports;
import io.muster.ownership.ClaimCodes;
import io.muster.ownership.DisplayCodes;
import io.muster.ownership.Ownership;
import io.muster.problem.RegistryException;
import io.muster.registration.CredentialProof;
import io.muster.registration.Registrar;
import io.muster.spi.DeviceId;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import io.muster.web.CredentialView;
import io.muster.web.DeviceView;
import io.muster.web.Origin;
import io.muster.web.Precondition;
import io.muster.web.label.Label;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PATCH;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.EntityTag;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.net.URI;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongPredicate;

/** A device's own record. */
@Path("/devices/me")
@ApplicationScoped
public class OwnDeviceResource {

    private static final String MERGE_PATCH = "application/merge-patch+json";
    private static final String CREDENTIALS = "credentials";

    @Inject
    @Ours
    Clock clock;

    @Inject
    ClientAuthenticator authenticator;

    @Inject
    CredentialOrders credentialOrders;

    @Inject
    MusterConfig config;

    @Inject
    Fleets fleets;

    @Inject
    Registrar registrar;

    @Inject
    DeviceStore devices;

    @Inject
    DeviceReports reports;

    @Inject
    DisplayCodes displayCodes;

    @Inject
    Ownership ownership;

    @Inject
    Bearer bearer;

    @Inject
    ClientAuthentication clients;

    /**
     * Returns the record of the device that owns the access token, with its fleet's data for it. With its entity tag in
     * {@code If-None-Match}, a record that is the same is not sent again.
     */
    @GET
    public Response own(@Context HttpServletRequest request) {
        Device device = device(bearer.device(request).deviceId());
        Map<String, Object> record = record(device, devices.tags(device));
        Precondition precondition = Precondition.of(request);
        long version = version(record);
        if (!precondition.matches(version)) {
            throw anotherRecord();
        }
        if (!precondition.noneMatches(version)) {
            return Response.notModified(tag(version))
                    .header(HttpHeaders.CACHE_CONTROL, "no-store")
                    .build();
        }
        return answer(record);
    }

    /**
     * Changes attributes of the device by a merge patch (RFC 7396), {@code {"attributes": {...}}}: those that its fleet
     * lets it report. With {@code If-Match}, changes only the record that was read.
     */
    @PATCH
    public Response report(@Context HttpServletRequest request, InputStream body) {
        DeviceId id = bearer.device(request).deviceId();
        byte[] bytes = Bodies.read(request, body, Bodies.is(request, MERGE_PATCH) ? MERGE_PATCH : Bodies.JSON);
        Device before = device(id);
        Map<String, Optional<Object>> attributes =
                ReportBody.parse(bytes, fleets.get(before.fleet()).document());
        Precondition precondition = Precondition.of(request);
        LongPredicate condition = version -> true;
        if (!precondition.isEmpty()) {
            Map<String, String> tags = devices.tags(before);
            if (!precondition.test(version(record(before, tags)))) {
                throw anotherRecord();
            }
            long read = DeviceLifecycle.version(before, tags);
            condition = version -> version == read;
        }
        Device device = reports.report(id, attributes, condition, Origin.of(request, config.trustedProxies()))
                .orElseThrow(OwnDeviceResource::gone);
        return answer(record(device, devices.tags(device)));
    }

    private Map<String, Object> record(Device device, Map<String, String> tags) {
        Map<String, Object> record = DeviceView.of(device, Ownership.withoutOwner(tags));
        // Whether, and never whose.
        record.put("owned", ownership.isOwned(device, tags));
        fleets.find(device.fleet()).ifPresent(fleet -> {
            DeviceConfiguration configuration =
                    fleet.document().configurationOf(device.serial(), tags, device.attributes(), LeftOut.UNSAID);
            record.put("configuration", configuration.values());
            record.put("configurationVersion", configuration.version());
            record.put(
                    "topics",
                    fleet.document()
                            .topics()
                            .of(
                                    device.id(),
                                    fleet.name(),
                                    device.serial(),
                                    devices.standing(device.id()).flatMap(Standing::owner))
                            .toJson());
        });
        record.put(
                CREDENTIALS,
                CredentialView.of(
                        credentialOrders,
                        authenticator.credentials(device.id()),
                        device,
                        tags,
                        false,
                        clock.instant()));
        return record;
    }

    /** Returns the version of a record. The last use of a credential is no change: asking is a use. */
    private static long version(Map<String, Object> record) {
        Map<String, Object> lasting = new LinkedHashMap<>(record);
        lasting.replace("tags", new TreeMap<>((Map<?, ?>) record.get("tags")));
        lasting.replace("attributes", new TreeMap<>((Map<?, ?>) record.get("attributes")));
        lasting.replace(
                CREDENTIALS,
                ((List<?>) record.get(CREDENTIALS))
                        .stream()
                                .map(credential -> {
                                    Map<Object, Object> copy = new LinkedHashMap<>((Map<?, ?>) credential);
                                    copy.remove("lastUsedAt");
                                    return copy;
                                })
                                .toList());
        return DeviceLifecycle.version(lasting);
    }

    private static Response answer(Map<String, Object> record) {
        return Response.ok(Json.bytes(record), MediaType.APPLICATION_JSON)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .tag(tag(version(record)))
                .build();
    }

    private static EntityTag tag(long version) {
        return new EntityTag(Long.toString(version));
    }

    private static RegistryException anotherRecord() {
        return new RegistryException(ProblemType.PRECONDITION_FAILED, "the record is another than was read");
    }

    /**
     * Gives the device a further credential beside the one that it authenticates with: a secret, or a public key that
     * it offers. The first use of the new one retires the old one.
     */
    @POST
    @Path("/credentials")
    public Response rotate(@Context HttpServletRequest request, InputStream body) {
        RegistrationBody.Renewal renewal = RegistrationBody.renewal(
                Bodies.read(request, body, Bodies.JSON), request.getHeader(HttpHeaders.AUTHORIZATION) != null);
        CredentialProof presented = clients.renewing(request, renewal.clientAssertion());
        Device device = device(presented.deviceId());
        return RegistrationResource.answer(
                Wire.PLAIN,
                registrar.rotate(
                        device,
                        presented,
                        renewal.offered(),
                        renewal.seal(),
                        Origin.of(request, config.trustedProxies())));
    }

    /**
     * Gives the device a code for its display, by which the user in front of it claims it. A body is not needed.
     */
    @POST
    @Path("/claim-code")
    public Response claimCode(@Context HttpServletRequest request, InputStream body) {
        Device device = device(bearer.device(request).deviceId());
        Fields.of(Bodies.optional(request, body, Bodies.JSON)).check();
        ClaimCodes.Made made = displayCodes.make(device);
        Label label =
                Label.of(config.issuer(), device.serial().value(), made.code().text());
        return Response.status(Response.Status.CREATED)
                .entity(Json.bytes(
                        new DisplayCode(label.code(), made.expiresAt().orElseThrow(), URI.create(label.url()))))
                .type(MediaType.APPLICATION_JSON)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .build();
    }

    private Device device(DeviceId id) {
        return devices.find(id).orElseThrow(OwnDeviceResource::gone);
    }

    private static RegistryException gone() {
        return new RegistryException(ProblemType.NOT_FOUND, "the device is gone");
    }
}
