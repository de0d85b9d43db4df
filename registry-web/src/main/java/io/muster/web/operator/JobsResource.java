// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.cdi.Ours;
import io.muster.config.MusterConfig;
import io.muster.fleet.Fleet;
import io.muster.fleet.Fleets;
import io.muster.job.DeviceJob;
import io.muster.job.Job;
import io.muster.job.Jobs;
import io.muster.json.Fields;
import io.muster.json.Json;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.problem.RegistryException;
import io.muster.spi.DeviceId;
import io.muster.web.Bearer;
import io.muster.web.Bodies;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.container.AsyncResponse;
import jakarta.ws.rs.container.Suspended;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.Supplier;

/** Work on many devices or serials, for operators. */
@Path("/api/v1/fleets/{fleet}/jobs")
@ApplicationScoped
public class JobsResource {

    private static final byte[] INCOMPLETE =
            "THIS FILE IS INCOMPLETE, REQUEST IT AGAIN\r\n".getBytes(StandardCharsets.UTF_8);

    @Inject
    @Ours
    Clock clock;

    @Inject
    MusterConfig config;

    @Inject
    Fleets fleets;

    @Inject
    Jobs jobs;

    @Inject
    EventStreams streams;

    @Inject
    Bearer bearer;

    /** Has something done with many devices: with those of a list, or with all that match a filter. */
    @POST
    public Response create(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, InputStream body) {
        Operator by = bearer.operator(request, Right.DEVICES_WRITE, fleetName);
        Fleet fleet = fleets.get(fleetName);
        JobBody given = JobBody.parse(Bodies.read(request, body, Bodies.JSON), fleet.document(), clock);
        return accepted(
                config,
                jobs.create(fleet.name(), given.kind(), given.what(), given.total(), given.dryRun(), by.name()),
                clock.instant());
    }

    /** Answers that a job was made. */
    static Response accepted(MusterConfig config, Job job, Instant now) {
        return Replies.json(view(job, now))
                .status(202)
                .header(HttpHeaders.LOCATION, config.address("/api/v1/fleets/" + job.fleet() + "/jobs/" + job.id()))
                .build();
    }

    /** Lists jobs, the newest first; {@code state} filters, {@code limit} and {@code cursor} page. */
    @GET
    @QueryNames({"state", "limit", "cursor"})
    public Response list(@PathParam("fleet") String fleetName, @Context HttpServletRequest request) {
        bearer.operator(request, Right.JOBS_READ, fleetName);
        String fleet = fleets.get(fleetName).name();
        Query query = Query.of(request);
        Optional<Job.State> state = query.get("state", "waiting, running, done, failed or cancelled", Job.State::of);
        Optional<String> before = query.cursor(DeviceId::isValid);
        int limit = query.limit();
        query.check();
        Instant now = clock.instant();
        return Replies.page("jobs", jobs.list(fleet, state, before, limit), limit, job -> view(job, now), Job::id);
    }

    /** Returns a job. */
    @GET
    @Path("/{id}")
    public Response one(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @PathParam("id") String id) {
        bearer.operator(request, Right.JOBS_READ, fleetName);
        return Replies.json(view(job(fleetName, id), clock.instant())).build();
    }

    /** Cancels a job that has not ended. The batches before stay done. */
    @POST
    @Path("/{id}/cancel")
    public Response cancel(
            @PathParam("fleet") String fleetName,
            @Context HttpServletRequest request,
            @PathParam("id") String id,
            InputStream body) {
        bearer.operator(request, Right.JOBS_READ, fleetName);
        Job job = job(fleetName, id);
        Operator by = bearer.operator(request, job.kind().right(), fleetName);
        Fields.of(Bodies.optional(request, body, Bodies.JSON)).check();
        return Replies.json(view(jobs.cancel(job, by.name()), clock.instant())).build();
    }

    /** Returns what became of each row, a JSON object in each line. */
    @GET
    @Path("/{id}/results")
    public Response results(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @PathParam("id") String id) {
        bearer.operator(request, Right.JOBS_READ, fleetName);
        return download(job(fleetName, id), "results", Download.NDJSON, jobs::results);
    }

    /** Returns the failed rows. Those of an import can be corrected and sent again. */
    @GET
    @Path("/{id}/failures")
    public Response failures(
            @PathParam("fleet") String fleetName, @Context HttpServletRequest request, @PathParam("id") String id) {
        bearer.operator(request, Right.JOBS_READ, fleetName);
        Job job = job(fleetName, id);
        // They are what was uploaded, claim codes too.
        bearer.operator(request, job.kind().right(), fleetName);
        return download(job, "failures", Jobs.isCsv(job) ? Download.CSV : Download.NDJSON, jobs::failures);
    }

    /**
     * Streams a job as server-sent events: as it is now, each time when it has changed, and when it has ended.
     *
     * @param waiting never resumed, but for HEAD: the stream is written without JAX-RS
     */
    @GET
    @Path("/{id}/stream")
    public void stream(
            @PathParam("fleet") String fleetName,
            @Context HttpServletRequest request,
            @PathParam("id") String id,
            @Suspended AsyncResponse waiting)
            throws IOException {
        Operator operator = bearer.operator(request, Right.JOBS_READ, fleetName);
        Job job = job(fleetName, id);
        if (request.getMethod().equals("HEAD")) {
            waiting.resume(Response.ok().type(EventStreams.TYPE).build());
            return;
        }
        streams.open(request, operator, bearer.standing(request), new Progress(job));
    }

    /** A job that goes on. */
    private final class Progress implements EventStreams.Source {

        private static final Duration PACE = Duration.ofSeconds(1);

        private final Job first;
        private long readAt = System.nanoTime() - PACE.toNanos();
        private String last = "";
        private boolean over;

        Progress(Job first) {
            this.first = first;
        }

        @Override
        public String next(Operator operator) {
            if (!operator.may(Right.JOBS_READ, first.fleet())) {
                throw new RegistryException(ProblemType.FORBIDDEN, "the right has ended");
            }
            long now = System.nanoTime();
            if (over || now - readAt < PACE.toNanos()) {
                return "";
            }
            readAt = now;
            Job job = jobs.get(first.fleet(), first.id());
            over = job.endedAt().isPresent();
            String text = Json.text(view(job, clock.instant()));
            if (text.equals(last)) {
                return "";
            }
            last = text;
            return EventStreams.event(Optional.empty(), "job", text);
        }

        @Override
        public boolean hasMore() {
            return false;
        }

        @Override
        public String heartbeat() {
            return ":\n\n";
        }

        @Override
        public boolean isOver() {
            return over;
        }
    }

    private static Response download(
            Job job, String what, MediaType type, BiFunction<Job, Integer, Optional<Jobs.Piece>> read) {
        AtomicInteger after = new AtomicInteger(-1);
        Supplier<Optional<byte[]>> next = () -> {
            Optional<Jobs.Piece> part = read.apply(job, after.get());
            part.ifPresent(one -> after.set(one.number()));
            return part.map(Jobs.Piece::bytes);
        };
        return Download.of(type, what + (type.equals(Download.CSV) ? ".csv" : ".ndjson"), next, INCOMPLETE);
    }

    private Job job(String fleetName, String id) {
        String fleet = fleets.get(fleetName).name();
        if (!DeviceId.isValid(id)) {
            throw new RegistryException(ProblemType.NOT_FOUND, "no such job");
        }
        return jobs.get(fleet, id);
    }

    private static Map<String, Object> view(Job job, Instant now) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", job.id());
        view.put("fleet", job.fleet());
        view.put("action", job.kind().word());
        view.put("state", job.state().word());
        view.put("operator", job.operator());
        view.put("dryRun", job.dryRun());
        job.what()
                .forEach((member, value) -> view.put(
                        member,
                        member.equals(DeviceJob.DEVICES) && value instanceof List<?> list ? list.size() : value));
        view.put("createdAt", job.createdAt());
        job.startedAt().ifPresent(at -> view.put("startedAt", at));
        job.endedAt().ifPresent(at -> view.put("endedAt", at));
        job.total().ifPresent(total -> view.put("total", total));
        view.put("done", job.done());
        view.put("failed", job.failed());
        job.rate(now).ifPresent(rate -> view.put("rate", rate));
        job.error().ifPresent(error -> view.put("error", error));
        return view;
    }
}
